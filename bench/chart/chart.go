// Package chart draws ratios as an SVG that can be read on a light and on a dark page. It imports the standard library
// alone.
package chart

import (
	"bytes"
	"fmt"
	"html"
	"math"
)

// Group is bars on one scale.
type Group struct {
	Title string
	Bars  []Bar
}

// Bar is a ratio, between its quartiles.
type Bar struct {
	Name             string
	Value, Low, High float64
}

// The layout, in pixels.
const (
	width     = 860
	labelEnd  = 300
	barStart  = labelEnd + 12
	barEnd    = width - 70
	rowHeight = 22
	barHeight = 12
	titleGap  = 34
)

const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 } .value { font-variant-numeric: tabular-nums }
.bar { fill: #2f6fdb } .base { fill: #8b949e } .spread { stroke: #1f2328; stroke-width: 1.5 } .one { stroke: #8b949e; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .bar { fill: #6ea8fe } .spread { stroke: #e6edf3 } }
</style>`

// Ratios draws each group with a line at 1, which is its base.
func Ratios(groups []Group) []byte {
	height := 10
	for _, g := range groups {
		height += titleGap + len(g.Bars)*rowHeight
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n",
		width, height, width, height)
	fmt.Fprintln(&out, style)
	y := 0
	for _, g := range groups {
		y = g.draw(&out, y)
	}
	fmt.Fprintln(&out, "</svg>")
	return out.Bytes()
}

func (g Group) draw(out *bytes.Buffer, y int) int {
	most := 1.0
	for _, b := range g.Bars {
		for _, v := range []float64{b.Value, b.High} {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				most = max(most, v)
			}
		}
	}
	x := func(ratio float64) float64 { return barStart + ratio/most*(barEnd-barStart) }
	y += titleGap
	fmt.Fprintf(out, `<text class="title" x="10" y="%d">%s</text>`+"\n", y-10, html.EscapeString(g.Title))
	fmt.Fprintf(out, `<line class="one" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`+"\n", x(1), x(1), y-2, y+len(g.Bars)*rowHeight-6)
	for i, b := range g.Bars {
		class := "bar"
		if i == 0 {
			class = "base"
		}
		middle := y + barHeight/2
		fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="end">%s</text>`, labelEnd, middle+5, html.EscapeString(b.Name))
		fmt.Fprintf(out, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, class, barStart, y, x(b.Value)-barStart, barHeight)
		fmt.Fprintf(out, `<line class="spread" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`, x(b.Low), x(b.High), middle, middle)
		fmt.Fprintf(out, `<text class="value" x="%.1f" y="%d">%.2f</text>`+"\n", max(x(b.Value), x(b.High))+6, middle+5, b.Value)
		y += rowHeight
	}
	return y
}
