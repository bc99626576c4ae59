package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

var (
	// ErrExists is in the chain of the error of a backup whose file is there already.
	ErrExists = errors.New("the file exists; a backup overwrites nothing")
	// ErrBusy is in the chain of the error of a backup whose unfinished file another one is writing, in whatever process.
	ErrBusy = errors.New("another backup is writing it")
	// ErrNotResumable is in the chain of the error of a backup whose unfinished file is there, and will not do, however often
	// it is tried: that of another store or format, something else, or out of reach. It stays as it is.
	ErrNotResumable = errors.New("cannot be resumed")
)

// Partial returns the name of a backup that is not finished.
func Partial(path string) string { return path + ".partial" }

func notResumable(path string, err error) error {
	return fmt.Errorf("%s %w: %w", Partial(path), ErrNotResumable, err)
}

// openPartial opens the unfinished file, or makes it, for this process alone until it is closed.
func openPartial(path string) (*os.File, error) {
	exists, err := isThere(path)
	if err != nil {
		return nil, err
	}
	flags := os.O_CREATE
	if exists {
		flags = 0 // only to look whether there is something left over
	}
	file, err := claim(Partial(path), flags)
	if err != nil && exists {
		return nil, ErrExists
	}
	if err != nil {
		return nil, unopened(path, err)
	}
	// Whoever had the file until now may have finished it in between.
	if exists, err = isThere(path); exists {
		err = errors.Join(ErrExists, removeLeftover(file, path))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func isThere(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func unopened(path string, err error) error {
	if exists, _ := isThere(Partial(path)); exists && !errors.Is(err, ErrBusy) {
		return notResumable(path, err)
	}
	return err
}

// claim opens a file with its lock, which ends with the file or the process. Where the name changes hands meanwhile, it
// is the file that has the name now: the one before is a finished backup, which nobody may touch.
func claim(name string, flags int) (*os.File, error) {
	for {
		file, err := os.OpenFile(name, os.O_RDWR|flags, 0o600)
		if err != nil {
			return nil, err
		}
		named, err := lock(file)
		if named {
			return file, nil
		}
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
	}
}

// lock locks the file, and reports whether it still has the name by which it was opened.
func lock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, ErrBusy
	}
	if err != nil {
		return false, &fs.PathError{Op: "lock", Path: file.Name(), Err: err}
	}
	opened, err := file.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(file.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(opened, named), err
}

// removeLeftover removes the name of an unfinished file beside a backup, where it is a second name of that, as a process
// leaves it that is killed while it names it, or where it has nothing. What else it is may be worth something.
func removeLeftover(file *os.File, path string) error {
	unfinished, err := file.Stat()
	if err != nil {
		return err
	}
	finished, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if unfinished.Size() > 0 && !os.SameFile(unfinished, finished) {
		return nil
	}
	return os.Remove(file.Name())
}

// publish gives the unfinished file its final name.
func publish(path string) error {
	if err := os.Link(Partial(path), path); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("naming the backup %s: %w", path, ErrExists)
	} else if err == nil {
		return errors.Join(os.Remove(Partial(path)), syncFolder(path))
	}
	// A file system without links.
	if err := os.Rename(Partial(path), path); err != nil {
		return fmt.Errorf("naming the backup: %w", err)
	}
	return syncFolder(path)
}

// syncFolder makes the name last.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
