package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"organizations-api/shared/chart"
)

// coordinates are the attributes that are places, and whether along the width.
var coordinates = map[string]bool{"x": true, "x1": true, "x2": true, "y": false, "y1": false, "y2": false}

// check holds a drawing to be well-formed, to have the texts, and to stay within its
// frame.
func check(t *testing.T, drawing []byte, texts ...string) {
	t.Helper()
	var width, height float64
	inside := func(text string, horizontal bool) {
		v, err := strconv.ParseFloat(text, 64)
		limit := height
		if horizontal {
			limit = width
		}
		if err != nil || !(v >= 0 && v <= limit) {
			t.Errorf("a place is %q, want a number from 0 to %v in\n%s", text, limit, drawing)
		}
	}
	found := map[string]bool{}
	for decoder := xml.NewDecoder(bytes.NewReader(drawing)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the drawing is not well-formed: %v\n%s", err, drawing)
		}
		switch element := token.(type) {
		case xml.CharData:
			found[string(element)] = true
		case xml.StartElement:
			if element.Name.Local == "svg" {
				width, height = size(t, element)
				continue
			}
			for _, a := range element.Attr {
				if horizontal, ok := coordinates[a.Name.Local]; ok {
					inside(a.Value, horizontal)
				}
				if a.Name.Local == "points" {
					for point := range strings.FieldsSeq(a.Value) {
						x, y, _ := strings.Cut(point, ",")
						inside(x, true)
						inside(y, false)
					}
				}
			}
		}
	}
	for _, text := range texts {
		if !found[text] {
			t.Errorf("there is no text %q in\n%s", text, drawing)
		}
	}
}

func size(t *testing.T, svg xml.StartElement) (width, height float64) {
	t.Helper()
	for _, a := range svg.Attr {
		var err error
		switch a.Name.Local {
		case "width":
			width, err = strconv.ParseFloat(a.Value, 64)
		case "height":
			height, err = strconv.ParseFloat(a.Value, 64)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return width, height
}

func TestRatios(t *testing.T) {
	t.Parallel()
	check(t, chart.Ratios("Nothing", nil))
	check(t, chart.Ratios("Some", []chart.Group{
		{Title: "a < b", Bars: []chart.Bar{{"floor", 1, 1, 1}, {"a & b", 2.5, 2.25, 12}, {"less", 0.5, 0.25, 0.75}}},
		{Title: "no base", Bars: []chart.Bar{{"x", math.NaN(), math.NaN(), math.NaN()}, {"y", math.Inf(1), 1, 1}}},
	}), "a < b", "a & b", "2.50", "0.50", "no ratio")
}

func TestLines(t *testing.T) {
	t.Parallel()
	check(t, chart.Lines("Nothing", nil))
	check(t, chart.Lines("No places", []chart.Panel{{Title: "empty", Lines: []chart.Line{{Name: "a"}}}}), "empty", "a")
	for _, logarithmic := range []bool{false, true} {
		for places := 1; places <= 3; places++ {
			check(t, chart.Lines("Some", []chart.Panel{{
				Title: "a < b", Along: "places", Logarithmic: logarithmic, Places: []string{"x", "y", "z"}[:places],
				Lines: []chart.Line{
					{Name: "one", Values: []float64{0.2, 7, 40}[:places]},
					{Name: "two", Second: true, Dashed: true, Values: []float64{10, 10, 10}[:places]},
				},
			}}), "a < b", "places", "x", "one", "two")
		}
	}
}

// TestMarks: a linear scale begins at zero and ends at a round number, a logarithmic one at powers of ten.
func TestMarks(t *testing.T) {
	t.Parallel()
	panel := chart.Panel{Places: []string{"a", "b"}, Lines: []chart.Line{{Values: []float64{3, 37}}}}
	check(t, chart.Lines("Linear", []chart.Panel{panel}), "0", "25", "50")
	panel.Logarithmic = true
	check(t, chart.Lines("Logarithmic", []chart.Panel{panel}), "1", "10", "100")
}
