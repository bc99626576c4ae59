//go:build unix

package lambda

import "syscall"

// signalGroup sends the signal to every process of the group that the process pid leads. It does nothing if the group
// is gone.
func signalGroup(pid int, s syscall.Signal) { _ = syscall.Kill(-pid, s) }
