package measure

import (
	"math"
	"slices"
)

// Result is what a section gave, ready to be written as JSON.
type Result struct {
	Title   string   `json:"title"`
	Metrics []string `json:"metrics"`
	Rounds  int      `json:"rounds"`
	Rows    []Row    `json:"rows"`
}

// Row is one variant's figures by metric.
type Row struct {
	Name    string            `json:"name"`
	Base    string            `json:"base"` // what it is a multiple of
	Figures map[string]Figure `json:"figures"`
}

// Figure is a metric of a variant: the median of all rounds in its unit, and how many times the base it is: the median of
// the rounds' ratios and their quartiles.
type Figure struct {
	Median float64 `json:"median"`
	Ratio  float64 `json:"ratio"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

func (s Section) result(rounds map[string][]values) Result {
	result := Result{Title: s.Title, Metrics: s.Metrics, Rounds: s.Rounds}
	for _, v := range s.Variants {
		base := s.Variants[0].Name
		if other, ok := s.Bases[v.Name]; ok {
			base = other
		}
		row := Row{Name: v.Name, Base: base, Figures: map[string]Figure{}}
		for _, metric := range s.Metrics {
			row.Figures[metric] = figure(metric, rounds[v.Name], rounds[base])
		}
		result.Rows = append(result.Rows, row)
	}
	return result
}

func figure(metric string, own, base []values) Figure {
	var absolute, ratios []float64
	for i := range own {
		absolute = append(absolute, own[i][metric])
		ratios = append(ratios, own[i][metric]/base[i][metric])
	}
	absolute, ratios = sortedCopy(absolute), sortedCopy(ratios)
	return Figure{
		Median: quantile(absolute, 0.5),
		Ratio:  quantile(ratios, 0.5),
		Low:    quantile(ratios, 0.25),
		High:   quantile(ratios, 0.75),
	}
}

func sortedCopy(of []float64) []float64 {
	sorted := slices.Clone(of)
	slices.Sort(sorted)
	return sorted
}

// quantile returns the value below which a part of the sorted values is, between two of them in proportion.
func quantile(sorted []float64, part float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := part * float64(len(sorted)-1)
	below := int(at)
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[below] + (at-float64(below))*(sorted[below+1]-sorted[below])
}
