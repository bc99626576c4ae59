package lambda

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// drainGrace is how long what a dead process wrote is waited for. It matters only where Settings.Output blocks, or where
// a descendant that left the process group still holds the pipe.
const drainGrace = time.Second

// process is a running bootstrap, in a process group of its own, so that what it starts ends with it.
type process struct {
	exited chan struct{} // closed when the process, its group and its pipes are gone
	exit   *ExitError    // set before exited is closed

	mu     sync.Mutex
	pid    int
	reaped bool // the operating system may have given pid to another process
}

// startProcess starts the executable. It calls atExit once the process is gone, before that can be seen in exited.
func startProcess(path string, environment []string, out *output, atExit func()) (*process, error) {
	cmd := exec.Command(path)
	cmd.Dir = filepath.Dir(path)
	cmd.Env = environment
	cmd.SysProcAttr = attributes()
	pipes, err := connect(cmd)
	if err != nil {
		return nil, fmt.Errorf("making pipes for the process: %w", err)
	}
	p := &process{exited: make(chan struct{})}
	started := make(chan error)
	go p.run(cmd, pipes, out, started, atExit)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting the process: %w", err)
	}
	return p, nil
}

// run is the process's life. It stays on one thread of the operating system from beginning to end: on Linux the process
// is killed when the thread that started it ends, which may be long before this program does.
func (p *process) run(cmd *exec.Cmd, pipes *pipes, out *output, started chan<- error, atExit func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	pipes.closeWriters()
	if err != nil {
		pipes.closeReaders()
		started <- err
		return
	}
	p.pid = cmd.Process.Pid // read only by who got the process, after started
	drained := pipes.drain(out)
	started <- nil

	_ = cmd.Wait() // what it says is in ProcessState too
	p.end()
	waited := time.NewTimer(drainGrace)
	defer waited.Stop()
	select {
	case <-drained:
	case <-waited.C:
	}
	pipes.closeReaders()
	atExit()
	p.exit = exitError(cmd.ProcessState, out.end())
	close(p.exited)
}

// end kills what the process left behind in its group. No process gets the group's number while the group has members,
// and where it has none the number was free for microseconds only.
func (p *process) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	signalGroup(p.pid, syscall.SIGKILL)
	p.reaped = true
}

// signal sends the signal to the whole group, unless the process is gone.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		signalGroup(p.pid, s)
	}
}

// kill ends the process and returns when it is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.exited
}

func exitError(state *os.ProcessState, output string) *ExitError {
	e := &ExitError{Status: state.ExitCode(), Output: output}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Signal = status.Signal()
	}
	return e
}

// pipes are those for the standard output and error of a process. They are two so that a line on one never lands within
// a line on the other.
type pipes struct{ readers, writers []*os.File }

func connect(cmd *exec.Cmd) (*pipes, error) {
	outReader, outWriter, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	errReader, errWriter, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, outReader.Close(), outWriter.Close())
	}
	cmd.Stdout, cmd.Stderr = outWriter, errWriter
	return &pipes{readers: []*os.File{outReader, errReader}, writers: []*os.File{outWriter, errWriter}}, nil
}

// drain starts reading. The channel is closed when both streams have ended.
func (p *pipes) drain(out *output) <-chan struct{} {
	var reading sync.WaitGroup
	for _, r := range p.readers {
		reading.Go(func() { out.drain(r) })
	}
	drained := make(chan struct{})
	go func() {
		reading.Wait()
		close(drained)
	}()
	return drained
}

func (p *pipes) closeWriters() { closeAll(p.writers) }

// closeReaders ends reading too.
func (p *pipes) closeReaders() { closeAll(p.readers) }

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // of a pipe: nothing can be lost
	}
}
