package api

import (
	"strconv"
	"testing"
	"time"

	"organizations-api/shared/store"
)

// TestMemoryOfUsesIsBounded: beyond its bound the memory starts anew, and notes every key all the same.
func TestMemoryOfUsesIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	u := uses{notes: struct{ store.UseNotes }{}}
	key := func(i int) noted { return noted{"org_0000000000000", strconv.Itoa(i)} }
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
