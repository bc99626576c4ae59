// Command orgs is the organizations API on one's own machine, and the tool of who operates it anywhere: it serves the API
// as API Gateway and Lambda do, creates organizations, issues and revokes keys, and reads the audit trail, on a SQLite
// file or on DynamoDB tables.
//
// It wires the packages under shared and may import all of them; backend.go alone knows the engines of the store. Nothing
// may import it.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first signal asks to end, the second one ends
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// run is the whole command. It ends early when ctx is done.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	a := newApp(getenv, stdout, stderr)
	root := a.rootCommand()
	root.SetArgs(append([]string{}, args...)) // nil would stand for the arguments of the process
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	f := a.failureOf(err)
	a.report(f, command.CommandPath(), a.json || wantsJSON(args))
	return f.exitCode()
}
