package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
)

// progress tells on stderr how far a long command is: on a terminal as one line that is drawn again and again; elsewhere,
// if at all, as a line now and then. It is safe for concurrent use.
type progress struct {
	out      io.Writer
	now      func() time.Time
	terminal bool
	pace     time.Duration // between two lines; 0 stands for none at all
	what     string        // "seeding"
	total    int64         // 0 where nobody knows

	mutex       sync.Mutex
	begin, last time.Time
	before      int64 // done by an earlier run: counts as done, and not for the rate
	done        int64
}

const (
	redrawPace = 100 * time.Millisecond
	linePace   = 10 * time.Second
	barWidth   = 24
)

// isTerminal reports whether a person looks at what is written.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}

// newProgress returns the progress of what is done total times. Where stderr is no terminal, it is silent, or, with lines,
// writes some; with --json it writes no lines, as errors there are JSON.
func (a *app) newProgress(what string, total int64, lines bool) *progress {
	p := &progress{out: a.stderr, now: a.now, terminal: a.terminal(a.stderr), what: what, total: total, begin: a.now()}
	p.last = p.begin
	switch {
	case p.terminal:
		p.pace = redrawPace
	case lines && !a.json:
		p.pace = linePace
	}
	return p
}

// resume says what was done before this run.
func (p *progress) resume(done int64) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.before, p.done = done, done
}

// add counts n more.
func (p *progress) add(n int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.done += int64(n)
	now := p.now()
	if p.pace == 0 || now.Sub(p.last) < p.pace {
		return
	}
	p.last = now
	if p.terminal {
		fmt.Fprint(p.out, "\r"+p.line(now)+"\x1b[K")
		return
	}
	fmt.Fprintln(p.out, p.line(now))
}

// end takes the line away, so that what comes next stands alone.
func (p *progress) end() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// line is how far it is, with the rate of this run and, where the total is known, the time that remains at that rate.
func (p *progress) line(now time.Time) string {
	rate := float64(p.done-p.before) / max(now.Sub(p.begin).Seconds(), 1e-3)
	if p.total == 0 {
		return fmt.Sprintf("%s  %s  %s/s", p.what, grouped(p.done), grouped(int64(rate)))
	}
	share := min(float64(p.done)/float64(p.total), 1)
	filled := int(share * barWidth)
	text := fmt.Sprintf("%s  [%s%s]  %s/%s  %d%%  %s/s", p.what, strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled),
		grouped(p.done), grouped(p.total), int(share*100), grouped(int64(rate)))
	if rate > 0 {
		left := time.Duration(float64(max(p.total-p.done, 0)) / rate * float64(time.Second))
		text += "  " + left.Round(time.Second).String() + " left"
	}
	return text
}

// grouped writes a number that is not negative with commas between thousands.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
