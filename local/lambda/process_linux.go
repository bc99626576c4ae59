package lambda

import "syscall"

// attributes put a process into a group of its own, and have the kernel kill it when this program ends. The kernel
// kills it when the thread that started it ends; see process.run.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
