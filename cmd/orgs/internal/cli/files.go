package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"organizations-api/cmd/orgs/internal/term"
)

// OpenRegular opens a file for reading. It refuses anything else, such as a named pipe or a device, without waiting for
// it: no signal would end a command that waits there.
func OpenRegular(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", term.Printable(path))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// ReplaceFile writes a file, whole or not at all. It replaces a file of that name. It never writes into one that somebody
// else put there, nor through a link, and refuses whatever is no regular file.
func ReplaceFile(path string, content []byte, mode os.FileMode) error {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", term.Printable(path))
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Chmod(mode), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(file.Name()))
	}
	return err
}
