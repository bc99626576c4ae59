package lambda

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Function is a Lambda function, as its caller sees it. It starts a process if an invocation finds none idle, keeps it
// for the next invocation, and replaces it when it has ended. It is safe for concurrent use.
type Function struct {
	settings    Settings
	concurrency int

	mu      sync.Mutex
	closed  bool
	running int                   // invocations under way
	idle    []*Sandbox            // the last one was used last
	all     map[*Sandbox]struct{} // idle or not
	ends    sync.WaitGroup        // of the invocations
}

// NewFunction returns a function that runs at most concurrency invocations at a time. It starts no process yet.
func NewFunction(settings Settings, concurrency int) (*Function, error) {
	settings, err := settings.checked()
	if err != nil {
		return nil, err
	}
	if concurrency < 1 {
		return nil, fmt.Errorf("a concurrency of %d is less than 1", concurrency)
	}
	return &Function{settings: settings, concurrency: concurrency, all: make(map[*Sandbox]struct{})}, nil
}

// Invoke returns the function's result for the event. See Run for its errors.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	result, err := f.Run(ctx, event)
	return result.Payload, err
}

// Run invokes the function. It returns the errors of Sandbox.Invoke and Start, ErrClosed, and ErrThrottled.
// ErrThrottled comes at once, if the maximum number of invocations is running. After a failed start, only the next
// invocation tries again.
//
// When ctx is done, Run returns its cause. As in Lambda, the invocation goes on, and it counts until it has ended.
func (f *Function) Run(ctx context.Context, event []byte) (Result, error) {
	if len(event) > maxEvent {
		return Result{}, ErrTooLarge
	}
	if ctx.Err() != nil {
		return Result{}, context.Cause(ctx)
	}
	if err := f.begin(); err != nil {
		return Result{}, err
	}
	alone := context.WithoutCancel(ctx)
	return abandonable(ctx, func() (Result, error) {
		defer f.finish()
		result, err := f.run(alone, event)
		if err != nil && f.isClosed() {
			err = fmt.Errorf("%w: %w", ErrClosed, err)
		}
		return result, err
	})
}

func (f *Function) begin() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return ErrClosed
	case f.running == f.concurrency:
		return ErrThrottled
	}
	f.running++
	f.ends.Add(1)
	return nil
}

func (f *Function) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running--
	f.ends.Done()
}

func (f *Function) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// run invokes an idle process, or a new one if none is idle. If the process has ended before it got the event, run
// takes another one.
func (f *Function) run(ctx context.Context, event []byte) (Result, error) {
	for s := f.takeIdle(); s != nil; s = f.takeIdle() {
		result, err := s.invoke(ctx, event)
		f.putBack(s)
		if exit := (*ExitError)(nil); errors.As(err, &exit) && result.Timing.Delivered.IsZero() {
			continue
		}
		return result, err
	}
	s, err := f.start(ctx)
	if err != nil {
		return Result{}, err
	}
	defer f.putBack(s)
	return s.invoke(ctx, event)
}

// takeIdle returns the idle process that was used last, or nil. It ends processes whose credentials are about to
// expire.
func (f *Function) takeIdle() *Sandbox {
	f.mu.Lock()
	defer f.mu.Unlock()
	for last := len(f.idle) - 1; last >= 0; last-- {
		s := f.idle[last]
		f.idle = f.idle[:last]
		if !s.outlived() {
			return s
		}
		go func() {
			s.Close() // and so does Function.Close, which waits for it
			f.remove(s)
		}()
	}
	return nil
}

// putBack keeps the process for the next invocation, unless it has ended.
func (f *Function) putBack(s *Sandbox) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-s.Exited():
		delete(f.all, s)
	default:
		f.idle = append(f.idle, s)
	}
}

// start returns a new process that waits for an event. Close can end the process from its first moment on.
func (f *Function) start(ctx context.Context) (*Sandbox, error) {
	settings, err := f.settings.renewed(ctx)
	if err != nil {
		return nil, err
	}
	s, err := launch(settings)
	if err != nil {
		return nil, err
	}
	if !f.add(s) {
		s.process.kill()
		return nil, &InitError{s.process.exit}
	}
	if err := s.awaitReady(ctx); err != nil {
		f.remove(s)
		return nil, err
	}
	return s, nil
}

func (f *Function) add(s *Sandbox) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.all[s] = struct{}{}
	return true
}

func (f *Function) remove(s *Sandbox) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, s)
}

// Close ends all processes, as Sandbox.Close does, and returns when they and all invocations have ended. A second Close
// does nothing.
func (f *Function) Close() {
	var closing sync.WaitGroup
	f.mu.Lock()
	f.closed = true
	for s := range f.all {
		closing.Go(s.Close)
	}
	f.mu.Unlock()
	closing.Wait()
	f.ends.Wait()
}
