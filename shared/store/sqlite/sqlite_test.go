package sqlite

import (
	"path/filepath"
	"testing"

	"organizations-api/shared/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	storetest.Run(t, func(t *testing.T) storetest.Engine { return mustOpen(t, path) })
}

func mustOpen(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatalf("Open(%q) = %v, want no error", path, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v, want no error", err)
		}
	})
	return s
}
