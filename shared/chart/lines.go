package chart

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Panel is lines over the same places, which are drawn evenly spaced.
type Panel struct {
	Title       string // what it shows, and the unit
	Along       string // what the places are
	Places      []string
	Logarithmic bool // from a power of ten to another; otherwise from zero to a round number
	Lines       []Line
}

// Line has a value for each place. On a logarithmic panel all of them are above zero.
type Line struct {
	Name   string
	Second bool // in the second of the two colours
	Dashed bool
	Values []float64
}

// The layout of lines, in pixels: the panels are one above the other.
const (
	linesWidth  = 760
	panelHeight = 220
	panelGap    = 76
	panelsTop   = 60
	plotLeft    = 70
	plotRight   = 620
)

// Lines draws the panels.
func Lines(title string, panels []Panel) []byte {
	height := panelsTop + len(panels)*(panelHeight+panelGap)
	return framed(title, linesWidth, height, func(out *bytes.Buffer) {
		write(out, 12, 20, after, "title", title)
		for i, p := range panels {
			p.draw(out, float64(panelsTop+i*(panelHeight+panelGap)))
		}
	})
}

func (p Panel) draw(out *bytes.Buffer, top float64) {
	s := p.scale()
	y := func(v float64) float64 { return top + panelHeight*(1-s.share(v)) }
	x := func(i int) float64 {
		return plotLeft + float64(i)*(plotRight-plotLeft)/max(float64(len(p.Places)-1), 1)
	}
	write(out, 12, top-10, after, "", p.Title)
	for _, mark := range s.marks {
		rule(out, "grid", plotLeft, y(mark), plotRight, y(mark))
		write(out, plotLeft-8, y(mark)+4, before, "value", strconv.FormatFloat(mark, 'f', -1, 64))
	}
	for i, place := range p.Places {
		write(out, x(i), top+panelHeight+18, around, "value", place)
	}
	write(out, (plotLeft+plotRight)/2, top+panelHeight+36, around, "", p.Along)
	for n, line := range p.Lines {
		var points []string
		for i, v := range line.Values {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(i), y(v)))
		}
		line.draw(out, points)
		legend := top + 8 + 20*float64(n)
		line.draw(out, []string{fmt.Sprintf("%d,%.1f", plotRight+10, legend), fmt.Sprintf("%d,%.1f", plotRight+28, legend)})
		write(out, plotRight+34, legend+4, after, "", line.Name)
	}
}

func (l Line) draw(out *bytes.Buffer, points []string) {
	class := "first"
	if l.Second {
		class = "second"
	}
	if l.Dashed {
		class += " dashed"
	}
	fmt.Fprintf(out, `<polyline class="%s" points="%s"/>`+"\n", class, strings.Join(points, " "))
}

// scale tells how high a value is, as a share of the panel, and which ones are marked.
type scale struct {
	share func(v float64) float64
	marks []float64
}

func (p Panel) scale() scale {
	least, most := math.Inf(1), 0.0
	for _, line := range p.Lines {
		for _, v := range line.Values {
			least, most = min(least, v), max(most, v)
		}
	}
	if !p.Logarithmic {
		most = roundUp(most)
		return scale{func(v float64) float64 { return v / most }, []float64{0, most / 2, most}}
	}
	low, high := math.Floor(math.Log10(least)), math.Ceil(math.Log10(most))
	if high == low {
		high++
	}
	s := scale{share: func(v float64) float64 { return (math.Log10(v) - low) / (high - low) }}
	for power := low; power <= high; power++ {
		s.marks = append(s.marks, math.Pow(10, power))
	}
	return s
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
