package lambda

import "syscall"

// attributes put a process into a group of its own, and have the kernel kill it when this program ends, however it ends.
// The kernel takes the end of the thread that started it for that; see process.run.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
