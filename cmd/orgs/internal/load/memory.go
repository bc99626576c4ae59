package load

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memoryOf returns the resident memory, in bytes, of a process and of all its descendants, from proc(5). It counts
// pages that several of them share once for each. It returns an error if the process does not exist.
func memoryOf(pid int) (int64, error) {
	files, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return 0, err
	}
	children := make(map[int][]int)
	resident := make(map[int]int64)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the process has ended since
		}
		id, parent, memory := parseStatus(string(text))
		children[parent] = append(children[parent], id)
		resident[id] = memory
	}
	if resident[pid] == 0 {
		return 0, fmt.Errorf("there is no process %d whose memory could be read", pid)
	}
	var sum int64
	for queue := []int{pid}; len(queue) > 0; {
		next := queue[0]
		queue = append(queue[1:], children[next]...)
		sum += resident[next]
	}
	return sum, nil
}

// parseStatus returns the identifier, the parent and the resident memory in bytes from the text of /proc/PID/status.
func parseStatus(text string) (pid, parent int, resident int64) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		n, _ := strconv.ParseInt(fields[0], 10, 64) // 0 for text, which the three lines below never have
		switch name {
		case "Pid":
			pid = int(n)
		case "PPid":
			parent = int(n)
		case "VmRSS":
			resident = n << 10 // "kB" means KiB here
		}
	}
	return pid, parent, resident
}
