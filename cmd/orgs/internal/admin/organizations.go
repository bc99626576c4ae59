package admin

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/organization"
)

func createCommand(a *cli.App) *cobra.Command {
	name := cli.NewFlag("name", "", checked(organization.CheckName))
	tier := cli.NewFlag("free|pro|team|enterprise", string(organization.Free), organization.ParseTier)
	email := cli.NewFlag("email", "", checked(organization.CheckEmail))
	credits := cli.NewNumber("", 0, math.MaxInt64, "credits are a whole number, 0 or more")
	c := &cobra.Command{
		Use:   "create --name NAME",
		Short: "Create an organization and its first key, which has all permissions",
		Example: `  orgs create --name 'Northwind Video'
  orgs create --name 'Northwind Video' --tier team --billing-email billing@northwind.example`,
		Args: cobra.NoArgs,
		RunE: a.RunWith(backend.Open, func(ctx context.Context, s *backend.Store, _ []string) error {
			now := a.Now()
			o := organization.New(name.Value, tier.Value, nil, now)
			if email.Given {
				o.BillingEmail = &email.Value
			}
			if credits.Given {
				o.Credits = credits.Value
			}
			key, err := Create(ctx, s, o, now)
			if err != nil {
				return err
			}
			return a.PrintSecret(struct {
				Organization OrganizationJSON `json:"organization"`
				Key          IssuedKeyJSON    `json:"key"`
			}{OrganizationToJSON(o), key.ToJSON()}, a.Stdout.Pairs(organizationPairs(o))+"\n\n"+issuedText(a.Stdout, key),
				fmt.Sprintf("%s was created, but %s", o.ID, LostKeys(s, o.ID, key)))
		}),
	}
	c.Flags().Var(name, "name", "display name, 1 to 100 characters")
	c.Flags().Var(tier, "tier", "account tier")
	c.Flags().Var(email, "billing-email", "where bills go")
	c.Flags().Var(credits, "credits", "credits to start with (default those of the tier; enterprise has none of its own)")
	cobra.CheckErr(c.MarkFlagRequired("name"))
	return c
}

// checked makes a parser of a check.
func checked(check func(string) error) func(string) (string, error) {
	return func(s string) (string, error) { return s, check(s) }
}

func showCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "show ORG",
		Short: "Show an organization",
		Example: `  orgs show org_znU9VHanHBWwM
  orgs show org_znU9VHanHBWwM --json`,
		Args: cli.OrganizationArgument(1),
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

func listCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List all organizations, the oldest first",
		Example: `  orgs list
  orgs --store dynamodb:organizations-api list --json`,
		Args: cobra.NoArgs,
		RunE: a.RunWith(backend.OpenExisting, func(ctx context.Context, s *backend.Store, _ []string) error {
			var all []organization.Organization
			for o, err := range s.Organizations(ctx) {
				if err != nil {
					return err
				}
				all = append(all, o)
			}
			slices.SortFunc(all, func(x, y organization.Organization) int {
				return cmp.Or(x.CreatedAt.Compare(y.CreatedAt), cmp.Compare(x.ID, y.ID))
			})
			return printOrganizations(a, all)
		}),
	}
}

// printOrganizations makes either the JSON or the table, as both may be large.
func printOrganizations(a *cli.App, all []organization.Organization) error {
	if a.JSON {
		out := make([]OrganizationJSON, 0, len(all))
		for _, o := range all {
			out = append(out, OrganizationToJSON(o))
		}
		return a.Print(struct {
			Organizations []OrganizationJSON `json:"organizations"`
		}{out}, "")
	}
	rows := make([][]string, 0, len(all))
	for _, o := range all {
		rows = append(rows, []string{
			string(o.ID), o.Name, string(o.Tier), strconv.FormatInt(o.Credits, 10), strconv.FormatInt(o.Version, 10),
			term.Time(&o.CreatedAt), organizationState(o),
		})
	}
	header := []string{"ORGANIZATION", "NAME", "TIER", "CREDITS", "VERSION", "CREATED", "STATE"}
	return a.Print(nil, a.Stdout.Table(header, rows))
}

func deleteCommand(a *cli.App) *cobra.Command {
	var purge bool
	c := &cobra.Command{
		Use:   "delete ORG",
		Short: "Delete an organization; its keys stop working at once",
		Long: `Delete an organization: its keys stop working at once. The record, its keys and its audit trail stay, and
orgs undelete brings the organization back. With --purge all of it is removed for good, deleted before or not.`,
		Example: `  orgs delete org_znU9VHanHBWwM
  orgs delete org_znU9VHanHBWwM --purge`,
		Args: cli.OrganizationArgument(1),
		RunE: a.RunWith(backend.OpenExisting, func(ctx context.Context, s *backend.Store, args []string) error {
			id := organization.ID(args[0])
			if purge {
				if err := s.Purge(ctx, id); err != nil {
					return err
				}
				return printState(a, id, "purged", "is gone for good")
			}
			t, err := find(ctx, s, id)
			if err != nil {
				return err
			}
			if err := t.markDeleted(ctx, a.Now()); err != nil {
				return err
			}
			return printState(a, id, stateDeleted, "is deleted; orgs undelete brings it back")
		}),
	}
	c.Flags().BoolVar(&purge, "purge", false, "remove the record, its keys and its audit trail for good")
	return c
}

func undeleteCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:     "undelete ORG",
		Short:   "Bring a deleted organization back; its keys work again",
		Example: "  orgs undelete org_znU9VHanHBWwM",
		Args:    cli.OrganizationArgument(1),
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
	return a.Print(struct {
		ID    organization.ID `json:"organization_id"`
		State string          `json:"state"`
	}{id, state}, fmt.Sprintf("%s %s", id, sentence))
}
