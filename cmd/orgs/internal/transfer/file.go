package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// ErrExists says that the path of a new backup is taken.
var ErrExists = errors.New("the file exists; a backup replaces nothing")

// createTemporary makes the file that a backup is written to: FILE.*.partial beside FILE. Only its owner can use it. It
// never opens an existing file, and never follows a link.
func createTemporary(path string) (*os.File, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, ErrExists
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.partial")
	if err != nil {
		return nil, err
	}
	// Some file systems cannot keep a file from others. They refuse this.
	if err := file.Chmod(0o600); err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return file, nil
}

// removeTemporary removes the file. It is no error if publish has renamed it.
func removeTemporary(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// publish gives the temporary file its final name, and makes sure that the name is on disk. It replaces nothing. If
// several backups want the same path, the first gets it, and the errors of the others wrap ErrExists. If others may
// write to the folder, they can exchange the temporary file. publish returns an error then.
func publish(file *os.File, path string, flush func(*os.File) error) error {
	err := os.Link(file.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = publishWithoutLink(file.Name(), path)
	}
	if errors.Is(err, fs.ErrExist) {
		err = ErrExists
	}
	if err == nil {
		err = checkSame(file, path)
	}
	if err != nil {
		return fmt.Errorf("naming the backup %s: %w", path, err)
	}
	return syncFolder(path, flush)
}

func checkSame(file *os.File, path string) error {
	written, err := file.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(path)
	if err == nil && !os.SameFile(written, named) {
		err = errors.New("somebody put another file in its place; do not use it, and back up to a folder of your own")
	}
	return err
}

// publishWithoutLink is publish for file systems without links. It makes an empty file with the name, and replaces that
// file.
func publishWithoutLink(temporary, path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// syncFolder makes sure that the names in the folder of path are on disk. Windows cannot flush a folder, so there it
// does nothing.
func syncFolder(path string, flush func(*os.File) error) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(flush(folder), folder.Close())
}
