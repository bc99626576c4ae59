// Command bench measures the Lambda functions against a bare one, on this machine and without an AWS account. It runs
// the binaries that would be deployed, as processes, against a DynamoDB with fixed answers. docs/performance.md
// explains the figures. Its test TestGrowth measures how latency depends on the number of organizations.
//
// It is for measuring only, and runs on Linux. Nothing that is deployed may import it.
//
// Usage: bench [-json FILE] [-only TEXT] [-peers=false] [-quick]
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	path := flags.String("json", "build/bench/bench.json", "write the figures to this `file`")
	only := flags.String("only", "", "measure only the sections with this `text` in their title")
	quick := flags.Bool("quick", false, "make few rounds: shows that everything works, not how fast")
	peers := flags.Bool("peers", true, "measure the peers too; building them needs npm, and downloads their libraries")
	if err := flags.Parse(args); err != nil {
		return err
	}
	measured, err := measureAll(ctx, *only, *quick, *peers, progress)
	if err != nil {
		return err
	}
	if err := writeJSON(*path, measured); err != nil {
		return err
	}
	measured.print(out)
	return nil
}

func measureAll(ctx context.Context, only string, quick, peers bool, progress io.Writer) (report, error) {
	r := report{
		Measured: time.Now().UTC(), Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(),
	}
	goMod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return r, fmt.Errorf("finding the module: %w", err)
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	f, err := newFixture(ctx, filepath.Dir(strings.TrimSpace(string(goMod))), dir, peers)
	if err != nil {
		return r, err
	}
	defer f.close()
	sections, notes := f.sections()
	r.Notes = notes
	for _, s := range sections {
		if !strings.Contains(s.title, only) {
			continue
		}
		if quick {
			s.rounds, s.invocations = 2, min(s.invocations, 200)
			if s.chunk > 0 {
				s.invocations, s.warmUp = s.chunk, s.chunk
			}
		}
		if err := f.build(ctx, s.variants, progress); err != nil {
			return r, err
		}
		result, err := s.run(ctx, progress)
		if err != nil {
			return r, fmt.Errorf("measuring %s: %w", s.title, err)
		}
		r.Sections = append(r.Sections, result)
	}
	return r, nil
}

// writeJSON writes the value to a file, and creates the folder of the file.
func writeJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
