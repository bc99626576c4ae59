package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMeasure goes through the whole measurement in a few rounds. That it works is checked, not how fast anything is.
func TestMeasure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	figures, drawing := filepath.Join(dir, "new", "bench.json"), filepath.Join(dir, "bench.svg")
	var out, progress bytes.Buffer
	if err := run(t.Context(), []string{"-quick", "-json", figures}, &out, &progress); err != nil {
		t.Fatalf("run = %v\n%s", err, progress.String())
	}
	text, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Sections) < 3 {
		t.Errorf("%d sections, want the cold start, the warm invocations and TLS", len(r.Sections))
	}
	checkFigures(t, r)
	for _, section := range r.Sections {
		if !strings.Contains(out.String(), strings.ToUpper(section.Title)) {
			t.Errorf("the table lacks %q:\n%s", section.Title, out.String())
		}
	}
	if err := run(t.Context(), []string{"-json", figures, "-chart", drawing}, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	checkDrawing(t, drawing, r)
}

// checkFigures wants every figure to be one, each base to be 1, and what must be larger than the floor to be it.
func checkFigures(t *testing.T, r report) {
	t.Helper()
	for _, section := range r.Sections {
		for i, row := range section.Rows {
			for _, metric := range section.Metrics {
				f, ok := row.Figures[metric]
				sound := f.Median > 0 && f.Low > 0 && f.Low <= f.Ratio && f.Ratio <= f.High && !math.IsInf(f.High, 0)
				if !ok || !sound || i == 0 && f.Ratio != 1 {
					t.Errorf("%s, %s, %s = %+v, %v", section.Title, row.Name, metric, f, ok)
				}
			}
		}
	}
	for _, b := range bounds() {
		if b.metric != "size" && b.metric != "peak" {
			continue
		}
		if f, ok := r.figure(b); !ok || f.Ratio <= 1 {
			t.Errorf("%s of %s = %+v, %v, want more than the floor's", b.metric, b.row, f, ok)
		}
	}
}

func checkDrawing(t *testing.T, path string, r report) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rectangles, bars := 0, 0
	for decoder := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the drawing is no XML: %v", err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "rect" {
			rectangles++
		}
	}
	for _, section := range r.Sections {
		bars += len(section.Rows) * len(section.Metrics)
	}
	if rectangles != bars {
		t.Errorf("%d bars are drawn, want %d", rectangles, bars)
	}
}

// TestChecks: a wrong answer stops a measurement.
func TestChecks(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{``, `{}`, `{"statusCode":500,"body":"{\"organization_name\":\"Floor\"}"}`, `{"statusCode":200,"body":"{}"}`} {
		if err := checkFloor([]byte(wrong)); err == nil {
			t.Errorf("checkFloor(%q) = nil, want an error", wrong)
		}
	}
}

func TestDrawingNeedsFigures(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none.json")
	err := run(t.Context(), []string{"-json", missing, "-chart", missing + ".svg"}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "make bench") {
		t.Errorf("run = %v, want an error that says what to do first", err)
	}
}
