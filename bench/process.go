package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// peakMemory returns the most bytes that a process ever had resident: VmHWM in proc_pid_status(5). The count starts
// with the program that the process executes.
func peakMemory(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("reading a process's memory: %w", err)
	}
	_, rest, _ := strings.Cut(string(status), "\nVmHWM:")
	var kilobytes int64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		return 0, fmt.Errorf("reading VmHWM of process %d: %w", pid, err)
	}
	return kilobytes << 10, nil
}

// cpuTime returns the CPU time of a process so far, in nanoseconds. It reads the process's clock, as /proc only has
// hundredths of a second. clock_getcpuclockid(3) calculates the clock's number in the same way.
func cpuTime(pid int) (time.Duration, error) {
	const allThreads = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|allThreads, &t); err != nil {
		return 0, fmt.Errorf("reading the CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// Lambda gives CPU in proportion to memory, and one vCPU at 1,769 MB ("Configure Lambda function memory" in its
// Developer Guide). The period is short, so that a process gets its share in small pieces, as on Lambda.
const (
	megabytesOfOneCPU = 1769
	period            = 20 * time.Millisecond
)

// quota is a control group for one process, of cgroups(7) version 1 or 2. A nil *quota limits nothing.
type quota struct{ dir string }

var quotas atomic.Int64 // made so far

// checkQuota returns an error if this machine cannot limit the CPU of a process.
func checkQuota() error {
	q, err := newQuota(megabytesOfOneCPU)
	q.close()
	return err
}

// newQuota makes a group with the CPU share of a function of so many MB.
func newQuota(megabytes int) (*quota, error) {
	us := period.Microseconds()
	share := us * int64(megabytes) / megabytesOfOneCPU
	name := fmt.Sprintf("bench-%d-%d", os.Getpid(), quotas.Add(1))
	v1 := &quota{filepath.Join("/sys/fs/cgroup/cpu", groupOf("cpu"), name)}
	err1 := v1.create([][2]string{
		{"cpu.cfs_period_us", strconv.FormatInt(us, 10)}, {"cpu.cfs_quota_us", strconv.FormatInt(share, 10)},
	})
	if err1 == nil {
		return v1, nil
	}
	v2 := &quota{filepath.Join("/sys/fs/cgroup", groupOf(""), name)}
	err2 := v2.create([][2]string{{"cpu.max", fmt.Sprintf("%d %d", share, us)}})
	if err2 == nil {
		return v2, nil
	}
	return nil, fmt.Errorf("no CPU quota can be set: %w", errors.Join(err1, err2))
}

// groupOf returns the group of this process: in version 1, of a controller; in version 2, with the controller "".
func groupOf(controller string) string {
	text, _ := os.ReadFile("/proc/self/cgroup") // without it, there are no control groups
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && fields[1] == controller {
			return fields[2]
		}
	}
	return "/"
}

// create makes the group and writes the limits, each a file and its content. It returns an error if the parent folder
// is not a control group.
func (q *quota) create(limits [][2]string) error {
	if _, err := os.Stat(filepath.Join(filepath.Dir(q.dir), "cgroup.procs")); err != nil {
		return err
	}
	if err := os.Mkdir(q.dir, 0o755); err != nil {
		return err
	}
	for _, limit := range limits {
		if err := q.write(limit[0], limit[1]); err != nil {
			q.close()
			return err
		}
	}
	return nil
}

func (q *quota) add(pid int) error { return q.write("cgroup.procs", strconv.Itoa(pid)) }

// write writes one of the group's files. It does not create the file.
func (q *quota) write(name, content string) error {
	file, err := os.OpenFile(filepath.Join(q.dir, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	return errors.Join(err, file.Close())
}

// close removes the group. The process in it must have ended.
func (q *quota) close() {
	if q == nil {
		return
	}
	const attempts = 100 // as the kernel takes some time to remove a dead process
	for range attempts {
		if err := os.Remove(q.dir); err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
