package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// sideFiles are the suffixes of the files that SQLite keeps beside the database: "Temporary Files Used By SQLite",
// sections 2.1 to 2.3. SQLite opens such files, even if somebody else made them.
var sideFiles = []string{"-wal", "-shm", "-journal"}

// checkFiles returns an error if somebody else may have put the database, or a file beside it, at its path. Such a
// person could read the data, or redirect the writes. A missing file is no error.
func checkFiles(path string) error {
	problems := []error{checkFile(path)}
	for _, end := range sideFiles {
		problems = append(problems, checkFile(path+end))
	}
	return errors.Join(problems...)
}

// checkFile accepts a missing file, and a regular file that has one name and is private to the user of this process.
// Windows does not tell Go whom a file belongs to, so there it is not checked.
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
	}
	return checkRights(path, info)
}

// checkNames refuses a file with several names. SQLite names its side files after the file, so under each name it would
// use other ones.
func checkNames(path string, names uint64) error {
	if names > 1 {
		return fmt.Errorf("%q has %d names (hard links), which SQLite cannot keep in step; remove the others", path, names)
	}
	return nil
}
