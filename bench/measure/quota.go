package measure

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Lambda gives CPU in proportion to memory: one vCPU at 1,769 MB ("Configure Lambda function memory" in its Developer
// Guide). The period is one in which the share comes in small pieces, as there.
const (
	megabytesOfOneCPU = 1769
	period            = 20 * time.Millisecond
)

// quota is a control group of its own for one process: cgroups(7), of version 1 or 2. A nil *quota limits nothing.
type quota struct{ dir string }

var quotas atomic.Int64 // made so far

// QuotasWork says why the CPU of a process cannot be limited here, or nothing.
func QuotasWork() error {
	q, err := newQuota(128)
	if err != nil {
		return err
	}
	q.close()
	return nil
}

// newQuota makes a group that has the CPU share of so many MB.
func newQuota(megabytes int) (*quota, error) {
	us := period.Microseconds()
	share := us * int64(megabytes) / megabytesOfOneCPU
	name := fmt.Sprintf("bench-%d-%d", os.Getpid(), quotas.Add(1))
	var problems []error
	for _, version := range []struct {
		parent string
		limits [][2]string // file and content
	}{
		{filepath.Join("/sys/fs/cgroup/cpu", groupOf("cpu")),
			[][2]string{{"cpu.cfs_period_us", strconv.FormatInt(us, 10)}, {"cpu.cfs_quota_us", strconv.FormatInt(share, 10)}}},
		{filepath.Join("/sys/fs/cgroup", groupOf("")), [][2]string{{"cpu.max", fmt.Sprintf("%d %d", share, us)}}},
	} {
		q := &quota{dir: filepath.Join(version.parent, name)}
		err := q.create(version.limits)
		if err == nil {
			return q, nil
		}
		problems = append(problems, err)
	}
	return nil, fmt.Errorf("no CPU quota can be set: %w", errors.Join(problems...))
}

// groupOf returns the group that this process is in, of a controller of version 1, or of version 2 where it is "".
func groupOf(controller string) string {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "/"
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.SplitN(strings.TrimSpace(line), ":", 3); len(fields) == 3 && fields[1] == controller {
			return fields[2]
		}
	}
	return "/"
}

// create makes the group. Below a folder that is no control group, the files are not there to be written.
func (q *quota) create(limits [][2]string) error {
	if _, err := os.Stat(filepath.Join(filepath.Dir(q.dir), "cgroup.procs")); err != nil {
		return err
	}
	if err := os.Mkdir(q.dir, 0o755); err != nil {
		return err
	}
	for _, limit := range limits {
		file, err := os.OpenFile(filepath.Join(q.dir, limit[0]), os.O_WRONLY, 0)
		if err == nil {
			_, err = file.WriteString(limit[1])
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			q.close()
			return err
		}
	}
	return nil
}

func (q *quota) add(pid int) error {
	return os.WriteFile(filepath.Join(q.dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
}

// close removes the group, when the process in it is gone.
func (q *quota) close() {
	if q == nil {
		return
	}
	const patience = 100
	for range patience {
		if err := os.Remove(q.dir); err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(time.Millisecond) // the kernel lets a dead process go in its own time
	}
}
