package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkRights refuses a file that has several names. It does not check whose the file is: on Windows the access list of
// the folder says who may use it.
func checkRights(path string, _ fs.FileInfo) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("looking at the file: %w", err)
	}
	var stat syscall.ByHandleFileInformation
	err = syscall.GetFileInformationByHandle(syscall.Handle(file.Fd()), &stat)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("looking at the file: %w", err)
	}
	return checkNames(path, uint64(stat.NumberOfLinks))
}
