package term

import (
	"bytes"
	"fmt"

	"organizations-api/shared/plainjson"
)

// TableWriter prints a table in parts, as its rows become known. A column is as wide as its widest cell so far. The
// first rows decide which columns are left out.
type TableWriter struct {
	screen *Screen
	layout *tableLayout
}

// NewTableWriter returns the writer of a table with the header, which it prints before the first rows. spare is as in
// Table.
func (s *Screen) NewTableWriter(header []string, spare ...string) *TableWriter {
	return &TableWriter{screen: s, layout: newLayout(header, spare)}
}

// Write prints rows as Table does.
func (t *TableWriter) Write(rows [][]string) error {
	begun := t.layout.settled
	text, blocks := t.screen.part(t.layout, rows)
	if begun && blocks {
		text = "\n" + text
	}
	_, err := fmt.Fprintln(t.screen, text)
	return err
}

// End completes the table. If it has no rows, End prints its header. If columns are left out, it says so.
func (t *TableWriter) End() error {
	if !t.layout.settled {
		if err := t.Write(nil); err != nil {
			return err
		}
	}
	note := t.layout.note()
	if note == "" {
		return nil
	}
	_, err := fmt.Fprintf(t.screen, "\n%s\n", note)
	return err
}

// ListWriter prints a JSON object whose first member is a list, item by item. It looks as if WriteJSON had printed it.
type ListWriter struct {
	screen *Screen
	name   string
	begun  bool
}

// NewListWriter returns the writer of an object with a list of that name.
func (s *Screen) NewListWriter(name string) *ListWriter { return &ListWriter{screen: s, name: name} }

// Add prints one item.
func (w *ListWriter) Add(v any) error {
	text, err := plainjson.MarshalIndent(v)
	if err != nil {
		return err
	}
	before := ",\n"
	if !w.begun {
		before = fmt.Sprintf("{\n  %q: [\n", w.name)
	}
	w.begun = true
	const indent = "    "
	text = bytes.ReplaceAll(text, []byte("\n"), []byte("\n"+indent)) // a JSON string has no newline
	_, err = w.screen.Write(append([]byte(before+indent), escapeJSON(text)...))
	return err
}

// End completes the object with another member.
func (w *ListWriter) End(name string, v any) error {
	text, err := plainjson.Marshal(v)
	if err != nil {
		return err
	}
	end := "\n  ]"
	if !w.begun {
		end = fmt.Sprintf("{\n  %q: []", w.name)
	}
	_, err = fmt.Fprintf(w.screen, "%s,\n  %q: %s\n}\n", end, name, text)
	return err
}

// WriteJSONLine writes the value as JSON on one line, completely or not at all.
func (s *Screen) WriteJSONLine(v any) error {
	text, err := plainjson.Marshal(v)
	if err != nil {
		return err
	}
	_, err = s.Write(append(escapeJSON(text), '\n'))
	return err
}
