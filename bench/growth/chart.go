package growth

import (
	"slices"
	"strconv"

	"organizations-api/shared/chart"
)

// Chart draws p50 and p99 of each operation over the number of organizations, a panel for each engine, as an SVG.
func Chart(figures []Figure) []byte {
	var panels []chart.Panel
	for _, f := range figures {
		title := f.Engine + ", milliseconds"
		if !slices.ContainsFunc(panels, func(p chart.Panel) bool { return p.Title == title }) {
			panels = append(panels, panel(title, f.Engine, figures))
		}
	}
	return chart.Lines("Latency by the number of organizations", panels)
}

func panel(title, engine string, figures []Figure) chart.Panel {
	p := chart.Panel{Title: title, Along: "organizations", Logarithmic: true}
	for _, operation := range []string{opGet, opPatch} {
		second := operation == opPatch
		p50 := chart.Line{Name: operation + " p50", Second: second}
		p99 := chart.Line{Name: operation + " p99", Second: second, Dashed: true}
		p.Places = nil
		for _, f := range figures {
			if f.Engine == engine && f.Operation == operation {
				p.Places = append(p.Places, strconv.Itoa(f.Organizations))
				p50.Values, p99.Values = append(p50.Values, f.P50/1000), append(p99.Values, f.P99/1000)
			}
		}
		p.Lines = append(p.Lines, p50, p99)
	}
	return p
}
