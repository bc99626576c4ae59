package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// updateFlags are the flags of update.
type updateFlags struct {
	revision organization.Revision
	given    bool // the revision says something
	version  *cli.Flag[int64]
	dryRun   bool
	file     string
	workers  *cli.Flag[int64]
}

func updateCommand(a *cli.App) *cobra.Command {
	f := &updateFlags{
		version: cli.NewNumber("", 0, math.MaxInt64, "a version is a whole number, 0 or more"),
		workers: cli.NewWorkers(),
	}
	c := &cobra.Command{
		Use:   "update ORG",
		Short: "Change an organization: tier, credits, usage, billing and everything else except its identifiers",
		Long: `Change an organization. All flags together make one change, with one new version and one entry in the audit trail. If a
part of it is refused, nothing changes.

An amount with a sign is added to the present amount. That is exact, even if somebody else changes the organization at the
same time. A change that would make credits or usage negative is refused.

--clear takes the name of a field in the contract, such as billing_email, and may be repeated. Clearing rate_limits sets
all limits back to those of the tier; rate_limits.search sets back one category.

With --file, the changes come from a file of JSON lines, one for each organization. --file - reads standard input:

  {"organization_id": "org_znU9VHanHBWwM", "id": "2026-11", "credit_count": "+1000", "current_month_usage": 0}

The members are the fields of the contract. null clears a field, and a string such as "+1000" or "-5" is added to it. A
change with an id is made only once for each organization, so you can run the file again. A change without an id is made
each time. if_version refuses the change if the organization has another version. A refused line changes nothing, and the
other lines are still made.`,
		Example: `  orgs update org_znU9VHanHBWwM --tier pro --credits +100_000
  orgs update org_znU9VHanHBWwM --rate-limit search=600 --clear billing_email --dry-run
  orgs update --file november.jsonl`,
		Args: func(c *cobra.Command, args []string) error { return f.check(c, args) },
		RunE: a.RunWith(backend.OpenExisting, func(ctx context.Context, s *backend.Store, args []string) error {
			if f.file != "" {
				return updateFromFile(ctx, a, s, f)
			}
			return update(ctx, a, s, organization.ID(args[0]), f)
		}),
	}
	for _, p := range properties() {
		if p.flag != "" {
			c.Flags().Var(&propertyFlag{p, f}, p.flag, p.help)
		}
	}
	c.Flags().Var(cli.NewFlag("field", "", func(name string) (string, error) {
		f.given = true
		return name, clearField(&f.revision, name)
	}), "clear", "a field to clear; may be repeated")
	c.Flags().Var(f.version, "if-version", "change it only if it has this version, which orgs show prints")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would change, and change nothing")
	c.Flags().StringVar(&f.file, "file", "", "`FILE` of changes, one a line; - is standard input")
	c.Flags().Var(f.workers, "workers", "how many organizations of a file to change at once")
	c.MarkFlagsMutuallyExclusive("file", "if-version")
	return c
}

// propertyFlag is the flag of a property.
type propertyFlag struct {
	property
	flags *updateFlags
}

func (f *propertyFlag) String() string { return "" }

// Type returns what stands after the flag in the help.
func (f *propertyFlag) Type() string { return f.value }

// Set reads the text, or the file that it names after an @ if the property is JSON.
func (f *propertyFlag) Set(text string) error {
	if path, named := strings.CutPrefix(text, "@"); named && f.value == "json" {
		var err error
		if text, err = readText(path); err != nil {
			return err
		}
	}
	f.flags.given = true
	return f.set(&f.flags.revision, text)
}

// readText reads a file. It returns an error if the file is too long for a value.
func readText(path string) (string, error) {
	const longest = 1 << 20
	file, err := cli.OpenRegular(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, longest+1))
	if err == nil && len(text) > longest {
		err = fmt.Errorf("%s is longer than %d bytes", path, longest)
	}
	return string(text), err
}

// check refuses arguments that contradict each other.
func (f *updateFlags) check(c *cobra.Command, args []string) error {
	if f.file != "" {
		if f.given || len(args) > 0 {
			return errors.New("--file has the organizations and their changes, so give it alone")
		}
		return nil
	}
	if err := cli.OrganizationArgument(c, args); err != nil {
		return err
	}
	if !f.given {
		return errors.New("nothing to change; say what, such as --tier pro, --credits +1000 or --clear billing_email")
	}
	return nil
}

// update makes one change and shows it.
func update(ctx context.Context, a *cli.App, s *backend.Store, id organization.ID, f *updateFlags) error {
	r := store.RevisionRequest{Revision: f.revision, DryRun: f.dryRun, RequestID: newRequestID()}
	var version *int64
	if f.version.Given {
		version = &f.version.Value
	}
	r.Check = mayBeUpdated(version)
	u, err := store.Revise(ctx, s, id, r, a.Now)
	if err != nil {
		return updateFailure(s, id, err)
	}
	result := struct {
		Organization OrganizationJSON `json:"organization"`
		Changes      []ChangeJSON     `json:"changes"`
		DryRun       bool             `json:"dry_run"`
	}{OrganizationToJSON(u.After), changesToJSON(u.Audit.Changes), f.dryRun}
	text := updateText(a.Stdout, u, f.dryRun)
	if f.dryRun || len(u.Audit.Changes) == 0 {
		return a.Print(result, text)
	}
	return a.PrintDone(fmt.Sprintf("%s has version %d now", id, u.After.Version), result, text)
}

// mayBeUpdated returns the check of an update. version is the version that the organization must have. If it is nil,
// any will do.
func mayBeUpdated(version *int64) func(organization.Organization) error {
	return func(o organization.Organization) error {
		switch {
		case o.DeletedAt != nil:
			return isDeleted(o.ID)
		case version != nil && o.Version != *version:
			return term.Fail(term.Conflict, "%s has version %d, and not %d", o.ID, o.Version, *version)
		default:
			return nil
		}
	}
}

// updateFailure explains an error of store.Revise.
func updateFailure(s *backend.Store, id organization.ID, err error) error {
	var outOfRange *organization.RangeError
	switch {
	case store.KindOf(err) == store.NotFound:
		return noOrganization(s, id)
	case errors.As(err, &outOfRange):
		return term.Fail(term.Conflict, "%s; nothing was changed", outOfRange)
	case store.KindOf(err) == store.Conflict:
		return isDeleted(id)
	case store.Unavailable(err):
		return unconfirmed(s, "audit "+string(id), err)
	default:
		return err
	}
}

// updateText says what changed.
func updateText(s *term.Screen, u store.Update, dryRun bool) string {
	if len(u.Audit.Changes) == 0 {
		return fmt.Sprintf("%s is like that already, at version %d.", u.Before.ID, u.Before.Version)
	}
	pairs := make([][2]string, 0, len(u.Audit.Changes)+1)
	for _, c := range u.Audit.Changes {
		pairs = append(pairs, [2]string{c.Field, shortened(c.Before) + " -> " + shortened(c.After)})
	}
	if before, after := u.Before.Limits(), u.After.Limits(); before != after {
		pairs = append(pairs, [2]string{"limits in force", limitsText(before) + " -> " + limitsText(after)})
	}
	sentence := fmt.Sprintf("%s has version %d now.", u.After.ID, u.After.Version)
	if dryRun {
		sentence = "Nothing was changed: this was a dry run."
	}
	return s.Pairs(pairs) + "\n\n" + sentence
}

// shortened returns the beginning of a long JSON text. --json has all of it.
func shortened(text string) string {
	const longest = 120
	if characters := []rune(text); len(characters) > longest {
		return string(characters[:longest]) + "…"
	}
	return text
}
