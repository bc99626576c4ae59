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
	lastLines   = 20        // how many of the last lines an error has
	maxLastLine = 1 << 10   // how much of each
)

// output passes on each line that a process writes, and remembers the last lines.
type output struct {
	w io.Writer // safe for concurrent use; may block, so it is never called under mu

	mu   sync.Mutex
	last []string
}

// drain passes on the text of r until it ends.
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

// Write takes one line, with or without its newline. The error is always nil, because a function must go on even if
// nobody can read its log.
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
