package term

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

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
		"days": {Screen{Width: 52}, `
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

// TestTableLeavesOut: spare columns go, in their order, before what people need becomes unreadable. A time of day
// stays.
func TestTableLeavesOut(t *testing.T) {
	t.Parallel()
	header := []string{"TIME", "NAME", "VERSION", "REQUEST"}
	rows := [][]string{{"2026-11-21 20:16:37Z", "a name of thirty-two characters", "17", "request_1"}}
	for width, want := range map[int]string{
		80: `
TIME                  NAME                             VERSION  REQUEST
2026-11-21 20:16:37Z  a name of thirty-two characters  17       request_1`,
		70: `
TIME                  NAME                          VERSION  REQUEST
2026-11-21 20:16:37Z  a name of thirty-two charac…  17       request_1`,
		64: `
TIME                  NAME                             VERSION
2026-11-21 20:16:37Z  a name of thirty-two characters  17

Not shown, as the terminal is too narrow: REQUEST`,
		50: `
TIME                  NAME
2026-11-21 20:16:37Z  a name of thirty-two charac…

Not shown, as the terminal is too narrow: REQUEST, VERSION`,
		40: `
TIME                  NAME
2026-11-21 20:16:37Z  a name of thirty-…

Not shown, as the terminal is too narrow: REQUEST, VERSION`,
	} {
		s := Screen{Width: width}
		if diff := cmp.Diff(want, "\n"+s.Table(header, rows, "REQUEST", "VERSION")); diff != "" {
			t.Errorf("on %d columns (-want +got):\n%s", width, diff)
		}
	}

	var out bytes.Buffer
	w := (&Screen{Writer: &out, Width: 30}).NewTableWriter([]string{"ID", "NAME", "VERSION"}, "VERSION")
	for _, name := range []string{"a name of twenty-seven char", "short", strings.Repeat("long ", 9)} {
		if err := w.Write([][]string{{"org_1", name, "1"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	want := `ID     NAME
org_1  a name of twenty-seven…
org_1  short
org_1  long long long long lo…

Not shown, as the terminal is too narrow: VERSION
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("in parts (-want +got):\n%s", diff)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 0)
	now := func() time.Time { return at }
	var out bytes.Buffer
	s := &Screen{Writer: &out, Terminal: true, Cursor: true}
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
	s.Cursor = false
	p = NewProgress(s, now, "backing up", 0, false)
	at = at.Add(LinePace)
	p.Add(10_000)
	p.End()
	if got, want := out.String(), "backing up  10,000  1,000/s\n"; got != want {
		t.Errorf("on a dumb terminal: %q, want %q", got, want)
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
	for n, want := range map[int64]string{0: "0 keys", 1: "1 key", 2: "2 keys", 1000: "1,000 keys"} {
		if got := Count(n, "key", "keys"); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

// TestJSONObeysNobody: no character of a text acts on a terminal, and the JSON stays what it was.
func TestJSONObeysNobody(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if utf8.ValidRune(r) {
			all.WriteRune(r)
		}
	}
	v := map[string]any{"a": all.String(), "b": json.RawMessage("[\"\u009b\u202e\",\n{}]"), "\u009b": 1}
	var out bytes.Buffer
	s := NewScreen(&out, func(string) string { return "" })
	if err := s.WriteJSON(v); err != nil {
		t.Fatal(err)
	}
	for _, r := range out.String() {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%U is in the JSON", r)
		}
	}
	var back struct {
		A string   `json:"a"`
		B []any    `json:"b"`
		C *float64 `json:"\u009b"`
	}
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back.A != all.String() || back.B[0] != "\u009b\u202e" {
		t.Errorf("the JSON is not what was written: %v", err)
	}

	out.Reset()
	slog.New(slog.NewJSONHandler(s.JSONLines(), nil)).Info("\u009b2J\u202e", "a", "\x7f\ufeff")
	if text := out.String(); strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) ||
		!json.Valid(out.Bytes()) {
		t.Errorf("a line of the log is %+q", text)
	}
	out.Reset()
	s.Report(&Failure{Failed, "a\x1b[2J\n\u202eb"}, "orgs", false)
	s.Warn(&Failure{Failed, "a\u009b\nb"}, false)
	if want := "orgs: a\\x1b[2J\n\\u202eb\norgs: a\\u009b\nb\n"; out.String() != want {
		t.Errorf("failures are %q, want %q", out.String(), want)
	}
}
