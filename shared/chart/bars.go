package chart

import (
	"bytes"
	"fmt"
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

// The layout of bars, in pixels.
const (
	barsWidth = 860
	labelEnd  = 300
	barStart  = labelEnd + 12
	barEnd    = barsWidth - 70
	rowHeight = 22
	barHeight = 12
	titleGap  = 34
)

// Ratios draws each group with a line at 1, which is its base: the first bar.
func Ratios(title string, groups []Group) []byte {
	height := 10
	for _, g := range groups {
		height += titleGap + len(g.Bars)*rowHeight
	}
	return framed(title, barsWidth, height, func(out *bytes.Buffer) {
		top := 0
		for _, g := range groups {
			g.draw(out, top)
			top += titleGap + len(g.Bars)*rowHeight
		}
	})
}

func (g Group) draw(out *bytes.Buffer, top int) {
	most := g.most()
	x := func(ratio float64) float64 { return barStart + ratio/most*(barEnd-barStart) }
	y := float64(top + titleGap)
	write(out, 10, y-10, after, "title", g.Title)
	rule(out, "one", x(1), y-2, x(1), y+float64(len(g.Bars)*rowHeight)-6)
	for i, b := range g.Bars {
		const middle = barHeight / 2
		write(out, labelEnd, y+middle+5, before, "", b.Name)
		if !b.measured() {
			write(out, barStart, y+middle+5, after, "", "no ratio")
			y += rowHeight
			continue
		}
		class := "bar"
		if i == 0 {
			class = "base"
		}
		fmt.Fprintf(out, `<rect class="%s" x="%d" y="%.1f" width="%.1f" height="%d" rx="2"/>`+"\n", class, barStart, y, x(b.Value)-barStart, barHeight)
		rule(out, "spread", x(b.Low), y+middle, x(b.High), y+middle)
		write(out, max(x(b.Value), x(b.High))+6, y+middle+5, after, "value", fmt.Sprintf("%.2f", b.Value))
		y += rowHeight
	}
}

// most is the end of the scale.
func (g Group) most() float64 {
	most := 1.0
	for _, b := range g.Bars {
		if b.measured() {
			most = max(most, b.Value, b.High)
		}
	}
	return most
}

// measured reports whether there is something to draw: a base of zero has no ratios.
func (b Bar) measured() bool {
	sum := b.Value + b.Low + b.High
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}
