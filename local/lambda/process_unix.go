//go:build unix && !linux

package lambda

import "syscall"

// attributes put a process into a group of its own. If this program is killed, nothing kills the process. But then its
// Runtime API is gone, so aws-lambda-go ends the process at its next call. An idle process is in such a call already.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
