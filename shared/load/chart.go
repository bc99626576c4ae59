package load

import (
	"strconv"

	"organizations-api/shared/chart"
)

// Chart draws throughput and latency over the number of callers, as an SVG.
func Chart(title string, steps []Step) []byte {
	values := func(of func(Step) float64) []float64 {
		var all []float64
		for _, s := range steps {
			all = append(all, of(s))
		}
		return all
	}
	var callers []string
	for _, s := range steps {
		callers = append(callers, strconv.Itoa(s.Callers))
	}
	return chart.Lines(title, []chart.Panel{
		{Title: "requests a second", Along: "callers", Places: callers, Lines: []chart.Line{
			{Name: "all", Values: values(func(s Step) float64 { return s.Throughput })},
		}},
		{Title: "milliseconds", Along: "callers", Places: callers, Lines: []chart.Line{
			{Name: "GET p50", Values: values(func(s Step) float64 { return s.Get.P50 })},
			{Name: "GET p99", Dashed: true, Values: values(func(s Step) float64 { return s.Get.P99 })},
			{Name: "PATCH p50", Second: true, Values: values(func(s Step) float64 { return s.Patch.P50 })},
			{Name: "PATCH p99", Second: true, Dashed: true, Values: values(func(s Step) float64 { return s.Patch.P99 })},
		}},
	})
}
