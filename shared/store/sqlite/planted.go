package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// sideFiles are the ends of the names of the files that SQLite keeps beside the database: "Temporary Files Used By
// SQLite", sections 2.1 to 2.3. It opens what it finds there, whoever made it.
var sideFiles = []string{"-wal", "-shm", "-journal"}

// checkFiles refuses a database at the path where it or a file beside it may have been put there by somebody else, who
// could then read what is written, or have it written elsewhere. Files that are missing are fine.
func checkFiles(path string) error {
	problems := []error{checkFile(path)}
	for _, end := range sideFiles {
		problems = append(problems, checkFile(path+end))
	}
	return errors.Join(problems...)
}

// checkFile accepts a regular file of one name, that belongs to the user of this process and is for no one else.
func checkFile(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking at the file: %w", err)
	}
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return fmt.Errorf("%q is a link; name the file that it leads to, or move the link away if you did not make it", path)
	case !mode.IsRegular():
		return fmt.Errorf("%q is not a regular file; choose another", path)
	case mode.Perm()&0o077 != 0:
		return fmt.Errorf("others may use %q (%v), and it holds secrets; take their rights away with chmod 600, "+
			"or choose a file system that keeps files from others", path, mode.Perm())
	}
	return checkOwner(path, info)
}

func checkOwner(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil // not a Unix system
	}
	switch user := os.Geteuid(); {
	case int64(stat.Uid) != int64(user):
		return fmt.Errorf("%q belongs to the user %d, and this process runs as %d; run it as the owner, or change the owner "+
			"with chown if the file is yours", path, stat.Uid, user)
	case stat.Nlink > 1:
		return fmt.Errorf("%q has %d names (hard links), which SQLite cannot keep in step; remove the others", path, stat.Nlink)
	}
	return nil
}
