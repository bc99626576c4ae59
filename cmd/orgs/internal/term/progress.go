package term

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Progress shows how far a long command is. On a terminal it draws one line again and again, or, if the terminal cannot
// do that, prints a line now and then. Elsewhere it prints such lines or nothing. It is safe for concurrent use.
type Progress struct {
	screen *Screen
	now    func() time.Time
	pace   time.Duration // between two lines; 0 means that nothing is shown
	what   string        // such as "seeding"
	total  int64         // 0 means unknown

	mutex       sync.Mutex
	begin, last time.Time
	done        int64
}

const (
	redrawPace = 100 * time.Millisecond
	barWidth   = 24

	// LinePace is the time between two lines if the screen is not a terminal.
	LinePace = 10 * time.Second
)

// NewProgress returns a progress that counts to total. If the screen is not a terminal, it prints only if lines is
// true.
func NewProgress(s *Screen, now func() time.Time, what string, total int64, lines bool) *Progress {
	p := &Progress{screen: s, now: now, what: what, total: total, begin: now()}
	p.last = p.begin
	switch {
	case s.Cursor:
		p.pace = redrawPace
	case lines, s.Terminal:
		p.pace = LinePace
	}
	return p
}

// Add counts n more.
func (p *Progress) Add(n int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.done += int64(n)
	now := p.now()
	if p.pace == 0 || now.Sub(p.last) < p.pace {
		return
	}
	p.last = now
	if p.screen.Cursor {
		fmt.Fprint(p.screen, "\r"+p.line(now)+"\x1b[K")
		return
	}
	fmt.Fprintln(p.screen, p.line(now))
}

// End removes the line from a terminal.
func (p *Progress) End() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.screen.Cursor {
		fmt.Fprint(p.screen, "\r\x1b[K")
	}
}

// line returns how far it is, at which rate, and how much time remains at that rate if the total is known.
func (p *Progress) line(now time.Time) string {
	rate := float64(p.done) / max(now.Sub(p.begin).Seconds(), 1e-3)
	if p.total == 0 {
		return fmt.Sprintf("%s  %s  %s/s", p.what, Grouped(p.done), Grouped(int64(rate)))
	}
	share := min(float64(p.done)/float64(p.total), 1)
	filled := int(share * barWidth)
	text := fmt.Sprintf("%s  [%s%s]  %s/%s  %d%%  %s/s", p.what, strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled),
		Grouped(p.done), Grouped(p.total), int(share*100), Grouped(int64(rate)))
	if rate > 0 {
		left := time.Duration(float64(max(p.total-p.done, 0)) / rate * float64(time.Second))
		text += "  " + left.Round(time.Second).String() + " left"
	}
	return text
}
