package lambda

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"sync"
)

const (
	maxLine     = 256 << 10 // a longer line becomes several
	lastLines   = 20        // how many lines an error has of what the process wrote
	maxLastLine = 1 << 10   // how much of each
)

// output passes on what a process writes, line by line, and remembers the end of it.
type output struct {
	w io.Writer // safe for concurrent use; may block, so it is never called under mu

	mu   sync.Mutex
	last []string
}

// drain passes on what r gives until it ends.
func (o *output) drain(r io.Reader) {
	in := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			_, _ = o.Write(line)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// Write takes a line, which may lack its newline. Its error is always nil: a function goes on when nobody can read its
// log.
func (o *output) Write(line []byte) (int, error) {
	text := bytes.TrimSuffix(line, []byte("\n"))
	o.remember(string(text[:min(len(text), maxLastLine)]))
	whole := make([]byte, 0, len(text)+1)
	_, _ = o.w.Write(append(append(whole, text...), '\n'))
	return len(line), nil
}

func (o *output) remember(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.last) == lastLines {
		o.last = o.last[1:]
	}
	o.last = append(o.last, line)
}

// end returns the last lines.
func (o *output) end() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.last, "\n")
}

// oneAtATime makes a writer safe for concurrent use.
type oneAtATime struct {
	mu sync.Mutex
	w  io.Writer
}

func (w *oneAtATime) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(p)
}
