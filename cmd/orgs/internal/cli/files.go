package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"organizations-api/cmd/orgs/internal/term"
)

// OpenRegular opens a regular file for reading. For anything else, such as a named pipe or a device, it returns an
// error at once. It must not wait for a pipe, because no signal would end the command then.
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

// ReadRegular reads what OpenRegular opens.
func ReadRegular(path string) ([]byte, error) {
	file, err := OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// Stream returns the text of a file, a pipe or a device, or of standard input if path is "-". When ctx ends, its Read
// returns ctx's error, even while it waits for the other end of a pipe.
func (a *App) Stream(ctx context.Context, path string) io.Reader {
	reader, writer := io.Pipe()
	context.AfterFunc(ctx, func() { _ = reader.CloseWithError(ctx.Err()) })
	go func() {
		in, err := a.Stdin, error(nil)
		if path != "-" {
			var file *os.File
			if file, err = os.Open(path); err == nil {
				defer file.Close()
				in = file
			}
		}
		if err == nil {
			_, err = io.Copy(writer, in)
		}
		_ = writer.CloseWithError(err)
	}()
	return reader
}

// ReplaceFile writes a file completely or not at all. It replaces a regular file of that name, and refuses anything
// else. It never writes through a link, nor into a file that somebody else put there.
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
