package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"organizations-api/local/lambda"
)

// The metrics. Times are in milliseconds, memory and size in MB of 2^20 bytes.
const (
	metricInit      = "init"       // from the start of the process to its first request for an event
	metricInitCPU   = "init cpu"   // CPU time until then
	metricFirst     = "first"      // from the first event to its answer
	metricInitFirst = "init+first" // the sum of both, without the time between them
	metricP50       = "p50"        // of the warm invocations
	metricP99       = "p99"
	metricCPU       = "cpu"  // CPU time of a warm invocation, on average
	metricPeak      = "peak" // highest resident memory
	metricSize      = "size" // of the binary
)

// values is what one variant gave in one round, by metric.
type values map[string]float64

// variant is a binary in one environment.
type variant struct {
	name        string
	binary      string // name
	bootstrap   string // path; fixture.build sets it
	environment map[string]string
	event       []byte
	check       func(answer []byte) error // of every answer
	share       int                       // CPU after init, as Lambda gives to a function of so many MB; 0 is all
	folder      bool                      // the function is the folder of the bootstrap, not that file alone

	// call makes what is measured in place of a process. Such a variant has the metrics of warm invocations alone.
	call func(context.Context) error
}

// section is a set of variants that are measured together. The first variant is the base of the ratios.
//
// Absolute times depend on the machine and the day. So each round measures all variants, in a new random order, and a
// ratio compares two times of the same round.
type section struct {
	title       string
	metrics     []string
	rounds      int
	invocations int // warm ones in each round; 0 stops after the first invocation
	chunk       int // invocations of a variant before the next variant's turn; 0 is a hundred
	warmUp      int // invocations that are not timed; 0 is two hundred
	variants    []variant
}

// run measures the section and writes to progress how far it is.
func (s section) run(ctx context.Context, progress io.Writer) (result, error) {
	defer fmt.Fprintln(progress)
	rounds := map[string][]values{}
	for round := range s.rounds {
		fmt.Fprintf(progress, "\r%s: round %d of %d ", s.title, round+1, s.rounds)
		measured, err := s.round(ctx)
		if err != nil {
			return result{}, err
		}
		for name, v := range measured {
			rounds[name] = append(rounds[name], v)
		}
	}
	return s.result(rounds), nil
}

