package sqlite

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// errReplaced is the error of a call that used files which are no longer at their paths.
var errReplaced = errors.New("it was removed or replaced while this process had it open; " +
	"end this process, see to the files, and start it again")

// suffixes are those of the files of a database: the file itself, its log, and the index of the log.
var suffixes = [...]string{"", "-wal", "-shm"}

// files are the files that an open database uses. SQLite does not notice if somebody removes or replaces one. It goes
// on in files that nobody can open again, while other processes use the new ones. So the result of a call counts only
// if the files are still in their places when the call ends.
//
// A nil *files has none, and every check of it succeeds. It is safe for concurrent use.
type files struct {
	path   string                     // as the caller named it, absolute
	real   string                     // the same file without symbolic links; the log is beside it
	folder string                     // of real
	used   [len(suffixes)]fs.FileInfo // nil: there was no such file

	// settled is the folder as it was when all files were found in their places. Whoever removes, renames or makes a
	// file changes the folder's time, so a folder that is the same needs no other look.
	settled atomic.Pointer[fs.FileInfo]
}

// lookAtFiles returns the files of the database at the path. The caller must have a connection that has read, and must
// keep it: then SQLite itself neither removes nor makes any of them. On Windows it returns nil, because nobody can
// remove or replace a file there while SQLite has it open.
func lookAtFiles(path string) (*files, error) {
	if runtime.GOOS == "windows" {
		return nil, nil
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	f := &files{path: path, real: real, folder: filepath.Dir(real)}
	for i, suffix := range suffixes {
		info, err := os.Stat(real + suffix)
		if err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return nil, err
		}
		if err == nil {
			f.used[i] = info
		}
	}
	return f, nil
}

// check returns errReplaced, with the name of the file, if one of the files is not in its place. It costs one look at
// the folder, and a second one if the path has symbolic links.
func (f *files) check() error {
	if f == nil {
		return nil
	}
	folder, err := os.Stat(f.folder)
	if err != nil {
		return replaced(f.folder, err)
	}
	if f.path != f.real {
		if err := sameFile(f.path, f.used[0]); err != nil {
			return err
		}
	}
	if known := f.settled.Load(); known != nil && os.SameFile(*known, folder) && folder.ModTime().Equal((*known).ModTime()) {
		return nil
	}
	for i, suffix := range suffixes {
		if f.used[i] == nil {
			continue
		}
		if err := sameFile(f.real+suffix, f.used[i]); err != nil {
			return err
		}
	}
	// The times of folders can be as coarse as two seconds. A change in the same two seconds would not show.
	const coarsest = 2 * time.Second
	if time.Since(folder.ModTime()) > coarsest {
		f.settled.Store(&folder)
	}
	return nil
}

// sameFile returns errReplaced if the path does not name the file.
func sameFile(path string, file fs.FileInfo) error {
	info, err := os.Stat(path)
	if err != nil || !os.SameFile(info, file) {
		return replaced(path, err)
	}
	return nil
}

// replaced returns errReplaced for the path. If err is not nil, the path could not be read. If it is nil, another file
// is there.
func replaced(path string, err error) error {
	return fmt.Errorf("the file %q: %w", path, errors.Join(errReplaced, err))
}

// inPlace returns the error of a call. If a file is not in its place, it returns that error, because the result of the
// call is worthless then. Otherwise it returns err.
func (s *Store) inPlace(err error) error { return cmp.Or(s.files.check(), err) }

// strays returns the removed files of this database that other processes on this machine still have open, such as
// "process 17: orgs.db-wal". It finds them only on Linux, where /proc lists them, and not those of other users'
// processes.
func (f *files) strays() []string {
	if f == nil {
		return nil
	}
	const removed = " (deleted)" // the system writes it behind the path (proc_pid_fd(5))
	descriptors, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return nil
	}
	found := make(map[string]bool)
	var strays []string
	for _, descriptor := range descriptors {
		target, err := os.Readlink(descriptor)
		name, isRemoved := strings.CutSuffix(target, removed)
		if err != nil || !isRemoved {
			continue
		}
		for _, suffix := range suffixes {
			process := strings.Split(descriptor, "/")[2]
			stray := fmt.Sprintf("process %s: %s", process, filepath.Base(name))
			if name == f.real+suffix && !found[stray] {
				found[stray] = true
				strays = append(strays, stray)
			}
		}
	}
	return strays
}
