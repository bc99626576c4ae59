package lambda

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"
	"syscall"
	"time"
)

// shutdownGrace is the time between SIGTERM and SIGKILL. Lambda gives this time in the shutdown phase of a function
// with extensions, and kills a function without extensions at once ("Understanding the Lambda execution environment
// lifecycle").
const shutdownGrace = 2 * time.Second

// Sandbox is one process of a function and its Runtime API. It is safe for concurrent use.
type Sandbox struct {
	settings Settings
	api      *runtimeAPI
	process  *process
	output   *output
	spawned  time.Time
	busy     atomic.Bool // with an invocation
	used     atomic.Bool // had an invocation
}

// Result is a response, and the times of its invocation.
type Result struct {
	Payload   []byte // what the function returned; nobody checks that it is JSON, as in Lambda
	RequestID string
	Timing    Timing
}

// Timing is when things happened to a process and in one invocation. A time is zero if the thing did not happen. All
// times have a monotonic reading.
type Timing struct {
	Spawned   time.Time // just before the process was started
	Ready     time.Time // it asked for its first event: the init phase is over
	Cold      bool      // the invocation is the first one of its process
	Delivered time.Time // the process gets the event
	Responded time.Time // the response, or the report of an error, is here
}

// Start starts a process and returns when it has asked for its first event. The error is an *InitError, or says what is
// wrong with the settings. After an error no process is left. Start gives up when ctx is done.
func Start(ctx context.Context, settings Settings) (*Sandbox, error) {
	settings, err := settings.checked()
	if err != nil {
		return nil, err
	}
	if settings, err = settings.renewed(ctx); err != nil {
		return nil, err
	}
	s, err := launch(settings)
	if err != nil {
		return nil, err
	}
	if err := s.awaitReady(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// launch starts a process and does not wait for it. When the process ends, its Runtime API ends too.
func launch(settings Settings) (*Sandbox, error) {
	out := &output{w: settings.Output}
	api, err := serveRuntimeAPI(log.New(out, "", 0))
	if err != nil {
		return nil, &InitError{fmt.Errorf("listening for the process: %w", err)}
	}
	s := &Sandbox{settings: settings, api: api, output: out, spawned: time.Now()}
	environment := settings.environment(api.address, newLogStream(s.spawned))
	s.process, err = startProcess(settings.Bootstrap, environment, out, api.close)
	if err != nil {
		api.close()
		return nil, &InitError{err}
	}
	return s, nil
}

// awaitReady returns when the process has asked for an event. If it does not ask in time, awaitReady kills it.
func (s *Sandbox) awaitReady(ctx context.Context) error {
	expired := time.NewTimer(s.settings.InitTimeout)
	defer expired.Stop()
	var reason error
	select {
	case <-s.api.ready:
		return nil
	case report := <-s.api.initReport:
		s.process.kill()
		reason = report
	case <-s.process.exited:
		reason = s.process.exit
		select {
		case report := <-s.api.initReport: // the process reported the reason before it ended
			reason = report
		default:
		}
	case <-expired.C:
		reason = s.expire(s.settings.InitTimeout)
	case <-ctx.Done():
		s.process.kill()
		reason = context.Cause(ctx)
	}
	return &InitError{reason}
}

// Invoke gives the event to the process. An invocation ends when the process asks for the next event or ends itself,
// and only then does Invoke return. An answer counts, even if the process ends after it. The error is a *FunctionError,
// a *TimeoutError, an *ExitError, ErrTooLarge, or, during another invocation, ErrThrottled.
//
// When ctx is done, Invoke returns its cause. As in Lambda, the invocation goes on.
func (s *Sandbox) Invoke(ctx context.Context, event []byte) (Result, error) {
	if len(event) > maxEvent {
		return Result{}, ErrTooLarge
	}
	if ctx.Err() != nil {
		return Result{}, context.Cause(ctx)
	}
	if !s.busy.CompareAndSwap(false, true) {
		return Result{}, ErrThrottled
	}
	return abandonable(ctx, func() (Result, error) {
		defer s.busy.Store(false)
		return s.invoke(ctx, event)
	})
}

// abandonable returns the result of f. If ctx is done before that, it returns the cause, and f goes on.
func abandonable(ctx context.Context, f func() (Result, error)) (Result, error) {
	type returned struct {
		result Result
		err    error
	}
	done := make(chan returned, 1) // so that f does not wait for a reader
	go func() {
		result, err := f()
		done <- returned{result, err}
	}()
	select {
	case r := <-done:
		return r.result, r.err
	case <-ctx.Done():
		return Result{}, context.Cause(ctx)
	}
}

// invoke is Invoke without its checks. From ctx it takes only the trace. Afterwards the process waits for an event, or
// is gone.
func (s *Sandbox) invoke(ctx context.Context, event []byte) (Result, error) {
	now := time.Now()
	inv := &invocation{
		id:       newRequestID(),
		payload:  event,
		deadline: now.Add(s.settings.Timeout),
		trace:    newTraceID(ctx, now),
		arn:      s.settings.arn(),
		outcome:  make(chan outcome, 1),
		settled:  make(chan struct{}),
	}
	expired := time.NewTimer(s.settings.Timeout)
	defer expired.Stop()
	result := Result{RequestID: inv.id, Timing: s.Timing()}
	result.Timing.Cold = !s.used.Swap(true)
	select {
	case <-s.process.exited:
		return result, s.process.exit
	case <-expired.C:
		return result, s.expire(s.settings.Timeout)
	case s.api.events <- inv:
		result.Timing.Delivered = now
	}
	o, err := s.await(inv, expired.C)
	if err != nil {
		return result, err
	}
	result.Timing.Responded = o.at
	if o.err != nil {
		return result, o.err
	}
	result.Payload = o.payload
	return result, nil
}

// await returns the process's answer when the invocation has ended. The error says why there is no answer.
func (s *Sandbox) await(inv *invocation, expired <-chan time.Time) (outcome, error) {
	select {
	case o := <-inv.outcome:
		s.settle(inv, expired)
		return o, nil
	case <-s.process.exited:
		return late(inv, s.process.exit)
	case <-expired:
		return late(inv, s.expire(s.settings.Timeout))
	}
}

// late returns an answer that arrived together with the end of the process. If there is none, it returns the error.
func late(inv *invocation, err error) (outcome, error) {
	select {
	case o := <-inv.outcome:
		return o, nil
	default:
		return outcome{}, err
	}
}

// settle waits until the invocation is over. After its answer, a process may go on until its time is over.
func (s *Sandbox) settle(inv *invocation, expired <-chan time.Time) {
	select {
	case <-inv.settled:
	case <-s.process.exited:
	case <-expired:
		s.process.kill()
	}
}

// expire kills the process, because its time is over.
func (s *Sandbox) expire(after time.Duration) error {
	s.process.kill()
	return &TimeoutError{After: after, Output: s.output.end()}
}

// outlived reports whether the process's credentials may expire in an invocation that begins now.
func (s *Sandbox) outlived() bool {
	expires := s.settings.Credentials.Expires
	return !expires.IsZero() && time.Until(expires) < s.settings.Timeout
}

// Exited returns a channel that is closed when the process is gone.
func (s *Sandbox) Exited() <-chan struct{} { return s.process.exited }

// PID returns the process's identifier, for measurements. Once the process is gone, another process may have the
// number.
func (s *Sandbox) PID() int { return s.process.pid }

// Timing returns when the process was started and ready.
func (s *Sandbox) Timing() Timing { return Timing{Spawned: s.spawned, Ready: s.api.readyAt} }

// Close ends the process and everything that it started, first by SIGTERM, and returns when they are gone. A running
// invocation gets an *ExitError. A second Close does nothing.
func (s *Sandbox) Close() {
	s.process.signal(syscall.SIGTERM)
	grace := time.NewTimer(shutdownGrace)
	defer grace.Stop()
	select {
	case <-s.process.exited:
	case <-grace.C:
		s.process.kill()
	}
}
