// Package contract is the command orgs contract: it runs the contract tests against a service at a URL.
//
// It is the one package of the command that may import contracttests, and it links no package testing.
package contract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/contracttests/checks"
	"organizations-api/contracttests/coverage"
	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/operator"
	"organizations-api/contracttests/live"
	"organizations-api/shared/openapi"
)

// The variables with the keys. They are no flags, as every user of a machine can see the arguments of its processes.
const (
	adminKeyVariable = "ADMIN_KEY"
	readKeyVariable  = "READ_KEY"
	otherKeyVariable = "OTHER_KEY"
)

type options struct {
	asOperator bool
	wait       bool
	report     string // a folder; "" for none
	verbose    bool
}

const help = `Test a service by the contract: each answer against openapi.yaml, and the behaviour that no schema states. The
report begins with what failed: what was expected, what came, and a curl command that shows it again.

With keys, it works on the organization of ADMIN_KEY and puts back what it changes, also after an interruption.
It creates nothing. READ_KEY is a key of the same organization that can only read. OTHER_KEY is a key of a
second organization, which is only read. Without these two it shows less. Keys are read from the environment
alone. Run it once at a time on an organization: it stops when it finds that somebody else changes it. It reads
the limit of requests first, says how long the run takes under it, and waits when the limit is used up.

With --as-operator it needs no key. It makes organizations of its own in --store, which must be the store of the
service, and removes them at the end. So it also shows what only an operator can bring about: tiers, limits,
revoked and expired keys, deleted organizations. No organization that was there before is touched.

It prints the report, as JSON with --json. --report also writes it to a folder, as report.txt, report.json,
report.html and report.junit.xml. It exits with 1 if a check failed or the run could not begin.`

// Command returns the command contract.
func Command(a *cli.App) *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "contract URL",
		Short: "Test a service at a URL by the contract",
		Long:  help,
		Example: `  orgs contract http://127.0.0.1:8080
  orgs contract https://api.example.com --report build/contract --verbose
  orgs contract http://127.0.0.1:8080 --as-operator
  orgs --store dynamodb:organizations-api contract https://api.example.com --as-operator`,
		Args: cli.Arguments,
		RunE: a.Run(func(ctx context.Context, args []string) error { return o.run(ctx, a, args[0]) }),
	}
	flags := c.Flags()
	flags.BoolVar(&o.asOperator, "as-operator", false,
		"make organizations in --store, and remove them at the end; no key is needed")
	flags.BoolVar(&o.wait, "wait", false,
		"with --as-operator: wait two minutes to see the window of the rate limit end")
	flags.StringVar(&o.report, "report", "", "`FOLDER` to write the report to, as text, JSON, HTML and JUnit")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "list what the target cannot show, instead of counting it")
	return c
}

func (o options) run(ctx context.Context, a *cli.App, url string) error {
	// If the reader of the output goes away, writing fails and the process goes on to put things back.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	if o.asOperator {
		return a.With(ctx, backend.OpenExisting, func(s *backend.Store) (err error) {
			op := operator.New(s, a.Now)
			defer func() { err = errors.Join(err, op.Purge(context.WithoutCancel(ctx))) }()
			subject, err := live.OperatedAt(url, op, o.wait)
			return o.check(ctx, a, url, subject, err)
		})
	}
	keys := live.Keys{Admin: a.Getenv(adminKeyVariable), Read: a.Getenv(readKeyVariable),
		Other: a.Getenv(otherKeyVariable)}
	if keys.Admin == "" {
		return term.Fail(term.Usage, "an admin key is missing: set %s in the environment, "+
			"or give --as-operator and the store of the service", adminKeyVariable)
	}
	subject, err := live.AtURL(url, keys)
	return o.check(ctx, a, url, subject, err)
}

// check runs the checks on the subject and shows what they found. If the URL is none, err says so.
func (o options) check(ctx context.Context, a *cli.App, url string, subject *harness.Subject, err error) error {
	if err != nil {
		return term.Fail(term.Usage, "%v", err)
	}
	var progress io.Writer = a.Stderr
	if a.JSON {
		progress = io.Discard // stderr is for failures, which are JSON
	}
	run := live.Run{Target: url, Subject: subject, Checks: checks.All(), Document: openapi.YAML, Verbose: o.verbose}
	found, err := run.Do(ctx, progress)
	if !found.Began() {
		return err
	}
	return errors.Join(o.show(a, progress, found), verdict(found, err))
}

// show prints the report, and writes it to the folder.
func (o options) show(a *cli.App, progress io.Writer, found coverage.ReportInput) error {
	if o.report != "" {
		if err := found.WriteFolder(o.report); err != nil {
			return err
		}
		fmt.Fprintf(progress, "The reports are in %s\n", term.Printable(o.report))
	}
	if a.JSON {
		return found.WriteJSON(a.Stdout)
	}
	return found.WriteText(a.Stdout)
}

// verdict returns why the run does not end well. stopped is why it ended early.
func verdict(found coverage.ReportInput, stopped error) error {
	passed, failed := found.Checks()
	if stopped == nil && failed > 0 {
		return term.Fail(term.Unhealthy, "%d of %d checks failed", failed, passed+failed)
	}
	return stopped
}
