package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"organizations-api/bench/measure"
	"organizations-api/shared/chart"
)

// print writes all sections as one table. A cell is the median, and the ratio to the base with its quartiles.
func (r report) print(out io.Writer) {
	fmt.Fprintf(out, "%s, %s, %d CPUs. Each cell: median (ms or MB), ratio to the base, [quartiles of the ratio].\n", r.Go, r.Platform, r.CPUs)
	for _, note := range r.Notes {
		fmt.Fprintf(out, "Note: %s.\n", note)
	}
	for _, section := range r.Sections {
		fmt.Fprintf(out, "\n%s (%d rounds; base: %s)\n", strings.ToUpper(section.Title), section.Rounds, section.Rows[0].Name)
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintf(table, "\t%s\n", strings.Join(section.Metrics, "\t"))
		for _, row := range section.Rows {
			fmt.Fprint(table, row.Name)
			for _, metric := range section.Metrics {
				f := row.Figures[metric]
				fmt.Fprintf(table, "\t%.2f  %.2f [%.2f %.2f]", f.Median, f.Ratio, f.Low, f.High)
			}
			fmt.Fprintln(table)
		}
		_ = table.Flush() // to a terminal or a buffer
	}
	r.printBounds(out)
}

// bound is a ratio that a figure must not exceed.
type bound struct {
	section, row, metric string
	atMost               float64
}

func bounds() []bound {
	return []bound{
		{"cold start", get, measure.Init, 1.35},
		{"cold start", get, measure.Size, 1.35},
		{"cold start", get, measure.Peak, 1.4},
		{"warm", get, measure.Peak, 1.4},
		{"warm", "get, no rate limits", measure.P50, 2.5},
		{"warm", get, measure.P50, 2.5},
		{"over TLS, CPU of 128 MB after init", get, measure.InitFirst, 0.25},
	}
}

func (r report) printBounds(out io.Writer) {
	fmt.Fprintln(out, "\nBOUNDS")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, b := range bounds() {
		verdict := "not measured"
		if f, ok := r.figure(b); ok {
			verdict = fmt.Sprintf("%.2f\tmet", f.Ratio)
			if f.Ratio > b.atMost {
				verdict = fmt.Sprintf("%.2f\tNOT MET", f.Ratio)
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\tat most %.2f\t%s\n", b.section, b.row, b.metric, b.atMost, verdict)
	}
	_ = table.Flush()
}

func (r report) figure(b bound) (measure.Figure, bool) {
	for _, section := range r.Sections {
		i := slices.IndexFunc(section.Rows, func(row measure.Row) bool { return row.Name == b.row })
		if section.Title == b.section && i >= 0 {
			f, ok := section.Rows[i].Figures[b.metric]
			return f, ok
		}
	}
	return measure.Figure{}, false
}

// bars are the ratios as they are drawn.
func (r report) bars() []chart.Group {
	var groups []chart.Group
	for _, section := range r.Sections {
		for _, metric := range section.Metrics {
			group := chart.Group{Title: section.Title + ": " + metric}
			for _, row := range section.Rows {
				f := row.Figures[metric]
				group.Bars = append(group.Bars, chart.Bar{Name: row.Name, Value: f.Ratio, Low: f.Low, High: f.High})
			}
			groups = append(groups, group)
		}
	}
	return groups
}
