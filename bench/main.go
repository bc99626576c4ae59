// Command bench measures the Lambda functions against a bare one, on this machine and without an account: the processes
// are those that would be deployed, DynamoDB is one of fixed answers. docs/performance.md says what the figures mean.
//
// Usage: bench [-json FILE] [-only TEXT] [-quick], or bench -json FILE -chart FILE to draw what was measured before.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"organizations-api/bench/measure"
	"organizations-api/shared/chart"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// report is what a run writes as JSON.
type report struct {
	Measured time.Time        `json:"measured"`
	Go       string           `json:"go"`
	Platform string           `json:"platform"`
	CPUs     int              `json:"cpus"`
	Notes    []string         `json:"notes"` // what could not be measured here, and why
	Sections []measure.Result `json:"sections"`
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	path := flags.String("json", "build/bench/bench.json", "the `file` that gets the figures")
	drawing := flags.String("chart", "", "measure nothing, and draw the figures of the other file into this `file`, an SVG")
	only := flags.String("only", "", "the `text` that must be in the title of a section; the others are left out")
	quick := flags.Bool("quick", false, "few rounds: shows that everything works, not how fast")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *drawing != "" {
		return draw(*path, *drawing)
	}
	measured, err := measureAll(ctx, *only, *quick, progress)
	if err != nil {
		return err
	}
	if err := writeFile(*path, measured.json()); err != nil {
		return err
	}
	measured.print(out)
	return nil
}

func measureAll(ctx context.Context, only string, quick bool, progress io.Writer) (report, error) {
	r := report{Measured: time.Now().UTC(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU()}
	root, err := moduleRoot(ctx)
	if err != nil {
		return r, err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	p, err := newPlan(ctx, root, dir, progress)
	if err != nil {
		return r, err
	}
	defer p.close()
	sections, notes := p.sections()
	r.Notes = notes
	for _, section := range sections {
		if !strings.Contains(section.Title, only) {
			continue
		}
		if quick {
			section.Rounds, section.Invocations = 2, min(section.Invocations, 200)
		}
		result, err := section.Run(ctx, progress)
		if err != nil {
			return r, err
		}
		r.Sections = append(r.Sections, result)
	}
	return r, nil
}

func moduleRoot(ctx context.Context) (string, error) {
	file, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("finding the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(file))), nil
}

func (r report) json() []byte {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		panic(err) // text and numbers always encode
	}
	return append(text, '\n')
}

func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

func draw(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading what was measured (make bench writes it): %w", err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("reading %s: %w", from, err)
	}
	return writeFile(to, chart.Ratios("Ratios to the floor and to other builds", r.bars()))
}
