package measure

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"
)

// cpuTime returns the CPU time of a process so far. /proc has it in hundredths of a second only; the process's clock, whose
// number is as clock_getcpuclockid(3) makes it, in nanoseconds.
func cpuTime(pid int) (time.Duration, error) {
	const allThreads = 2
	clock := uintptr(^pid)<<3 | allThreads
	var t syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0, fmt.Errorf("reading the CPU clock of process %d: %w", pid, errno)
	}
	return time.Duration(t.Nano()), nil
}
