package api

import (
	"encoding/binary"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// TestMemoryOfUsesIsBounded: when the memory is full, keys are forgotten, and every key is still noted.
func TestMemoryOfUsesIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	u := newKeyUses(struct{ store.UseNotes }{})
	key := func(i int) usedKey { return usedKey{"org_0000000000000", strconv.Itoa(i)} }
	for i := range 3*maxNoted + 10 {
		if !u.due(key(i), now) || u.due(key(i), now) {
			t.Fatalf("key %d is not noted once", i)
		}
		if n := u.until.Len(); n > 2*maxNoted {
			t.Fatalf("after %d keys %d are remembered, want at most %d", i+1, n, 2*maxNoted)
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
	u := newKeyUses(struct{ store.UseNotes }{})
	if !u.due(key, time.Now()) {
		t.Fatal("a key that was never noted is not due")
	}
	address := func(text string) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(text))) }
	begin := address(answer)
	for kept := range u.until.Keys() {
		for _, text := range []string{string(kept.organization), kept.id} {
			if at := address(text); at >= begin && at < begin+uintptr(len(answer)) {
				t.Errorf("%q is a part of the answer", text)
			}
		}
	}
}

// TestMemoryOfKeysIsBounded: whatever keys are accepted, the last ones are remembered, and not many more. They are
// remembered for minutes, and by their hashes alone.
func TestMemoryOfKeysIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	a := newAcceptedKeys()
	hash := func(i int) (h apikey.Hash) {
		binary.BigEndian.PutUint64(h[:], uint64(i))
		return h
	}
	const keys = 5 * maxAccepted
	for i := range keys {
		a.put(hash(i), acceptance{now, int64(i)})
		if n := a.keys.Len(); n > 2*maxAccepted {
			t.Fatalf("after %d keys %d are remembered, want at most %d", i+1, n, 2*maxAccepted)
		}
	}
	if _, ok := a.get(hash(0), now); ok {
		t.Error("the first key is still remembered")
	}
	last := hash(keys - 1)
	if known, ok := a.get(last, now.Add(acceptedFor-1)); !ok || known.limit != keys-1 {
		t.Errorf("the last key = %+v, %v, want it remembered", known, ok)
	}
	if _, ok := a.get(last, now.Add(acceptedFor)); ok {
		t.Error("a key is remembered for too long")
	}
	if a.forget(last); a.keys.Len() == 0 {
		t.Error("all keys are forgotten with one")
	}
	if _, ok := a.get(last, now); ok {
		t.Error("a key that was refused is still remembered")
	}
}
