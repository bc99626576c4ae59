package lambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing/iotest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// The first variables make this test binary a bootstrap. No bootstrap may see the last one.
const (
	envTests     = "TESTS"
	envBootstrap = "BOOTSTRAP" // what it is, one of the bootstraps below
	envLifeline  = "LIFELINE"  // the address of a lifeline
	envGate      = "GATE"      // the address of one that holds the start
)

// bootstraps are the processes that the tests run.
var bootstraps = map[string]func(){
	"function":   func() { lambda.Start(handle) },
	"stubborn":   func() { signal.Ignore(syscall.SIGTERM); lambda.Start(handle) },
	"starts":     func() { _ = hold(os.Getenv(envGate)); lambda.Start(handle) },
	"exits":      func() { fmt.Println("no configuration"); os.Exit(4) },
	"never asks": rest,
	"rests":      rest,
	"reports":    reportInit,
	"sulks":      sulk,
	"misbehaves": misbehave,
	"intrudes":   intrude,
	"supervisor": supervise,
}

// rest does nothing. It sleeps, as a Go program that only waits would be ended for its deadlock.
func rest() { time.Sleep(time.Hour) }

// runBootstrap makes this process one, and never returns.
func runBootstrap(name string) {
	if address := os.Getenv(envLifeline); address != "" {
		line, err := net.Dial("tcp", address)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(line, os.Getpid())
		defer line.Close() // holds it until the end
	}
	bootstraps[name]()
	os.Exit(0)
}

// order is the event of the function.
type order struct {
	Do      string `json:"do"`
	Size    int    `json:"size,omitempty"`
	Address string `json:"address,omitempty"`
}

// saw is the function's description of its invocation.
type saw struct {
	PID         int
	Deadline    time.Time
	Context     lambdacontext.LambdaContext
	Trace       string
	Environment []string
	Folder      string
}

// handle is the function.
func handle(ctx context.Context, event json.RawMessage) (any, error) {
	var o order
	if err := json.Unmarshal(event, &o); err != nil {
		return nil, err
	}
	switch o.Do {
	case "panic":
		panic("no hope")
	case "exit":
		fmt.Fprintln(os.Stderr, "last words")
		os.Exit(3)
	case "error":
		return nil, errors.New("out of luck")
	case "hang":
		fmt.Println("hanging")
		rest()
	case "hold":
		return os.Getpid(), hold(o.Address)
	case "write":
		return "written", write(o.Size)
	case "write long":
		fmt.Println(strings.Repeat("x", 300<<10))
		return "written", nil
	case "return":
		return bytes.NewReader(bytes.Repeat([]byte("x"), o.Size)), nil
	case "break":
		return io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errors.New("broken"))), nil
	case "breed":
		return "bred", breed()
	case "look":
		return look(ctx)
	}
	return event, nil // echo
}

func look(ctx context.Context) (saw, error) {
	trace := os.Getenv("_X_AMZN_TRACE_ID")
	if err := os.Unsetenv("_X_AMZN_TRACE_ID"); err != nil { // set by aws-lambda-go
		return saw{}, err
	}
	folder, err := os.Getwd()
	if err != nil {
		return saw{}, err
	}
	deadline, _ := ctx.Deadline()
	lc, _ := lambdacontext.FromContext(ctx)
	return saw{os.Getpid(), deadline, *lc, trace, os.Environ(), folder}, nil
}

// hold waits until the connection that it makes is closed.
func hold(address string) error {
	line, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer line.Close()
	fmt.Fprintln(line, os.Getpid())
	_, err = io.Copy(io.Discard, line)
	return err
}

// write writes so many lines to each of the standard streams at once, in pieces.
func write(lines int) error {
	var writing sync.WaitGroup
	for name, w := range map[string]io.Writer{"out": os.Stdout, "err": os.Stderr} {
		writing.Go(func() {
			for n := range lines {
				fmt.Fprintf(w, "%s %d", name, n)
				fmt.Fprint(w, strings.Repeat(".", 100), "\n")
			}
		})
	}
	writing.Wait()
	return nil
}

// breed starts a process that would outlive this one.
func breed() error {
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{envBootstrap + "=rests", envLifeline + "=" + os.Getenv(envLifeline)}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Start()
}
