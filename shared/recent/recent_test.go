package recent_test

import (
	"testing"

	"organizations-api/shared/recent"
)

// TestMap: the last entries that were used are there, and memory is bounded, whatever comes.
func TestMap(t *testing.T) {
	t.Parallel()
	const entries, favourite = 100, -1
	m := recent.New[int, int](entries)
	m.Put(favourite, 7)
	for i := range 1000 * entries {
		m.Put(i, 2*i)
		if n := m.Len(); n > 2*entries {
			t.Fatalf("after %d entries the map has %d, want at most %d", i+1, n, 2*entries)
		}
		if oldest := max(0, i-entries+2); i%97 == 0 { // the favourite is one of the last
			if v, ok := m.Get(oldest); !ok || v != 2*oldest {
				t.Fatalf("after %d entries, Get(%d) = %d, %v, want %d", i+1, oldest, v, ok, 2*oldest)
			}
		}
		if i%(entries/2) == 0 {
			if v, ok := m.Get(favourite); !ok || v != 7 {
				t.Fatalf("after %d entries, an entry in use = %d, %v, want 7", i+1, v, ok)
			}
		}
	}
	if _, ok := m.Get(0); ok {
		t.Error("the oldest entry is still there")
	}
	m.Put(favourite, 8)
	if v, ok := m.Get(favourite); !ok || v != 8 {
		t.Errorf("an entry that was replaced = %d, %v, want 8", v, ok)
	}
	m.Delete(favourite)
	if v, ok := m.Get(favourite); ok {
		t.Errorf("an entry that was deleted = %d, want none", v)
	}
}
