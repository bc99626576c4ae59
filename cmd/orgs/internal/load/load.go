// Package load puts the API under load with vegeta and measures the answers. It sends GET and PATCH requests in
// steps: at a constant rate, or as fast as a number of workers get their answers. It only reaches this machine.
//
// It must import nothing of the service: it sees the API as any client does.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"github.com/tsenart/vegeta/v12/lib/plot"
)

// Plan says where to send requests, how fast, and for how long.
type Plan struct {
	URL        string        // base URL of the API; its host must be a loopback address
	Keys       []string      // admin keys, which requests use in turn
	Paces      []Pace        // one for each step
	Duration   time.Duration // of one step
	PatchShare int           // PATCH requests in a hundred requests, spread evenly
	PID        int           // process of the server, to measure its memory; 0 if unknown
}

// Pace says how fast a step sends requests.
//
// With a rate, each request is sent when it is due, whether or not earlier ones were answered (an open loop). So a
// slow answer delays no later request, and the latencies include all of the waiting. Without a rate, each worker
// sends its next request when it has an answer (a closed loop), which shows the highest throughput.
type Pace struct {
	Workers int `json:"workers"` // requests in flight at most
	Rate    int `json:"rate"`    // requests per second; 0 is as fast as possible
}

func (p Pace) name() string {
	if p.Rate > 0 {
		return fmt.Sprintf("%d a second", p.Rate)
	}
	return fmt.Sprintf("%d workers", p.Workers)
}

// The bounds of a plan.
const (
	MaxWorkers  = 1024
	MaxRate     = 100_000
	MaxDuration = 5 * time.Minute
)

const (
	requestTimeout = time.Minute // for one request, with its whole answer
	maxErrors      = 10          // in the metrics; texts with port numbers differ for each connection
)

// Check returns an error if the plan cannot be carried out. It does not look at the keys, so you can call it before
// you create them.
func (p Plan) Check() error {
	u, err := url.Parse(p.URL)
	switch {
	case err != nil:
		return fmt.Errorf("the URL: %w", err)
	case u.Scheme != "http" || u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback():
		return errors.New("the URL must be http:// and of this machine: nothing else is put under load")
	case len(p.Paces) == 0:
		return errors.New("there are no steps")
	case p.Duration <= 0 || p.Duration > MaxDuration:
		return fmt.Errorf("a step takes up to %v", MaxDuration)
	case p.PatchShare < 0 || p.PatchShare > 100:
		return errors.New("the share of changes is 0 to 100")
	}
	for _, pace := range p.Paces {
		if pace.Workers < 1 || pace.Workers > MaxWorkers {
			return fmt.Errorf("a step has 1 to %d workers", MaxWorkers)
		}
		if pace.Rate < 0 || pace.Rate > MaxRate {
			return fmt.Errorf("a rate is at most %d requests per second", MaxRate)
		}
	}
	return nil
}

// Report is what was measured in all steps.
type Report struct {
	Steps []Step `json:"steps"`

	plot *plot.Plot
}

// Step is what was measured in one step. The JSON of the metrics is vegeta's, with durations in nanoseconds.
type Step struct {
	Pace
	All    vegeta.Metrics `json:"all"`
	Get    vegeta.Metrics `json:"get"`
	Patch  vegeta.Metrics `json:"patch"`
	Memory int64          `json:"memory_bytes"` // resident memory of the server and its children; 0 if unknown
}

// Failed returns how many requests were not answered with 200.
func (s Step) Failed() int { return int(s.All.Requests) - s.All.StatusCodes["200"] }

// WritePlot writes an HTML page that shows the latency of the requests over time, with a line for each step and
// method.
func (r Report) WritePlot(w io.Writer) error {
	_, err := r.plot.WriteTo(w)
	return err
}

// Run carries out the steps one after the other, and calls done after each. It returns early, with the cause, when
// ctx is done. It returns an error without sending anything if Check refuses the plan or there are no keys.
func Run(ctx context.Context, p Plan, done func()) (Report, error) {
	if err := p.Check(); err != nil {
		return Report{}, err
	}
	if len(p.Keys) == 0 {
		return Report{}, errors.New("there is no key")
	}
	const pointsPerLine = 4000
	report := Report{plot: plot.New(plot.Title("orgs load"), plot.Downsample(pointsPerLine), plot.Label(label))}
	connected, disconnect := context.WithCancel(ctx)
	defer disconnect()
	client := newClient(connected)
	for _, pace := range p.Paces {
		step, err := p.attack(ctx, client, pace, report.plot)
		if err != nil {
			return Report{}, err
		}
		report.Steps = append(report.Steps, step)
		done()
	}
	report.plot.Close()
	return report, nil
}

func label(r *vegeta.Result) string {
	if r.Error != "" {
		return r.Method + " ERROR" // vegeta draws labels with this word in red
	}
	return r.Method
}

// newClient returns a client whose connections are closed when ctx is done. vegeta does not cancel requests in
// flight.
func newClient(ctx context.Context) *http.Client {
	dial := func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(dialing, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = conn.Close() })
		}
		return conn, err
	}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dial, MaxIdleConnsPerHost: MaxWorkers},
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// attack carries out one step. It waits for the requests that are in flight at the end of the step.
func (p Plan) attack(ctx context.Context, client *http.Client, pace Pace, drawing *plot.Plot) (Step, error) {
	attacker := vegeta.NewAttacker(vegeta.Client(client), vegeta.MaxWorkers(uint64(pace.Workers)))
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	step := Step{Pace: pace}
	rate := vegeta.ConstantPacer{Freq: pace.Rate, Per: time.Second}
	var err error
	for result := range attacker.Attack(p.targeter(), rate, p.Duration, pace.name()) {
		step.All.Add(result)
		if result.Method == http.MethodPatch {
			step.Patch.Add(result)
		} else {
			step.Get.Add(result)
		}
		if err == nil {
			err = drawing.Add(result)
		}
	}
	if ctx.Err() != nil {
		return Step{}, context.Cause(ctx)
	}
	for _, metrics := range []*vegeta.Metrics{&step.All, &step.Get, &step.Patch} {
		metrics.Close()
		metrics.Errors = metrics.Errors[:min(len(metrics.Errors), maxErrors)]
	}
	if p.PID != 0 && err == nil {
		step.Memory, err = memoryOf(p.PID)
	}
	return step, err
}

// targeter returns the source of the requests. GET and PATCH requests each take the keys in turn, so that two changes
// of one organization seldom meet.
func (p Plan) targeter() vegeta.Targeter {
	address := p.address()
	var sent atomic.Int64
	return func(t *vegeta.Target) error {
		n := int(sent.Add(1))
		patches := n * p.PatchShare / 100
		isPatch := patches > (n-1)*p.PatchShare/100
		turn := n - patches
		t.Method, t.URL, t.Header = http.MethodGet, address, http.Header{}
		if isPatch {
			turn = patches
			t.Method = http.MethodPatch
			t.Header.Set("Content-Type", "application/json")
			// Every name is new, because a PATCH that changes nothing costs less.
			t.Body = fmt.Appendf(nil, `{"organization_name":"Load %d-%d"}`, n, time.Now().UnixNano())
		}
		t.Header.Set("Authorization", "Bearer "+p.Keys[turn%len(p.Keys)])
		return nil
	}
}
