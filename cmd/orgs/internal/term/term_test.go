package term

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
)

func TestTable(t *testing.T) {
	t.Parallel()
	header := []string{"ID", "NAME", "CREATED", "STATE"}
	rows := [][]string{
		{"org_1", "Ünï 東京 video", "2026-11-21 20:16:37Z", "active"},
		{"org_22", "A\tB", "2026-01-02 03:04:05Z", "deleted"},
	}
	full := `
ID      NAME            CREATED               STATE
org_1   Ünï 東京 video  2026-11-21 20:16:37Z  active
org_22  A\tB            2026-01-02 03:04:05Z  deleted`
	for name, test := range map[string]struct {
		screen Screen
		want   string
	}{
		"no terminal":      {Screen{}, full},
		"just wide enough": {Screen{Width: 53}, full},
		"days alone": {Screen{Width: 52}, `
ID      NAME            CREATED     STATE
org_1   Ünï 東京 video  2026-11-21  active
org_22  A\tB            2026-01-02  deleted`},
		// One of 8 columns stays free, as the next character takes two.
		"names cut in front of a wide character": {Screen{Width: 37}, `
ID      NAME     CREATED     STATE
org_1   Ünï 東…  2026-11-21  active
org_22  A\tB     2026-01-02  deleted`},
		"blocks": {Screen{Width: 35}, `
ID       org_1
NAME     Ünï 東京 video
CREATED  2026-11-21 20:16:37Z
STATE    active

ID       org_22
NAME     A\tB
CREATED  2026-01-02 03:04:05Z
STATE    deleted`},
		"colours": {Screen{Colours: true}, "\n" +
			"\x1b[1mID\x1b[0m      \x1b[1mNAME\x1b[0m            \x1b[1mCREATED\x1b[0m               \x1b[1mSTATE\x1b[0m\n" +
			"org_1   Ünï 東京 video  2026-11-21 20:16:37Z  \x1b[32mactive\x1b[0m\n" +
			"org_22  A\\tB            2026-01-02 03:04:05Z  \x1b[31mdeleted\x1b[0m"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := test.screen.Table(header, rows)
			if diff := cmp.Diff(test.want, "\n"+got); diff != "" {
				t.Errorf("on %d columns (-want +got):\n%s", test.screen.Width, diff)
			}
			for line := range strings.SplitSeq(got, "\n") {
				if n := text.StringWidthWithoutEscSequences(line); test.screen.Width > 0 && n > test.screen.Width {
					t.Errorf("%q takes %d columns of %d", line, n, test.screen.Width)
				}
			}
		})
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 0)
	now := func() time.Time { return at }
	var out bytes.Buffer
	s := &Screen{Writer: &out, Terminal: true}
	p := NewProgress(s, now, "seeding", 4000, true)
	p.Add(10) // too soon to draw
	at = at.Add(4 * time.Second)
	p.Add(1990)
	p.End()
	want := "\rseeding  [============            ]  2,000/4,000  50%  500/s  4s left\x1b[K\r\x1b[K"
	if got := out.String(); got != want {
		t.Errorf("on a terminal: %q, want %q", got, want)
	}

	out.Reset()
	s.Terminal = false
	for _, lines := range []bool{false, true} {
		p = NewProgress(s, now, "backing up", 0, lines)
		for range 3 {
			at = at.Add(6 * time.Second)
			p.Add(6000)
		}
		p.End()
	}
	if got, want := out.String(), "backing up  12,000  1,000/s\n"; got != want {
		t.Errorf("elsewhere: %q, want %q once, of the one that writes lines", got, want)
	}
}

func TestGrouped(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -999: "-999", -1000: "-1,000"} {
		if got := Grouped(n); got != want {
			t.Errorf("Grouped(%d) = %q, want %q", n, got, want)
		}
	}
}
