package load

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The layout of a chart, in pixels: two panels, one above the other.
const (
	chartWidth  = 720
	panelHeight = 220
	panelGap    = 70
	plotLeft    = 70
	plotRight   = 620
	plotTop     = 50
)

const chartStyle = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 }
.axis { stroke: #8b949e } .grid { stroke: #8b949e; stroke-opacity: .25 }
polyline { fill: none; stroke-width: 2 } .a { stroke: #2f6fdb } .b { stroke: #2f6fdb; stroke-dasharray: 5 4 } .c { stroke: #bf5f00 } .d { stroke: #bf5f00; stroke-dasharray: 5 4 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .a, .b { stroke: #6ea8fe } .c, .d { stroke: #f0a35e } }
</style>`

// series is a line of a panel.
type series struct {
	name, class string
	value       func(Step) float64
}

// Chart draws throughput and latency over the number of callers, as an SVG for light and dark pages.
func Chart(title string, steps []Step) []byte {
	var out strings.Builder
	height := plotTop + 2*(panelHeight+panelGap)
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		chartWidth, height, chartWidth, height, html.EscapeString(title))
	fmt.Fprintln(&out, chartStyle)
	fmt.Fprintf(&out, `<text class="title" x="12" y="20">%s</text>`+"\n", html.EscapeString(title))
	drawPanel(&out, plotTop, "requests a second", steps, []series{
		{"all", "a", func(s Step) float64 { return s.Throughput }},
	})
	drawPanel(&out, plotTop+panelHeight+panelGap, "milliseconds", steps, []series{
		{"GET p50", "a", func(s Step) float64 { return s.Get.P50 }},
		{"GET p99", "b", func(s Step) float64 { return s.Get.P99 }},
		{"PATCH p50", "c", func(s Step) float64 { return s.Patch.P50 }},
		{"PATCH p99", "d", func(s Step) float64 { return s.Patch.P99 }},
	})
	fmt.Fprintln(&out, "</svg>")
	return []byte(out.String())
}

// drawPanel draws the series over the steps, which are evenly spaced, from 0 to a round number.
func drawPanel(out *strings.Builder, top int, unit string, steps []Step, lines []series) {
	most := 0.0
	for _, s := range steps {
		for _, line := range lines {
			most = max(most, line.value(s))
		}
	}
	most = roundUp(most)
	y := func(v float64) float64 { return float64(top) + panelHeight*(1-v/most) }
	x := func(i int) float64 { return plotLeft + float64(i)*(plotRight-plotLeft)/max(float64(len(steps)-1), 1) }
	fmt.Fprintf(out, `<text x="12" y="%d">%s</text>`+"\n", top-10, unit)
	for _, share := range []float64{0, 0.5, 1} {
		v := most * share
		fmt.Fprintf(out, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n",
			plotLeft, plotRight, y(v), y(v), plotLeft-8, y(v)+4, v)
	}
	for i, s := range steps {
		fmt.Fprintf(out, `<text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n", x(i), top+panelHeight+18, s.Callers)
	}
	fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="middle">callers</text>`+"\n", (plotLeft+plotRight)/2, top+panelHeight+36)
	for n, line := range lines {
		fmt.Fprintf(out, `<polyline class="%s" points="`, line.class)
		for i, s := range steps {
			fmt.Fprintf(out, "%.1f,%.1f ", x(i), y(line.value(s)))
		}
		legend := top + 8 + 20*n
		fmt.Fprintf(out, `"/><polyline class="%s" points="%d,%d %d,%d"/><text x="%d" y="%d">%s</text>`+"\n",
			line.class, plotRight+10, legend, plotRight+28, legend, plotRight+34, legend+4, line.name)
	}
}

// roundUp returns the next of 1, 2, 5, 10, 20, 50 …
func roundUp(v float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 2, 5} {
		if v <= step*power {
			return step * power
		}
	}
	return 10 * power
}
