package growth

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// Geometry of the chart, in pixels: a panel for each engine, side by side.
const (
	panelWidth  = 340
	panelHeight = 220
	marginLeft  = 70
	marginTop   = 50
	gap         = 60
	footer      = 60
)

var chartColors = map[string]string{opGet: "#1565c0", opPatch: "#c62828"}

// Chart draws p50 (dashed) and p99 of each operation over the number of organizations, both axes logarithmic, as SVG.
func Chart(figures []Figure) string {
	var engines []string
	for _, f := range figures {
		if !slices.Contains(engines, f.Engine) {
			engines = append(engines, f.Engine)
		}
	}
	width := marginLeft + len(engines)*(panelWidth+gap)
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n",
		width, marginTop+panelHeight+footer)
	fmt.Fprintf(&out, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	fmt.Fprintf(&out, `<text x="%d" y="20" font-size="15">Latency by the number of organizations</text>`+"\n", marginLeft)
	for i, engine := range engines {
		p := newPanel(marginLeft+i*(panelWidth+gap), engine, figures)
		p.draw(&out)
	}
	out.WriteString("</svg>\n")
	return out.String()
}

// panel is the chart of one engine.
type panel struct {
	left                   int
	engine                 string
	figures                []Figure
	minX, maxX, minY, maxY float64 // powers of ten
}

func newPanel(left int, engine string, figures []Figure) panel {
	p := panel{left: left, engine: engine, minX: math.Inf(1), maxX: math.Inf(-1), minY: math.Inf(1), maxY: math.Inf(-1)}
	for _, f := range figures {
		if f.Engine != engine {
			continue
		}
		p.figures = append(p.figures, f)
		x := math.Log10(float64(f.Organizations))
		p.minX, p.maxX = min(p.minX, x), max(p.maxX, x)
		p.minY, p.maxY = min(p.minY, math.Floor(math.Log10(f.P50))), max(p.maxY, math.Ceil(math.Log10(f.P99)))
	}
	if p.maxX == p.minX {
		p.maxX++
	}
	return p
}

func (p panel) x(organizations int) float64 {
	return float64(p.left) + (math.Log10(float64(organizations))-p.minX)/(p.maxX-p.minX)*panelWidth
}

func (p panel) y(microseconds float64) float64 {
	return marginTop + panelHeight - (math.Log10(microseconds)-p.minY)/(p.maxY-p.minY)*panelHeight
}

func (p panel) draw(out *strings.Builder) {
	fmt.Fprintf(out, `<text x="%d" y="%d">%s</text>`+"\n", p.left, marginTop-10, html.EscapeString(p.engine))
	for power := p.minY; power <= p.maxY; power++ {
		y := p.y(math.Pow(10, power))
		fmt.Fprintf(out, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/>`+"\n", p.left, y, p.left+panelWidth, y)
		fmt.Fprintf(out, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", p.left-6, y+4, unit(math.Pow(10, power)))
	}
	for _, operation := range []string{opGet, opPatch} {
		var p50, p99 []string
		for _, f := range p.figures {
			if f.Operation != operation {
				continue
			}
			p50 = append(p50, fmt.Sprintf("%.1f,%.1f", p.x(f.Organizations), p.y(f.P50)))
			p99 = append(p99, fmt.Sprintf("%.1f,%.1f", p.x(f.Organizations), p.y(f.P99)))
			fmt.Fprintf(out, `<text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n",
				p.x(f.Organizations), marginTop+panelHeight+18, f.Organizations)
		}
		color := chartColors[operation]
		fmt.Fprintf(out, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2" stroke-dasharray="4 3"/>`+"\n",
			strings.Join(p50, " "), color)
		fmt.Fprintf(out, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(p99, " "), color)
	}
	fmt.Fprintf(out, `<text x="%d" y="%d"><tspan fill="%s">%s</tspan> <tspan fill="%s">%s</tspan> p99, dashed p50</text>`+"\n",
		p.left, marginTop+panelHeight+42, chartColors[opGet], opGet, chartColors[opPatch], opPatch)
}

func unit(microseconds float64) string {
	if microseconds >= 1000 {
		return fmt.Sprintf("%g ms", microseconds/1000)
	}
	return fmt.Sprintf("%g µs", microseconds)
}
