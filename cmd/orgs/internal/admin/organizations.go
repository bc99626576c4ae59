package admin

import (
	"context"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

func createCommand(a *cli.App) *cobra.Command {
	name := cli.NewFlag("name", "", checked(organization.CheckName))
	tier := cli.NewFlag("free|pro|team|enterprise", string(organization.Free), organization.ParseTier)
	email := cli.NewFlag("email", "", checked(organization.CheckEmail))
	credits := cli.NewNumber("", 0, math.MaxInt64, "credits are a whole number, 0 or more")
	label := cli.NewFlag("label", "", checked(apikey.CheckLabel))
	c := &cobra.Command{
		Use:   "create --name NAME",
		Short: "Create an organization and its first key, which has all permissions",
		Example: `  orgs create --name 'Northwind Video'
  orgs create --name 'Northwind Video' --tier team --billing-email billing@northwind.example`,
		Args: cli.Arguments,
		RunE: a.RunWith(backend.Open, func(ctx context.Context, s *backend.Store, _ []string) error {
			now := a.Now()
			o := organization.New(name.Value, tier.Value, nil, now)
			if email.Given {
				o.BillingEmail = &email.Value
			}
			if credits.Given {
				o.Credits = credits.Value
			}
			key, err := Create(ctx, s, o, label.Value, now)
			if err != nil {
				return err
			}
			return a.PrintSecret(struct {
				Organization OrganizationJSON `json:"organization"`
				Key          IssuedKeyJSON    `json:"key"`
			}{OrganizationToJSON(o), key.ToJSON()}, a.Stdout.Pairs(organizationPairs(o))+"\n\n"+issuedText(a.Stdout, key),
				fmt.Sprintf("%s was created, but its key could not be shown", o.ID), LostKeys(s, o.ID, key))
		}),
	}
	c.Flags().Var(name, "name", "display name, 1 to 100 characters")
	c.Flags().Var(tier, "tier", "account tier")
	c.Flags().Var(email, "billing-email", "where bills go")
	c.Flags().Var(credits, "credits", "credits to start with (default: the credits of the tier; enterprise has none)")
	c.Flags().Var(label, "label", "what to call the key, such as the name of the person who gets it")
	cobra.CheckErr(c.MarkFlagRequired("name"))
	return c
}

// checked returns a parser that returns its text if the check accepts it.
func checked(check func(string) error) func(string) (string, error) {
	return func(s string) (string, error) { return s, check(s) }
}

func showCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "show ORG",
		Short: "Show an organization",
		Example: `  orgs show org_znU9VHanHBWwM
  orgs show org_znU9VHanHBWwM --json`,
		Args: cli.OrganizationArgument,
		RunE: withOrganization(a, func(ctx context.Context, t target, args []string) error {
			return printOrganization(a, t, readUses(ctx, a, t))
		}),
	}
}

func printOrganization(a *cli.App, t target, uses keyUses) error {
	active := 0
	for _, k := range t.keys {
		if k.Check(a.Now()) == nil {
			active++
		}
	}
	return a.Print(struct {
		Organization OrganizationJSON `json:"organization"`
		Keys         KeyCountJSON     `json:"keys"`
	}{OrganizationToJSON(t.organization), KeyCountJSON{len(t.keys), active, uses.ofAny(t.keys, organization.FormatTime)}},
		a.Stdout.Pairs(append(organizationPairs(t.organization),
			[2]string{"Keys", fmt.Sprintf("%d, of which %d active", len(t.keys), active)},
			[2]string{"Last used", uses.ofAny(t.keys, hour)})))
}

func deleteCommand(a *cli.App) *cobra.Command {
	var purge, yes bool
	c := &cobra.Command{
		Use:   "delete ORG",
		Short: "Delete an organization; its keys stop working at once",
		Long: `Delete an organization: its keys stop working at once. The record, its keys and its audit trail stay, and
orgs undelete brings the organization back.

--purge removes all of it for good, whether it was deleted before or not. The command asks before it does that. If it
cannot ask, as in a script, it needs --yes.`,
		Example: `  orgs delete org_znU9VHanHBWwM
  orgs delete org_znU9VHanHBWwM --purge`,
		Args: cli.OrganizationArgument,
		RunE: withOrganization(a, func(ctx context.Context, t target, args []string) error {
			if purge {
				return t.purge(ctx, a, yes)
			}
			if err := t.markDeleted(ctx, a.Now()); err != nil {
				return err
			}
			return printState(a, t.organization.ID, stateDeleted, "is deleted; orgs undelete brings it back")
		}),
	}
	c.Flags().BoolVar(&purge, "purge", false, "remove the record, its keys and its audit trail for good")
	c.Flags().BoolVar(&yes, "yes", false, "purge without asking")
	return c
}

// purge removes the organization for good, after the person at the terminal has agreed.
func (t target) purge(ctx context.Context, a *cli.App, yes bool) error {
	id := t.organization.ID
	effect := fmt.Sprintf("%s (%s), its audit trail and %s will be removed for good from %s",
		id, term.Printable(t.organization.Name), term.Count(int64(len(t.keys)), "key", "keys"), term.Printable(string(t.store.Choice)))
	if err := a.Confirm(ctx, yes, effect); err != nil {
		return err
	}
	if err := t.store.Purge(ctx, id); err != nil {
		return err
	}
	return printState(a, id, "purged", "is gone for good")
}

func undeleteCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:     "undelete ORG",
		Short:   "Bring a deleted organization back; its keys work again",
		Example: "  orgs undelete org_znU9VHanHBWwM",
		Args:    cli.OrganizationArgument,
		RunE: withOrganization(a, func(ctx context.Context, t target, args []string) error {
			if err := t.undelete(ctx, a.Now()); err != nil {
				return err
			}
			return printState(a, t.organization.ID, stateActive, "is active")
		}),
	}
}

// printState says what the organization is now.
func printState(a *cli.App, id organization.ID, state, sentence string) error {
	done := fmt.Sprintf("%s %s", id, sentence)
	return a.PrintDone(done, struct {
		ID    organization.ID `json:"organization_id"`
		State string          `json:"state"`
	}{id, state}, done)
}
