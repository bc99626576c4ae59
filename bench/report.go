package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what a run prints as a table and writes as JSON.
type report struct {
	Measured time.Time `json:"measured"`
	Go       string    `json:"go"`
	Platform string    `json:"platform"`
	CPUs     int       `json:"cpus"`
	Notes    []string  `json:"notes"` // what this machine cannot measure, and why
	Sections []result  `json:"sections"`
}

// result is what a section measured. The first row is the base of the ratios.
type result struct {
	Title   string   `json:"title"`
	Metrics []string `json:"metrics"`
	Rounds  int      `json:"rounds"`
	Rows    []row    `json:"rows"`
}

// row is one variant, with a figure for each metric.
type row struct {
	Name    string            `json:"name"`
	Figures map[string]figure `json:"figures"`
}

// figure is one metric of one variant. Median is over all rounds. The ratio to the base is calculated in each round;
// Ratio, Low and High are the median and the quartiles of these ratios.
type figure struct {
	Median float64 `json:"median"`
	Ratio  float64 `json:"ratio"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

func newFigure(metric string, own, base []values) figure {
	var absolute, ratios []float64
	for i := range own {
		absolute = append(absolute, own[i][metric])
		ratios = append(ratios, own[i][metric]/base[i][metric])
	}
	return figure{
		Median: quantile(absolute, 0.5),
		Ratio:  quantile(ratios, 0.5),
		Low:    quantile(ratios, 0.25),
		High:   quantile(ratios, 0.75),
	}
}

// quantile returns the value below which this part of the values lies. It interpolates between two neighbours. The
// values may be in any order. Without values it returns NaN.
func quantile(of []float64, part float64) float64 {
	if len(of) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(of))
	at := part * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

// print writes the sections and the bounds. A cell is the median, the ratio to the base, and the quartiles of the
// ratio.
func (r report) print(out io.Writer) {
	fmt.Fprintf(out, "%s, %s, %d CPUs. Each cell: median (ms or MB), ratio to the base, [quartiles of the ratio].\n",
		r.Go, r.Platform, r.CPUs)
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

// bound is the most that a ratio may be.
type bound struct {
	section, row, metric string
	atMost               float64
}

func bounds() []bound {
	return []bound{
		{"cold start", get, metricInit, 1.35},
		{"cold start", get, metricSize, 1.35},
		{"cold start", get, metricPeak, 1.4},
		{"warm", get, metricPeak, 1.4},
		{"warm", getNoLimits, metricP50, 2.5},
		{"warm", get, metricP50, 2.5},
		{roundTripsIn, get, metricP50, 1.25},
		{roundTripsIn, patch, metricP50, 2.3},
		{"over TLS, CPU of 128 MB after init", get, metricInitFirst, 0.25},
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

// figure returns the figure that the bound is for. It returns false if that figure was not measured.
func (r report) figure(b bound) (figure, bool) {
	for _, section := range r.Sections {
		i := slices.IndexFunc(section.Rows, func(row row) bool { return row.Name == b.row })
		if section.Title == b.section && i >= 0 {
			f, ok := section.Rows[i].Figures[b.metric]
			return f, ok
		}
	}
	return figure{}, false
}
