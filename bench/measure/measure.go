// Package measure times Lambda functions as processes: from the start to the first request for an event, the first
// invocation, thousands of warm ones, and the memory that they take. Absolute times are those of one machine on one day;
// what counts is the ratio to a base that was measured in the same round.
//
// So every round goes through all variants, in a new random order each time, and a figure is the median of the rounds'
// ratios, between their quartiles. It runs on Linux, and it must import nothing of the service.
package measure

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"organizations-api/local/lambda"
)

// Variant is a binary in one setting.
type Variant struct {
	Name      string
	Binary    string            // path of the bootstrap
	Variables map[string]string // of its environment
	Event     []byte
	Check     func(answer []byte) error // of every answer
	Share     int                       // after init, the CPU that Lambda gives to so many MB; 0 is all there is
}

// Metrics are the figures of a section, in their order. Times are in milliseconds, memory is in MB of 2^20 bytes.
const (
	Init      = "init"       // from the start to the first request for an event
	InitCPU   = "init cpu"   // CPU time until then
	First     = "first"      // from the event to the answer, the first time
	InitFirst = "init+first" // their sum, without what passed between them
	P50       = "p50"        // of the warm invocations
	P99       = "p99"
	CPU       = "cpu"  // CPU time of a warm invocation, on average
	Peak      = "peak" // the most memory that was resident
	Size      = "size" // of the binary
)

// values is what one variant gave in one round, by metric.
type values map[string]float64

// Section is a set of variants that are measured together.
type Section struct {
	Title    string
	Metrics  []string
	Rounds   int
	Variants []Variant         // the first is the base
	Bases    map[string]string // of the variants that have another base than the first
	// Invocations are the warm ones of each round; 0 leaves it at the first.
	Invocations int
}

// chunk is how many invocations a variant has before it is another's turn.
const chunk = 100

// warmUp is how many invocations are not timed.
const warmUp = 200

// Run measures the section and says to progress how far it is.
func (s Section) Run(ctx context.Context, progress io.Writer) (Result, error) {
	rounds := map[string][]values{}
	for round := range s.Rounds {
		fmt.Fprintf(progress, "\r%s: round %d of %d ", s.Title, round+1, s.Rounds)
		measured, err := s.round(ctx)
		if err != nil {
			fmt.Fprintln(progress)
			return Result{}, fmt.Errorf("measuring %s: %w", s.Title, err)
		}
		for name, v := range measured {
			rounds[name] = append(rounds[name], v)
		}
	}
	fmt.Fprintln(progress)
	return s.result(rounds), nil
}

func (s Section) round(ctx context.Context) (map[string]values, error) {
	order := rand.Perm(len(s.Variants))
	measured := map[string]values{}
	var running []*run
	defer func() {
		for _, r := range running {
			r.close()
		}
	}()
	for _, i := range order {
		r, err := start(ctx, s.Variants[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Variants[i].Name, err)
		}
		measured[r.variant.Name] = r.values
		if s.Invocations == 0 {
			r.close()
			continue
		}
		running = append(running, r)
	}
	return measured, s.warm(ctx, running)
}

// warm lets the variants take turns, so that whatever else the machine does falls on all of them.
func (s Section) warm(ctx context.Context, running []*run) error {
	for done := -warmUp; done < s.Invocations; done += chunk {
		rand.Shuffle(len(running), func(i, j int) { running[i], running[j] = running[j], running[i] })
		for _, r := range running {
			if err := r.invoke(ctx, chunk, done >= 0); err != nil {
				return fmt.Errorf("%s: %w", r.variant.Name, err)
			}
		}
	}
	for _, r := range running {
		if err := r.finish(); err != nil {
			return fmt.Errorf("%s: %w", r.variant.Name, err)
		}
	}
	return nil
}

// run is a variant's process in a round.
type run struct {
	variant Variant
	sandbox *lambda.Sandbox
	quota   *quota
	values  values
	took    []float64
	cpu     time.Duration // of the invocations in took
}

// start starts the process, and gives it the first event under its share of the CPU.
func start(ctx context.Context, v Variant) (*run, error) {
	sandbox, err := lambda.Start(ctx, lambda.Settings{
		Bootstrap:   v.Binary,
		Name:        "bench",
		Region:      "eu-central-1",
		Timeout:     time.Minute,
		Credentials: lambda.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "token"},
		Variables:   v.Variables,
	})
	if err != nil {
		return nil, err
	}
	r := &run{variant: v, sandbox: sandbox, values: values{}}
	if err := r.first(ctx); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *run) first(ctx context.Context) error {
	cpu, err := cpuTime(r.sandbox.PID())
	if err != nil {
		return err
	}
	if r.variant.Share != 0 {
		if r.quota, err = newQuota(r.variant.Share); err != nil {
			return err
		}
		if err := r.quota.add(r.sandbox.PID()); err != nil {
			return err
		}
	}
	result, err := r.send(ctx)
	if err != nil {
		return err
	}
	t := result.Timing
	r.values[Init] = milliseconds(t.Ready.Sub(t.Spawned))
	r.values[InitCPU] = milliseconds(cpu)
	r.values[First] = milliseconds(t.Responded.Sub(t.Delivered))
	r.values[InitFirst] = r.values[Init] + r.values[First]
	info, err := os.Stat(r.variant.Binary)
	if err != nil {
		return err
	}
	r.values[Size] = megabytes(info.Size())
	return r.peak()
}

// send gives the event to the process once and checks the answer.
func (r *run) send(ctx context.Context) (lambda.Result, error) {
	result, err := r.sandbox.Invoke(ctx, r.variant.Event)
	if err != nil {
		return result, err
	}
	if err := r.variant.Check(result.Payload); err != nil {
		return result, fmt.Errorf("the answer is wrong: %w", err)
	}
	return result, nil
}

func (r *run) invoke(ctx context.Context, times int, timed bool) error {
	before, err := cpuTime(r.sandbox.PID())
	if err != nil {
		return err
	}
	for range times {
		result, err := r.send(ctx)
		if err != nil {
			return err
		}
		if timed {
			r.took = append(r.took, milliseconds(result.Timing.Responded.Sub(result.Timing.Delivered)))
		}
	}
	after, err := cpuTime(r.sandbox.PID())
	if timed {
		r.cpu += after - before
	}
	return err
}

// finish sums the warm invocations up.
func (r *run) finish() error {
	sorted := sortedCopy(r.took)
	r.values[P50], r.values[P99] = quantile(sorted, 0.5), quantile(sorted, 0.99)
	r.values[CPU] = milliseconds(r.cpu) / float64(len(r.took))
	return r.peak()
}

func (r *run) peak() error {
	peak, err := peakMemory(r.sandbox.PID())
	r.values[Peak] = megabytes(peak)
	return err
}

func (r *run) close() {
	r.sandbox.Close()
	r.quota.close()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }
