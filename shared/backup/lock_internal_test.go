package backup

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestLock has the name of a file go to another, as when a backup is finished, between its opening and its locking.
func TestLock(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "orgs.backup.partial")
	finished, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer finished.Close()
	if named, err := lock(finished); err != nil || !named {
		t.Errorf("lock = %t, %v, want true", named, err)
	}
	if _, err := claim(name, os.O_CREATE); !errors.Is(err, ErrBusy) {
		t.Errorf("claim of a locked file = %v, want ErrBusy", err)
	}

	if err := os.Rename(name, name+".finished"); err != nil {
		t.Fatal(err)
	}
	if named, err := lock(finished); err != nil || named {
		t.Errorf("lock, after the name is gone = %t, %v, want false", named, err)
	}
	if _, err := claim(name, 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("claim of a missing file = %v, want os.ErrNotExist", err)
	}
	now, err := claim(name, os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	defer now.Close()
	if named, err := lock(finished); err != nil || named {
		t.Errorf("lock, after another file has the name = %t, %v, want false", named, err)
	}
}
