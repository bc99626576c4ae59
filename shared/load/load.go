// Package load puts the API under load and measures it: steps of a rising number of callers, each of which sends its next
// request when it has the answer to the one before (a closed loop), some of them changes. It reaches no other machine.
//
// It must import nothing but the standard library: it sees the API as any client does.
package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Plan is what to do.
type Plan struct {
	URL        string        // base URL of the API; its host must be a loopback address
	Keys       []string      // admin keys, best of one organization each: callers share them, and changes of one wait for each other
	Steps      []int         // callers at once, in each step
	Duration   time.Duration // of one step
	PatchShare int           // changes in a hundred requests, spread evenly
	PID        int           // the server's process, whose memory is measured; 0 where it is not known
}

// The bounds of a plan.
const (
	MaxCallers  = 1024
	MaxDuration = 5 * time.Minute
)

// Check says what is wrong with the plan, but for its keys: who makes them can find out first whether it is worth while.
func (p Plan) Check() error {
	u, err := url.Parse(p.URL)
	switch {
	case err != nil:
		return fmt.Errorf("the URL: %w", err)
	case u.Scheme != "http" || u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback():
		return errors.New("the URL must be http:// and of this machine: nothing else is put under load")
	case len(p.Steps) == 0 || slices.Min(p.Steps) < 1 || slices.Max(p.Steps) > MaxCallers:
		return fmt.Errorf("a step has 1 to %d callers", MaxCallers)
	case p.Duration <= 0 || p.Duration > MaxDuration:
		return fmt.Errorf("a step takes up to %v", MaxDuration)
	case p.PatchShare < 0 || p.PatchShare > 100:
		return errors.New("the share of changes is 0 to 100")
	default:
		return nil
	}
}

// Step is what was measured in one step.
type Step struct {
	Callers    int            `json:"callers"`
	Requests   int            `json:"requests"`
	Throughput float64        `json:"requests_per_second"`
	Get        Latency        `json:"get"`
	Patch      Latency        `json:"patch"`
	Statuses   map[string]int `json:"statuses"`              // by status; "none" where no answer came
	Failed     int            `json:"failed"`                // of the requests, those that were not answered with 200
	Memory     int64          `json:"memory_bytes"`          // resident, of the server and the processes that it started, after the step; 0 where unknown
	FirstError string         `json:"first_error,omitempty"` // of those without an answer
}

// Latency is the exact distribution of the times of all requests of a kind, in milliseconds; zero where there were none.
type Latency struct {
	Requests int     `json:"requests"`
	P50      float64 `json:"p50_ms"`
	P90      float64 `json:"p90_ms"`
	P99      float64 `json:"p99_ms"`
	P999     float64 `json:"p999_ms"`
	Max      float64 `json:"max_ms"`
}

// Run makes the steps, one after the other, and tells each to done. It ends early when ctx is done. A plan that Check
// refuses, or without a key, it does not begin.
func Run(ctx context.Context, p Plan, done func(Step)) error {
	if err := p.Check(); err != nil {
		return err
	}
	if len(p.Keys) == 0 {
		return errors.New("there is no key")
	}
	most := slices.Max(p.Steps)
	client := &http.Client{
		Transport:     &http.Transport{Proxy: nil, MaxIdleConns: most, MaxIdleConnsPerHost: most},
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	for _, callers := range p.Steps {
		step, err := p.step(ctx, client, callers)
		if err != nil {
			return err
		}
		done(step)
	}
	return nil
}

// latencyOf returns the distribution of the times.
func latencyOf(times []time.Duration) Latency {
	if len(times) == 0 {
		return Latency{}
	}
	slices.Sort(times)
	at := func(perMille int) float64 { return float64(Quantile(times, perMille)) / float64(time.Millisecond) }
	return Latency{Requests: len(times), P50: at(500), P90: at(900), P99: at(990), P999: at(999), Max: at(1000)}
}

// Quantile returns the nearest rank: the least of the times that so many in a thousand of them do not exceed. There must be
// one at least, and they must be in order.
func Quantile(sorted []time.Duration, perMille int) time.Duration {
	rank := (len(sorted)*perMille + 999) / 1000
	return sorted[max(rank, 1)-1]
}
