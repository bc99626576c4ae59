package lambda

import (
	"os"
	"syscall"
)

// attributes start a process in a group of its own, so that Ctrl-C in the console does not reach it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// signalGroup ends the process pid, whatever the signal is: Windows has no signals for other processes. It does nothing
// if the process is gone. What the process started goes on, as Windows cannot end a group.
func signalGroup(pid int, _ syscall.Signal) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
		_ = p.Release()
	}
}
