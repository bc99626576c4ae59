package term

import (
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// timeLayout is the format of times for people.
const timeLayout = "2006-01-02 15:04:05Z"

// None is shown for a value that is not set.
const None = "-"

// Time returns the time in UTC, or None for nil.
func Time(t *time.Time) string {
	if t == nil {
		return None
	}
	return t.UTC().Format(timeLayout)
}

const columnGap = "  "

// tableLayout is how a table fits on a screen.
type tableLayout struct {
	header  []string
	widths  []int // the least width of each column; 0 is as wide as its widest cell
	spare   []string
	left    []string // titles that are left out, out of spare
	settled bool     // rows were printed, so no further column can be left out
}

func newLayout(header, spare []string) *tableLayout {
	return &tableLayout{header: header, widths: make([]int, len(header)), spare: spare}
}

// note returns the line that names the columns that are left out, or "".
func (l *tableLayout) note() string {
	if len(l.left) == 0 {
		return ""
	}
	return "Not shown, as the terminal is too narrow: " + strings.Join(l.left, ", ")
}

// Table returns aligned columns below a header. If a terminal is too narrow for them, it takes these steps until the
// table fits:
//
//  1. times become days, except in the column TIME;
//  2. the columns NAME, LABEL, BILLING EMAIL and CHANGES lose the ends of long cells;
//  3. the spare columns are left out, in their order, and a line below the table names them;
//  4. the columns of step 2 become as narrow as they can be;
//  5. each row becomes a block of names and values.
//
// Identifiers are never cut.
func (s *Screen) Table(header []string, rows [][]string, spare ...string) string {
	layout := newLayout(header, spare)
	text, _ := s.part(layout, rows)
	if note := layout.note(); note != "" {
		text += "\n\n" + note
	}
	return text
}

// part returns the next rows of a table, below the header if they are the first. blocks is true if each row became a
// block.
func (s *Screen) part(l *tableLayout, rows [][]string) (text string, blocks bool) {
	headless := l.settled
	full := each(append([][]string{l.header}, rows...), Printable)
	cells, fits := s.fit(l, full)
	l.settled = true
	if fits {
		return s.columns(cells, l.widths, headless), false
	}
	l.left = nil
	all := make([]string, 0, len(rows))
	for _, row := range rows {
		pairs := make([][2]string, 0, len(row))
		for i, cell := range row {
			pairs = append(pairs, [2]string{l.header[i], cell})
		}
		all = append(all, s.Pairs(pairs))
	}
	return strings.Join(all, "\n\n"), true
}

// A column that loses the ends of its cells stays readable while other columns can be left out. Then it may become
// shortest.
const (
	readable = 24
	shortest = 8
)

// fit returns the cells as they fit on the screen, and false if they cannot.
func (s *Screen) fit(l *tableLayout, full [][]string) (cells [][]string, fits bool) {
	cells = without(full, l.left)
	if s.missing(cells, l.widths) <= 0 {
		return cells, true
	}
	short := each(full, day)
	for i, title := range l.header {
		if title == "TIME" {
			for row := range short {
				short[row][i] = full[row][i]
			}
		}
	}
	cells = s.cut(without(short, l.left), l.widths, readable)
	for _, title := range l.spare {
		if s.missing(cells, l.widths) <= 0 || l.settled {
			break
		}
		l.left = append(l.left, title)
		l.widths = make([]int, len(l.header)-len(l.left))
		cells = s.cut(without(short, l.left), l.widths, readable)
	}
	if s.missing(cells, l.widths) > 0 {
		cells = s.cut(cells, l.widths, shortest)
	}
	return cells, s.missing(cells, l.widths) <= 0
}

// without returns the cells without the columns of those titles.
func without(cells [][]string, titles []string) [][]string {
	kept := make([][]string, len(cells))
	for i, row := range cells {
		for column, cell := range row {
			if !slices.Contains(titles, cells[0][column]) {
				kept[i] = append(kept[i], cell)
			}
		}
	}
	return kept
}

// cut returns the cells with the ends of long ones cut off, as far as the table needs it and at least columns wide.
func (s *Screen) cut(cells [][]string, widths []int, least int) [][]string {
	cells = each(cells, func(cell string) string { return cell }) // a copy
	for i, title := range cells[0] {
		by := s.missing(cells, widths)
		if by <= 0 || !slices.Contains([]string{"NAME", "LABEL", "BILLING EMAIL", "CHANGES"}, title) {
			continue
		}
		width := max(widest(cells, i)-by, least)
		for _, row := range cells {
			row[i] = text.Snip(row[i], width, "…")
		}
	}
	return cells
}

// each returns what change makes of each cell.
func each(cells [][]string, change func(string) string) [][]string {
	changed := make([][]string, len(cells))
	for i, row := range cells {
		for _, cell := range row {
			changed[i] = append(changed[i], change(cell))
		}
	}
	return changed
}

// day returns the day of a time, and any other cell unchanged.
func day(cell string) string {
	if at, err := time.Parse(timeLayout, cell); err == nil {
		return at.Format(time.DateOnly)
	}
	return cell
}

// missing returns how many columns the screen would have to be wider for the table, or 0 or less if it fits. No column
// of the table is narrower than in widths.
func (s *Screen) missing(cells [][]string, widths []int) int {
	if s.Width == 0 {
		return 0
	}
	total := len(columnGap) * (len(widths) - 1)
	for i, width := range widths {
		total += max(width, widest(cells, i))
	}
	return total - s.Width
}

func widest(cells [][]string, column int) int {
	n := 0
	for _, row := range cells {
		n = max(n, text.StringWidthWithoutEscSequences(row[column]))
	}
	return n
}

// columns returns aligned columns, without the header if headless is set. widths are the least widths, and become
// those that the columns have.
func (s *Screen) columns(cells [][]string, widths []int, headless bool) string {
	t := table.NewWriter()
	configs := make([]table.ColumnConfig, 0, len(widths))
	for i := range widths {
		widths[i] = max(widths[i], widest(cells, i))
		configs = append(configs, table.ColumnConfig{Number: i + 1, WidthMin: widths[i]})
	}
	t.SetColumnConfigs(configs)
	t.SetStyle(table.Style{Box: table.BoxStyle{PaddingRight: columnGap}, Options: table.OptionsNoBordersAndSeparators})
	t.SuppressTrailingSpaces()
	for i, row := range cells {
		if i == 0 && headless {
			continue
		}
		painted := make(table.Row, 0, len(row))
		for _, cell := range row {
			if i == 0 {
				painted = append(painted, s.paint(bold, cell))
			} else {
				painted = append(painted, s.State(cell))
			}
		}
		t.AppendRow(painted)
	}
	return t.Render()
}

// Pairs returns names and values in two aligned columns.
func (s *Screen) Pairs(pairs [][2]string) string {
	longest := 0
	for _, pair := range pairs {
		longest = max(longest, len(pair[0]))
	}
	lines := make([]string, 0, len(pairs))
	for _, pair := range pairs {
		gap := strings.Repeat(" ", longest-len(pair[0])) + columnGap
		lines = append(lines, s.paint(bold, pair[0])+gap+s.State(Printable(pair[1])))
	}
	return strings.Join(lines, "\n")
}
