//go:build unix

package sqlite

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkRights refuses a file that others may use, that belongs to another user, or that has several names.
func checkRights(path string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("others may use %q (%v), and it holds secrets; take their rights away with chmod 600, "+
			"or choose a file system that keeps files from others", path, mode)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("the system does not say whom %q belongs to", path)
	}
	if user := os.Geteuid(); int64(stat.Uid) != int64(user) {
		return fmt.Errorf("%q belongs to the user %d, and this process runs as %d; run it as the owner, or change the owner "+
			"with chown if the file is yours", path, stat.Uid, user)
	}
	return checkNames(path, uint64(stat.Nlink))
}
