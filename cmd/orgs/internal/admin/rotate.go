package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

func rotateCommand(a *cli.App) *cobra.Command {
	overlap := cli.NewFlag(cli.MomentKind, "24h", parseOverlap)
	expires := cli.NewFlag(cli.OrNeverKind, "", cli.ParseMomentOrNever)
	label := cli.NewFlag("label", "", checked(apikey.CheckLabel))
	c := &cobra.Command{
		Use:   "rotate ORG KEY_ID",
		Short: "Issue a key in the place of another, which stays valid for a while",
		Long: `Issue a key with the permission and mode of another key, and show it once.

The old key expires when the overlap is over, or at its own expiry if that comes first. With --overlap 0 it stops working
at once. The new key lives as long as the old one was issued for, unless you give --expires. It gets the label of the old
key, unless you give --label.

The new key is shown first. Then both keys change together. If the new key cannot be shown, nothing changes.`,
		Example: `  orgs keys rotate org_znU9VHanHBWwM key_4mGq8TzLw2XbR
  orgs keys rotate org_znU9VHanHBWwM key_4mGq8TzLw2XbR --overlap 7d --expires 90d`,
		Args: cli.OrganizationArgument,
		RunE: a.RunWith(backend.OpenExisting, func(ctx context.Context, s *backend.Store, args []string) error {
			o := rotateOptions{overlap: overlap.Value, label: label.Value}
			if expires.Given {
				o.expires = &expires.Value
			}
			return rotate(ctx, a, s, args, o)
		}),
	}
	c.Flags().Var(overlap, "overlap", "how long the old key stays valid, such as 12h, 7d or 2030-01-31; 0 ends it at once")
	c.Flags().Var(expires, "expires", "when the new key expires (default: it lives as long as the old one was issued for)")
	c.Flags().Var(label, "label", "what to call the new key (default: the label of the old one)")
	return c
}

type rotateOptions struct {
	overlap cli.Moment  // never means that the old key ends at once
	expires *cli.Moment // of the new key; nil means as long as the old one was issued for
	label   string      // of the new key; "" means as the old one
}

// rotate shows the new key before it stores it. If the output fails or this process is killed, the old key still works.
func rotate(ctx context.Context, a *cli.App, s *backend.Store, args []string, o rotateOptions) error {
	var successor IssuedKey
	secret, err := KeySecret(ctx, s)
	if err != nil {
		return err
	}
	shown := false
	_, err = changeKey(ctx, a, s, args, store.KeyRotated, func(old apikey.Record, now time.Time) (store.KeyChange, error) {
		until := old.Renewed(now)
		if o.expires != nil {
			var err error
			if until, err = future(*o.expires, now); err != nil {
				return store.KeyChange{}, err
			}
		}
		end := now
		if o.overlap != (cli.Moment{}) {
			at, err := future(o.overlap, now)
			if err != nil {
				return store.KeyChange{}, err
			}
			end = *at
		}
		next := NewKey(secret, organization.ID(args[0]), old.Mode, old.Permission, now, until)
		next.Record.Label = cmp.Or(o.label, old.Label)
		after, err := old.Rotated(next.Record.ID, now, end)
		switch {
		case err != nil:
			return store.KeyChange{}, cannotRotate(old, err)
		case shown:
			return store.KeyChange{}, term.Fail(term.Conflict, "somebody else changed %s at the same time; try again", old.ID)
		}
		successor = next
		return store.KeyChange{Before: old, After: after, New: &successor.Record}, nil
	}, func(c store.KeyChange) error {
		err := printRotated(a, successor, c.After)
		shown = err == nil
		return err
	})
	if err == nil || !shown {
		return err
	}
	kind := a.Failure(ctx, err).Kind
	if kind == term.Unavailable || kind == term.Interrupted {
		return term.Fail(kind, "%v; the key that was shown is valid only if %s is among those of: %s",
			err, successor.Record.ID, s.Choice.CommandLine("keys list "+args[0]))
	}
	return term.Fail(kind, "%v; the key that was shown was not issued", err)
}

