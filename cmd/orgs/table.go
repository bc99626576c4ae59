package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"
)

// table is columns of text. Cells are printable.
type table struct {
	header []string
	rows   [][]string
}

const columnGap = 2

// writeTable writes aligned columns. On a terminal that is too narrow for them, times lose their hours, then names and
// changes their ends; where that is not enough, each row becomes a block of lines. Identifiers are never cut.
func writeTable(s *screen, header []string, rows [][]string) error {
	full := table{header, make([][]string, 0, len(rows))}
	for _, row := range rows {
		cells := make([]string, 0, len(row))
		for _, cell := range row {
			cells = append(cells, printable(cell))
		}
		full.rows = append(full.rows, cells)
	}
	if s.width == 0 || full.fits(s.width) {
		return full.write(s)
	}
	short := full.withDays()
	short.cut(s.width)
	if short.fits(s.width) {
		return short.write(s)
	}
	return full.writeBlocks(s)
}

func (t table) fits(columns int) bool {
	total := columnGap * (len(t.header) - 1)
	for _, w := range t.widths() {
		total += w
	}
	return total <= columns
}

// widths returns what each column takes on a screen.
func (t table) widths() []int {
	widths := make([]int, len(t.header))
	for _, row := range append([][]string{t.header}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], columnsOf(cell))
		}
	}
	return widths
}

func (t table) write(s *screen) error {
	var out strings.Builder
	widths := t.widths()
	line := func(cells []string, how func(cell string) style) {
		for i, cell := range cells {
			out.WriteString(s.paint(how(cell), cell))
			if i < len(cells)-1 {
				out.WriteString(strings.Repeat(" ", widths[i]-columnsOf(cell)+columnGap))
			}
		}
		out.WriteByte('\n')
	}
	line(t.header, func(string) style { return bold })
	for _, row := range t.rows {
		line(row, styleOf)
	}
	_, err := s.Write([]byte(out.String()))
	return err
}

// writeBlocks writes every row as a block of names and values.
func (t table) writeBlocks(s *screen) error {
	for i, row := range t.rows {
		pairs := make([][2]string, 0, len(row))
		for j, cell := range row {
			pairs = append(pairs, [2]string{t.header[j], cell})
		}
		if i > 0 {
			if err := writeLine(s, ""); err != nil {
				return err
			}
		}
		if err := writePrintable(s, pairs); err != nil {
			return err
		}
	}
	return nil
}

// withDays returns the table with the day alone of every time.
func (t table) withDays() table {
	short := table{t.header, make([][]string, 0, len(t.rows))}
	for _, row := range t.rows {
		cells := slices.Clone(row)
		for i, cell := range cells {
			if at, err := time.Parse(timeLayout, cell); err == nil {
				cells[i] = at.Format(time.DateOnly)
			}
		}
		short.rows = append(short.rows, cells)
	}
	return short
}

// cut shortens the cells that may be shortened to what the others leave them, but not to nothing.
func (t table) cut(columns int) {
	const shortest = 8
	for i, title := range t.header {
		if title != "NAME" && title != "CHANGES" {
			continue
		}
		widths := t.widths()
		room := columns - columnGap*(len(t.header)-1)
		for j, w := range widths {
			if j != i {
				room -= w
			}
		}
		for _, row := range t.rows {
			row[i] = truncate(row[i], max(room, shortest))
		}
	}
}

// truncate returns the text, or as much of its start as leaves room for the dots that stand for the rest.
func truncate(s string, columns int) string {
	if columnsOf(s) <= columns {
		return s
	}
	const dots = "…"
	used, end := columnsOf(dots), 0
	for i, r := range s {
		if used += runeColumns(r); used > columns {
			break
		}
		end = i + len(string(r))
	}
	return s[:end] + dots
}

// columnsOf returns how many columns of a terminal the text takes.
func columnsOf(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// runeColumns is 2 for what East Asian fonts and emoji make wide (Unicode Standard Annex 11), and 0 for marks that go on
// the character before.
func runeColumns(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// writePairs writes names and values, aligned.
func writePairs(s *screen, pairs [][2]string) error {
	safe := make([][2]string, 0, len(pairs))
	for _, pair := range pairs {
		safe = append(safe, [2]string{pair[0], printable(pair[1])})
	}
	return writePrintable(s, safe)
}

func writePrintable(s *screen, pairs [][2]string) error {
	longest := 0
	for _, pair := range pairs {
		longest = max(longest, len(pair[0]))
	}
	var out strings.Builder
	for _, pair := range pairs {
		name := fmt.Sprintf("%-*s", longest+columnGap, pair[0])
		fmt.Fprintf(&out, "%s%s\n", s.paint(bold, name), s.paint(styleOf(pair[1]), pair[1]))
	}
	_, err := s.Write([]byte(out.String()))
	return err
}
