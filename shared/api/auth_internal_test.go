package api

import (
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// TestMemoryOfUsesIsBounded: when the memory is full, it starts empty again, and every key is still noted.
func TestMemoryOfUsesIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	u := keyUses{notes: struct{ store.UseNotes }{}}
	key := func(i int) usedKey { return usedKey{"org_0000000000000", strconv.Itoa(i)} }
	for i := range 2*maxNoted + 10 {
		if !u.due(key(i), now) || u.due(key(i), now) {
			t.Fatalf("key %d is not noted once", i)
		}
		if len(u.until) > maxNoted {
			t.Fatalf("after %d keys %d are remembered, want at most %d", i+1, len(u.until), maxNoted)
		}
	}
	if !u.due(key(0), now) {
		t.Error("a key that was forgotten is not noted again")
	}
}

// TestUsesKeepTheirTextsAlone: a remembered key must not keep the store's whole answer in memory.
func TestUsesKeepTheirTextsAlone(t *testing.T) {
	t.Parallel()
	answer := strings.Repeat("x", 1<<16)
	key := usedKey{organization.ID(answer[:16]), answer[16:32]}
	u := &keyUses{notes: struct{ store.UseNotes }{}}
	if !u.due(key, time.Now()) {
		t.Fatal("a key that was never noted is not due")
	}
	address := func(text string) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(text))) }
	begin := address(answer)
	for kept := range u.until {
		for _, text := range []string{string(kept.organization), kept.id} {
			if at := address(text); at >= begin && at < begin+uintptr(len(answer)) {
				t.Errorf("%q is a part of the answer", text)
			}
		}
	}
}
