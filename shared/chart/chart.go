// Package chart draws what was measured, as an SVG that can be read on a light and on a dark page. It imports the standard
// library alone.
package chart

import (
	"bytes"
	"fmt"
	"html"
)

// style names colours by what they are for, so that both themes have all of them.
const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 } .value { font-variant-numeric: tabular-nums }
.bar { fill: #2f6fdb } .base { fill: #8b949e } .spread { stroke: #1f2328; stroke-width: 1.5 } .one { stroke: #8b949e; stroke-dasharray: 3 3 }
.grid { stroke: #8b949e; stroke-opacity: .25 } polyline { fill: none; stroke-width: 2 }
.first { stroke: #2f6fdb } .second { stroke: #bf5f00 } .dashed { stroke-dasharray: 5 4 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .bar { fill: #6ea8fe } .spread { stroke: #e6edf3 } .first { stroke: #6ea8fe } .second { stroke: #f0a35e } }
</style>`

// framed puts a drawing of that size, in pixels, into a document. The title is what a screen reader says.
func framed(title string, width, height int, draw func(out *bytes.Buffer)) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		width, height, width, height, html.EscapeString(title))
	fmt.Fprintln(&out, style)
	draw(&out)
	fmt.Fprintln(&out, "</svg>")
	return out.Bytes()
}

// anchored are the places of a text relative to its point.
const (
	before = "end"
	around = "middle"
	after  = "start"
)

func write(out *bytes.Buffer, x, y float64, anchor, class, text string) {
	fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`+"\n", x, y, anchor, class, html.EscapeString(text))
}

func rule(out *bytes.Buffer, class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(out, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, x1, y1, x2, y2)
}
