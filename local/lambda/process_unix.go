//go:build unix && !linux

package lambda

import "syscall"

// attributes put a process into a group of its own. Nothing here kills it when this program is killed, but its Runtime
// API is gone then: aws-lambda-go ends the process at the next call, which for an idle one is under way already.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
