// Command orgs serves the organizations API on your own machine, and operates it anywhere. It answers as API Gateway
// and Lambda do, creates organizations, issues and revokes keys, and shows the audit trail. It works on a SQLite file
// or on DynamoDB tables.
//
// This package puts the groups of commands below one root. Each group is a package in internal. It may import the
// packages of the lines below its own line, and none of the lines above:
//
//	main
//	serve, seed, load, transfer, doctor, contract; web, the pages of serve
//	admin                  organizations, keys, audit trails
//	cli                    the store that is chosen, flags, output, errors
//	backend                opens the store
//	term                   tables, progress, failures, JSON
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/contract"
	"organizations-api/cmd/orgs/internal/doctor"
	"organizations-api/cmd/orgs/internal/load"
	"organizations-api/cmd/orgs/internal/seed"
	"organizations-api/cmd/orgs/internal/serve"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/cmd/orgs/internal/transfer"
)

func main() {
	log.SetOutput(io.Discard) // texts of libraries may have secrets; serve logs that there was one
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first signal asks to end, the second one ends
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// These are the exit codes. Each kind of failure has one.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // as shells have it for SIGINT
)

// run runs the command with the arguments and returns its exit code. It ends early when ctx is done.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	return execute(ctx, cli.New(getenv, stdout, stderr), args)
}

// execute runs the command with the arguments and returns its exit code.
func execute(ctx context.Context, a *cli.App, args []string) int {
	root := newRoot(a)
	root.SetArgs(append([]string{}, args...)) // nil would stand for the arguments of the process
	command, err := root, cli.RefuseKeys(args)
	if err == nil {
		command, err = root.ExecuteContextC(ctx)
	}
	if err == nil {
		err = a.Stdout.Failed() // cobra prints help by itself, and ignores it
	}
	if err == nil {
		return exitOK
	}
	f := a.Failure(ctx, err)
	a.Stderr.Report(f, command.CommandPath(), a.JSON || wantsJSON(args))
	switch f.Kind {
	case term.Usage:
		return exitUsage
	case term.Interrupted:
		return exitInterrupted
	default:
		return exitFailed
	}
}

// wantsJSON finds --json in arguments that were not understood, and so perhaps not parsed.
func wantsJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--json", "--json=true":
			return true
		case "--":
			return false
		}
	}
	return false
}

// newRoot returns the command with all its groups.
func newRoot(a *cli.App) *cobra.Command {
	root := cli.Group(&cobra.Command{
		Use:   "orgs",
		Short: "Serve the organizations API, and operate it",
		Long: `orgs serves the organizations API on this machine, as API Gateway and Lambda do in AWS. It also operates the API, here and
in AWS: it creates organizations, issues and revokes keys, and shows what happened.

Exit codes: 0 done, 1 failed, 2 arguments not understood, 130 interrupted by a signal.`,
		Example: `  orgs serve
  orgs create --name 'Northwind Video' --tier pro
  orgs --store dynamodb:organizations-api list`,
		SilenceErrors: true,
		SilenceUsage:  true,
	})
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetFlagErrorFunc(cli.SuggestFlag)
	a.AddFlags(root.PersistentFlags())
	root.AddCommand(admin.Commands(a)...)
	root.AddCommand(
		serve.Command(a), seed.Command(a), doctor.Command(a, thisBuild().String()),
		transfer.BackupCommand(a), transfer.RestoreCommand(a), load.Command(a), manCommand(a),
		contract.Command(a),
	)
	addVersion(a, root)
	addCompletions(a, root)
	refuseUnknownTopics(root)
	return root
}

// refuseUnknownTopics makes "help" fail for an unknown command, as that command itself would. Cobra would print the
// help of the root and succeed.
func refuseUnknownTopics(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	help, _, err := root.Find([]string{"help"})
	cobra.CheckErr(err)
	help.Args = func(_ *cobra.Command, args []string) error {
		found, rest, err := root.Find(args)
		if err == nil && len(rest) > 0 {
			err = cli.UnknownCommand(found, rest[0])
		}
		return err
	}
}
