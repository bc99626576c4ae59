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

// drainGrace is how long the output of a dead process is read. It matters only if Settings.Output blocks, or if a
// descendant left the process group and still holds the pipe.
const drainGrace = time.Second

// process is a running bootstrap. It has a process group of its own, so the processes that it starts end with it.
type process struct {
	exited chan struct{} // closed when the process, its group and its pipes are gone
	exit   *ExitError    // set before exited is closed

	mu     sync.Mutex
	pid    int
	reaped bool // the operating system may have given pid to another process
}

// startProcess starts the executable. When the process is gone, it first calls atExit and then closes exited.
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

// run starts the process and waits for its end. It stays on one thread of the operating system: on Linux the process is
// killed when the thread that started it ends, and a thread may end long before this program does.
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
	p.pid = cmd.Process.Pid // others read it only after started
	drained := pipes.drain(out)
	started <- nil

	_ = cmd.Wait() // ProcessState has the result too
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

// end kills the processes that are left in the group. The group's number belongs to no other process: a number is not
// given away while the group has members, and a group without members ended only microseconds ago.
func (p *process) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	signalGroup(p.pid, syscall.SIGKILL)
	p.reaped = true
}

// signal sends the signal to the whole group. It does nothing if the process is gone.
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

// pipes are the pipes for the standard output and error of a process. There are two, so that a line of one never lands
// inside a line of the other.
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

// closeReaders closes the ends that are read, which also ends the reading.
func (p *pipes) closeReaders() { closeAll(p.readers) }

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // of a pipe: nothing can be lost
	}
}
