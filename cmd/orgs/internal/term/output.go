package term

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
)

// output is a writer that remembers whether writing failed. It is safe for concurrent use.
type output struct {
	writer io.Writer

	mutex  sync.Mutex
	failed error
}

// Write returns an error that does not name the file: the user knows where the output goes.
func (o *output) Write(p []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	n, err := o.writer.Write(p)
	if err == nil {
		return n, nil
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	o.failed = fmt.Errorf("the output cannot be written: %w", err)
	return n, o.failed
}

// Failed returns the last error of writing, or nil. Libraries that print help ignore such errors.
func (s *Screen) Failed() error {
	o, ok := s.Writer.(*output)
	if !ok {
		return nil
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.failed
}

// KeepPrivate takes away the rights of others if the screen is a file, because the file will hold a secret. It reports
// whether there were such rights. If it cannot take them away, it returns an error. On Windows it does nothing: there
// the access list of the folder says who may read the file.
func (s *Screen) KeepPrivate() (changed bool, err error) {
	o, ok := s.Writer.(*output)
	if !ok {
		return false, nil
	}
	file, ok := o.writer.(*os.File)
	if !ok || runtime.GOOS == "windows" {
		return false, nil
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 {
		return false, nil // a terminal, a pipe, or already private; a closed file fails when it is written
	}
	if err := file.Chmod(info.Mode().Perm() &^ 0o077); err != nil {
		return false, errors.New("the output is a file that others can read")
	}
	return true, nil
}