// result summarizes the rounds, which are by the variant's name.
func (s section) result(rounds map[string][]values) result {
	r := result{Title: s.title, Metrics: s.metrics, Rounds: s.rounds}
	base := rounds[s.variants[0].name]
	for _, v := range s.variants {
		row := row{Name: v.name, Figures: map[string]figure{}}
		for _, metric := range s.metrics {
			row.Figures[metric] = newFigure(metric, rounds[v.name], base)
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

// round measures each variant once. Its error names the variant that failed.
func (s section) round(ctx context.Context) (map[string]values, error) {
	measured := map[string]values{}
	var running []*process
	defer func() {
		for _, p := range running {
			p.close()
		}
	}()
	for _, i := range rand.Perm(len(s.variants)) {
		p, err := start(ctx, s.variants[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.variants[i].name, err)
		}
		measured[p.variant.name] = p.values
		if s.invocations == 0 {
			p.close()
			continue
		}
		running = append(running, p)
	}
	return measured, s.warm(ctx, running)
}

// warm invokes the variants in turns, so that other work on the machine slows all of them.
func (s section) warm(ctx context.Context, running []*process) error {
	chunk := cmp.Or(s.chunk, 100)
	for done := -cmp.Or(s.warmUp, 200); done < s.invocations; done += chunk {
		rand.Shuffle(len(running), func(i, j int) { running[i], running[j] = running[j], running[i] })
		for _, p := range running {
			if err := p.invoke(ctx, chunk, done >= 0); err != nil {
				return fmt.Errorf("%s: %w", p.variant.name, err)
			}
		}
	}
	for _, p := range running {
		if err := p.finish(); err != nil {
			return fmt.Errorf("%s: %w", p.variant.name, err)
		}
	}
	return nil
}

// process is a variant's process in one round.
type process struct {
	variant variant
	sandbox *lambda.Sandbox
	quota   *quota
	values  values
	took    []float64     // milliseconds of each timed invocation
	cpu     time.Duration // of the timed invocations
}

// start starts the process and makes the first invocation, under the variant's share of the CPU.
func start(ctx context.Context, v variant) (*process, error) {
	if v.call != nil {
		return &process{variant: v, values: values{}}, nil
	}
	sandbox, err := lambda.Start(ctx, lambda.Settings{
		Bootstrap:   v.bootstrap,
		Name:        "bench",
		Region:      "eu-central-1",
		Timeout:     time.Minute,
		Credentials: lambda.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "token"},
		Variables:   v.environment,
	})
	if err != nil {
		return nil, err
	}
	p := &process{variant: v, sandbox: sandbox, values: values{}}
	if err := p.first(ctx); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *process) first(ctx context.Context) error {
	cpu, err := cpuTime(p.sandbox.PID())
	if err != nil {
		return err
	}
	if p.variant.share != 0 {
		if p.quota, err = newQuota(p.variant.share); err != nil {
			return err
		}
		if err := p.quota.add(p.sandbox.PID()); err != nil {
			return err
		}
	}
	result, err := p.send(ctx)
	if err != nil {
		return err
	}
	size, err := packageSize(p.variant)
	if err != nil {
		return err
	}
	t := result.Timing
	p.values[metricInit] = milliseconds(t.Ready.Sub(t.Spawned))
	p.values[metricInitCPU] = milliseconds(cpu)
	p.values[metricFirst] = milliseconds(t.Responded.Sub(t.Delivered))
	p.values[metricInitFirst] = p.values[metricInit] + p.values[metricFirst]
	p.values[metricSize] = megabytes(size)
	return p.peak()
}

// send makes one invocation and checks the answer.
func (p *process) send(ctx context.Context) (lambda.Result, error) {
	result, err := p.sandbox.Invoke(ctx, p.variant.event)
	if err != nil {
		return result, err
	}
	if err := p.variant.check(result.Payload); err != nil {
		return result, fmt.Errorf("the answer is wrong: %w", err)
	}
	return result, nil
}

func (p *process) invoke(ctx context.Context, times int, timed bool) error {
	if p.variant.call != nil {
		return p.makeCalls(ctx, times, timed)
	}
	before, err := cpuTime(p.sandbox.PID())
	if err != nil {
		return err
	}
	for range times {
		result, err := p.send(ctx)
		if err != nil {
			return err
		}
		if timed {
			p.took = append(p.took, milliseconds(result.Timing.Responded.Sub(result.Timing.Delivered)))
		}
	}
	after, err := cpuTime(p.sandbox.PID())
	if timed {
		p.cpu += after - before
	}
	return err
}

// makeCalls is invoke for a variant without a process.
func (p *process) makeCalls(ctx context.Context, times int, timed bool) error {
	for range times {
		began := time.Now()
		if err := p.variant.call(ctx); err != nil {
			return err
		}
		if timed {
			p.took = append(p.took, milliseconds(time.Since(began)))
		}
	}
	return nil
}

// finish calculates the metrics of the timed invocations.
func (p *process) finish() error {
	p.values[metricP50], p.values[metricP99] = quantile(p.took, 0.5), quantile(p.took, 0.99)
	if p.sandbox == nil {
		return nil
	}
	p.values[metricCPU] = milliseconds(p.cpu) / float64(len(p.took))
	return p.peak()
}

func (p *process) peak() error {
	peak, err := peakMemory(p.sandbox.PID())
	p.values[metricPeak] = megabytes(peak)
	return err
}

func (p *process) close() {
	if p.sandbox != nil {
		p.sandbox.Close()
	}
	p.quota.close()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }
