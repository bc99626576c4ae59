package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

func (a *app) createCommand() *cobra.Command {
	name := newParsed("name", "", checked(organization.CheckName))
	tier := newParsed("free|pro|team|enterprise", string(organization.Free), organization.ParseTier)
	email := newParsed("email", "", checked(organization.CheckEmail))
	credits := newParsed("n", "", parseCredits)
	c := &cobra.Command{
		Use:   "create --name NAME",
		Short: "Create an organization and its first key, which has all permissions",
		Args:  cobra.NoArgs,
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, _ []string) error {
			now := a.now()
			o := organization.New(name.value, tier.value, nil, now)
			if email.given {
				o.BillingEmail = &email.value
			}
			if credits.given {
				o.Credits = credits.value
			}
			key, err := create(ctx, s, o, now)
			if err != nil {
				return err
			}
			return a.printCreated(o, key)
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

func parseCredits(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, errors.New("credits are a whole number, 0 or more")
	}
	return n, nil
}

func (a *app) printCreated(o organization.Organization, key issued) error {
	if a.json {
		return writeJSON(a.stdout, struct {
			Organization wireOrganization `json:"organization"`
			Key          wireIssued       `json:"key"`
		}{toWire(o), toWireIssued(key)})
	}
	return errors.Join(
		writePairs(a.stdout, organizationPairs(o)),
		writeLine(a.stdout, ""),
		writeIssued(a.stdout, key),
	)
}

func (a *app) showCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ORG",
		Short: "Show an organization",
		Args:  organizationArgument(1),
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, args []string) error {
			o, keys, err := find(ctx, s, organization.ID(args[0]))
			if err != nil {
				return err
			}
			return a.printOrganization(o, keys, a.keyUses(ctx, s, o.ID))
		}),
	}
}

func (a *app) printOrganization(o organization.Organization, keys []apikey.Record, uses keyUses) error {
	active := 0
	for _, k := range keys {
		if k.Check(a.now()) == nil {
			active++
		}
	}
	if a.json {
		return writeJSON(a.stdout, struct {
			Organization wireOrganization `json:"organization"`
			Keys         wireKeyCount     `json:"keys"`
		}{toWire(o), wireKeyCount{len(keys), active, uses.ofAny(keys, organization.FormatTime)}})
	}
	return writePairs(a.stdout, append(organizationPairs(o),
		[2]string{"Keys", fmt.Sprintf("%d, of which %d active", len(keys), active)},
		[2]string{"Last used", uses.ofAny(keys, hour)}))
}

func (a *app) listCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List all organizations, the oldest first",
		Args:  cobra.NoArgs,
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, _ []string) error {
			var all []organization.Organization
			err := pages(ctx, s, func(o organization.Organization) bool {
				all = append(all, o)
				return true
			})
			if err != nil {
				return err
			}
			slices.SortFunc(all, func(x, y organization.Organization) int {
				return cmp.Or(x.CreatedAt.Compare(y.CreatedAt), cmp.Compare(x.ID, y.ID))
			})
			return a.printOrganizations(all)
		}),
	}
}

func (a *app) printOrganizations(all []organization.Organization) error {
	if a.json {
		wire := make([]wireOrganization, 0, len(all))
		for _, o := range all {
			wire = append(wire, toWire(o))
		}
		return writeJSON(a.stdout, struct {
			Organizations []wireOrganization `json:"organizations"`
		}{wire})
	}
	rows := make([][]string, 0, len(all))
	for _, o := range all {
		rows = append(rows, []string{
			string(o.ID), o.Name, string(o.Tier), strconv.FormatInt(o.Credits, 10), strconv.FormatInt(o.Version, 10),
			textTime(&o.CreatedAt), organizationState(o),
		})
	}
	return writeTable(a.stdout, []string{"ORGANIZATION", "NAME", "TIER", "CREDITS", "VERSION", "CREATED", "STATE"}, rows)
}

func (a *app) deleteCommand() *cobra.Command {
	var purge bool
	c := &cobra.Command{
		Use:   "delete ORG",
		Short: "Delete an organization; its keys stop working at once",
		Long: `Delete an organization: its keys stop working at once. The record, its keys and its audit trail stay, and
orgs undelete brings the organization back. With --purge all of it is removed for good, deleted before or not.`,
		Args: organizationArgument(1),
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, args []string) error {
			id := organization.ID(args[0])
			if purge {
				if err := s.Purge(ctx, id); err != nil {
					return err
				}
				return a.printState(id, "purged", "is gone for good")
			}
			o, _, err := find(ctx, s, id)
			if err != nil {
				return err
			}
			if err := remove(ctx, s, o, a.now()); err != nil {
				return err
			}
			return a.printState(id, stateDeleted, "is deleted; orgs undelete brings it back")
		}),
	}
	c.Flags().BoolVar(&purge, "purge", false, "remove the record, its keys and its audit trail for good")
	return c
}

func (a *app) undeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "undelete ORG",
		Short: "Bring a deleted organization back; its keys work again",
		Args:  organizationArgument(1),
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, args []string) error {
			id := organization.ID(args[0])
			o, _, err := find(ctx, s, id)
			if err != nil {
				return err
			}
			if err := bringBack(ctx, s, o, a.now()); err != nil {
				return err
			}
			return a.printState(id, stateActive, "is active")
		}),
	}
}

// printState says what the organization is now.
func (a *app) printState(id organization.ID, state, sentence string) error {
	if a.json {
		return writeJSON(a.stdout, struct {
			ID    organization.ID `json:"organization_id"`
			State string          `json:"state"`
		}{id, state})
	}
	return writeLine(a.stdout, fmt.Sprintf("%s %s", id, sentence))
}
