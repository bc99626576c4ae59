package term

import (
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// timeLayout is how people are shown a time.
const timeLayout = "2006-01-02 15:04:05Z"

// None stands in the place of a value that is not set.
const None = "-"

// Time returns the time in UTC, or None for nil.
func Time(t *time.Time) string {
	if t == nil {
		return None
	}
	return t.UTC().Format(timeLayout)
}

const columnGap = "  "

// Table returns aligned columns below a header. If a terminal is too narrow for them, times become days, and the columns
// NAME and CHANGES lose their ends. If that is not enough, each row becomes a block of names and values. Identifiers are
// never cut.
func (s *Screen) Table(header []string, rows [][]string) string {
	text, _ := s.part(header, rows, make([]int, len(header)), false)
	return text
}

// part returns rows of a table below its header, or without it if headless is set. widths are the least widths of the
// columns, and become those that the part has. blocks is true if each row became a block.
func (s *Screen) part(header []string, rows [][]string, widths []int, headless bool) (text string, blocks bool) {
	full := each(append([][]string{header}, rows...), Printable)
	if s.missing(full, widths) <= 0 {
		return s.columns(full, widths, headless), false
	}
	short := each(full, day)
	for i, title := range header {
		if title == "NAME" || title == "CHANGES" {
			cut(short, i, s.missing(short, widths))
		}
	}
	if s.missing(short, widths) <= 0 {
		return s.columns(short, widths, headless), false
	}
	all := make([]string, 0, len(rows))
	for _, row := range rows {
		pairs := make([][2]string, 0, len(row))
		for i, cell := range row {
			pairs = append(pairs, [2]string{header[i], cell})
		}
		all = append(all, s.Pairs(pairs))
	}
	return strings.Join(all, "\n\n"), true
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

// cut makes a column narrower by so many columns of the screen, but leaves some of each cell.
func cut(cells [][]string, column, by int) {
	const shortest = 8
	width := max(widest(cells, column)-max(by, 0), shortest)
	for _, row := range cells {
		row[column] = text.Snip(row[column], width, "…")
	}
}

// columns returns aligned columns, without the first of the cells if headless is set. widths are as in part.
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
