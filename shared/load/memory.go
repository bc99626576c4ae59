package load

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memoryOf returns the resident memory of a process and of all that it started, in bytes, from proc(5). Pages that
// several of them share count for each.
func memoryOf(pid int) (int64, error) {
	parents := make(map[int][]int)
	resident := make(map[int]int64)
	files, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		id, parent, memory := parseStatus(string(text))
		parents[parent] = append(parents[parent], id)
		resident[id] = memory
	}
	if resident[pid] == 0 {
		return 0, fmt.Errorf("there is no process %d whose memory could be read", pid)
	}
	var sum int64
	for open := []int{pid}; len(open) > 0; {
		next := open[0]
		open = append(open[1:], parents[next]...)
		sum += resident[next]
	}
	return sum, nil
}

// parseStatus reads what is asked of /proc/PID/status: identifier, parent, and resident memory in bytes.
func parseStatus(text string) (pid, parent int, resident int64) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		n, _ := strconv.ParseInt(fields[0], 10, 64) // names of processes are no numbers, and not asked for
		switch name {
		case "Pid":
			pid = int(n)
		case "PPid":
			parent = int(n)
		case "VmRSS":
			resident = n << 10 // it is in kB, which means KiB there
		}
	}
	return pid, parent, resident
}