// printRotated shows the new key, and until when the old one is valid.
func printRotated(a *cli.App, successor IssuedKey, old apikey.Record) error {
	line := fmt.Sprintf("%s is valid until %s, and then no longer.", old.ID, term.Time(old.ExpiresAt))
	if old.Check(a.Now()) != nil {
		line = fmt.Sprintf("%s is no longer valid.", old.ID)
	}
	return a.PrintSecret(struct {
		Key      IssuedKeyJSON `json:"key"`
		Replaced KeyJSON       `json:"replaced"`
	}{successor.ToJSON(), keyToJSON(old, a.Now())}, issuedText(a.Stdout, successor)+"\n"+line,
		"a new key could not be shown", fmt.Sprintf("so nothing was changed, and %s is as it was", old.ID))
}

func cannotRotate(k apikey.Record, reason error) error {
	switch {
	case errors.Is(reason, apikey.ErrRevoked):
		return term.Fail(term.Conflict, "%s was revoked at %s; issue a key in its place", k.ID, term.Time(k.RevokedAt))
	case errors.Is(reason, apikey.ErrExpired):
		return term.Fail(term.Conflict, "%s expired at %s; issue a key in its place", k.ID, term.Time(k.ExpiresAt))
	case errors.Is(reason, apikey.ErrReplaced):
		return term.Fail(term.Conflict, "%s was rotated already; %s takes its place", k.ID, k.ReplacedBy)
	default:
		return reason
	}
}

func expiresCommand(a *cli.App) *cobra.Command {
	var when cli.Moment
	return &cobra.Command{
		Use:   "expires ORG KEY_ID TIME|DURATION|never",
		Short: "Change when a key expires",
		Long: `Change when a key expires. Give a time, such as 2030-01-31 or 2030-01-31T12:00:00Z, a duration from now, such as 720h
or 30d, or never. A key that has expired works again. A revoked key does not.`,
		Example: `  orgs keys expires org_znU9VHanHBWwM key_4mGq8TzLw2XbR 2030-01-31
  orgs keys expires org_znU9VHanHBWwM key_4mGq8TzLw2XbR never`,
		Args: func(c *cobra.Command, args []string) (err error) {
			if err := cli.OrganizationArgument(c, args); err != nil {
				return err
			}
			when, err = cli.ParseMomentOrNever(args[2])
			return err
		},
		RunE: a.RunWith(backend.OpenExisting, func(ctx context.Context, s *backend.Store, args []string) error {
			return setExpiry(ctx, a, s, args, when)
		}),
	}
}

func setExpiry(ctx context.Context, a *cli.App, s *backend.Store, args []string, when cli.Moment) error {
	k, err := changeKey(ctx, a, s, args, store.KeyExpires, func(k apikey.Record, now time.Time) (store.KeyChange, error) {
		at, err := future(when, now)
		if err != nil {
			return store.KeyChange{}, err
		}
		after, err := k.Expiring(at)
		if err != nil {
			return store.KeyChange{}, term.Fail(term.Conflict, "%s was revoked at %s, for good", k.ID, term.Time(k.RevokedAt))
		}
		return store.KeyChange{Before: k, After: after}, nil
	}, func(store.KeyChange) error { return nil })
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s of %s never expires", k.ID, args[0])
	if k.ExpiresAt != nil {
		text = fmt.Sprintf("%s of %s expires at %s", k.ID, args[0], term.Time(k.ExpiresAt))
	}
	return a.PrintDone(text, keyToJSON(k, a.Now()), text)
}

// future returns the time of the moment, or nil for never. It refuses the past, so that a slip in a year ends no key
// that is in use.
func future(m cli.Moment, now time.Time) (*time.Time, error) {
	switch at := m.After(now); {
	case at != nil && !at.After(now):
		return nil, term.Fail(term.Usage, "%s is over; orgs keys revoke ends a key at once", term.Time(at))
	case at != nil && at.Sub(now) > cli.MaxDuration:
		return nil, term.Fail(term.Usage, "%s is more than 36500 days from now", term.Time(at))
	default:
		return at, nil
	}
}

// parseOverlap reads a moment, or 0.
func parseOverlap(s string) (cli.Moment, error) {
	if s == "0" {
		return cli.Moment{}, nil
	}
	return cli.ParseMoment(s)
}
