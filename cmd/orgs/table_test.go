package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteTable(t *testing.T) {
	t.Parallel()
	header := []string{"ID", "NAME", "CREATED", "STATE"}
	rows := [][]string{
		{"org_1", "Ünï 東京 video", "2026-11-21 20:16:37Z", "active"},
		{"org_22", "A\tB", "2026-01-02 03:04:05Z", "deleted"},
	}
	tests := []struct {
		name   string
		screen screen
		want   string
	}{
		{"no terminal", screen{}, `
ID      NAME            CREATED               STATE
org_1   Ünï 東京 video  2026-11-21 20:16:37Z  active
org_22  A\tB            2026-01-02 03:04:05Z  deleted
`},
		{"just wide enough", screen{width: 53}, `
ID      NAME            CREATED               STATE
org_1   Ünï 東京 video  2026-11-21 20:16:37Z  active
org_22  A\tB            2026-01-02 03:04:05Z  deleted
`},
		{"days alone", screen{width: 52}, `
ID      NAME            CREATED     STATE
org_1   Ünï 東京 video  2026-11-21  active
org_22  A\tB            2026-01-02  deleted
`},
		{"names cut", screen{width: 39}, `
ID      NAME        CREATED     STATE
org_1   Ünï 東京 …  2026-11-21  active
org_22  A\tB        2026-01-02  deleted
`},
		// Of 8 columns one is left: the next character takes two.
		{"names cut in front of a wide character", screen{width: 37}, `
ID      NAME     CREATED     STATE
org_1   Ünï 東…  2026-11-21  active
org_22  A\tB     2026-01-02  deleted
`},
		{"blocks", screen{width: 35}, `
ID       org_1
NAME     Ünï 東京 video
CREATED  2026-11-21 20:16:37Z
STATE    active

ID       org_22
NAME     A\tB
CREATED  2026-01-02 03:04:05Z
STATE    deleted
`},
		{"colours", screen{colours: true}, "\n" +
			"\x1b[1mID\x1b[0m      \x1b[1mNAME\x1b[0m            \x1b[1mCREATED\x1b[0m               \x1b[1mSTATE\x1b[0m\n" +
			"org_1   Ünï 東京 video  2026-11-21 20:16:37Z  \x1b[32mactive\x1b[0m\n" +
			"org_22  A\\tB            2026-01-02 03:04:05Z  \x1b[31mdeleted\x1b[0m\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			s := test.screen
			s.Writer = &out
			if err := writeTable(&s, header, rows); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, "\n"+out.String()); diff != "" {
				t.Errorf("on %d columns (-want +got):\n%s", s.width, diff)
			}
			for line := range strings.Lines(out.String()) {
				if n := columnsOf(strings.TrimSuffix(line, "\n")); s.width > 0 && n > s.width {
					t.Errorf("%q takes %d columns of %d", line, n, s.width)
				}
			}
		})
	}
}

func TestColumnsOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want int
	}{
		{"", 0}, {"abc", 3}, {"é", 1}, {"e\u0301", 1}, {"東京", 4}, {"ｆｕｌｌ", 8}, {"ﾊﾝｶｸ", 4}, {"🎬 x", 4}, {"…", 1}, {"한국", 4},
	}
	for _, test := range tests {
		if got := columnsOf(test.text); got != test.want {
			t.Errorf("columnsOf(%q) = %d, want %d", test.text, got, test.want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"name", "name", 0}, {"nmae", "name", 2}, {"tiers", "tier", 1}, {"teir", "tier", 2}, {"a", "b", 1}}
	for _, test := range tests {
		if got, back := distance(test.a, test.b), distance(test.b, test.a); got != test.want || back != test.want {
			t.Errorf("distance(%q, %q) = %d, and %d the other way, want %d", test.a, test.b, got, back, test.want)
		}
	}
}
