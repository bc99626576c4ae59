package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
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
	overlap := cli.NewFlag("duration", "24h", parseOverlap)
	expires := cli.NewFlag("duration|never", "", parseExpiry)
	label := cli.NewFlag("label", "", checked(apikey.CheckLabel))
	c := &cobra.Command{
		Use:   "rotate ORG KEY_ID",
		Short: "Issue a key in the place of another, which stays valid for a while",
		Long: `Issue a key with the permission and mode of another and show it, once. The old key expires when the overlap is over, or
by itself, whichever comes first; with --overlap 0 it stops working at once. The new key is given as long to live as the old one
had from its creation to its expiry, unless --expires says otherwise, and the label of the old one, unless --label does. Both
happen together or not at all, once the new key was shown: if it cannot be shown, the old key stays as it is.`,
		Example: `  orgs keys rotate org_znU9VHanHBWwM key_4mGq8TzLw2XbR
  orgs keys rotate org_znU9VHanHBWwM key_4mGq8TzLw2XbR --overlap 7d --expires 90d`,
		Args: cli.OrganizationArgument(2),
		RunE: a.RunWith(backend.OpenExisting, func(ctx context.Context, s *backend.Store, args []string) error {
			o := rotateOptions{overlap: overlap.Value, label: label.Value}
			if expires.Given {
				o.expires = &expires.Value
			}
			return rotate(ctx, a, s, args, o)
		}),
	}
	c.Flags().Var(overlap, "overlap", "how long the old key stays valid, such as 12h or 7d; 0 ends it at once")
	c.Flags().Var(expires, "expires", "how long the new key is valid (default as long as the old one was issued for)")
	c.Flags().Var(label, "label", "what to call the new key (default as the old one)")
	return c
}

type rotateOptions struct {
	overlap time.Duration
	expires *expiry // of the new key; nil means as long as the old one was issued for
	label   string  // of the new key; "" means as the old one
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
			if until, err = o.expires.from(now); err != nil {
				return store.KeyChange{}, err
			}
		}
		next := NewKey(secret, organization.ID(args[0]), old.Mode, old.Permission, now, until)
		next.Record.Label = cmp.Or(o.label, old.Label)
		after, err := old.Rotated(next.Record.ID, now, now.Add(o.overlap))
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

// printRotated shows the new key, and what becomes of the old one.
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
	var when expiry
	return &cobra.Command{
		Use:   "expires ORG KEY_ID TIME|DURATION|never",
		Short: "Change when a key expires",
		Long: `Change when a key expires: at a time, such as 2030-01-31 or 2030-01-31T12:00:00Z, after a while from now, such as 720h or
30d, or never. A key that expired already works again; one that was revoked does not.`,
		Example: `  orgs keys expires org_znU9VHanHBWwM key_4mGq8TzLw2XbR 2030-01-31
  orgs keys expires org_znU9VHanHBWwM key_4mGq8TzLw2XbR never`,
		Args: func(c *cobra.Command, args []string) (err error) {
			if err := cli.OrganizationArgument(3)(c, args); err != nil {
				return err
			}
			when, err = parseMoment(args[2])
			return err
		},
		RunE: a.RunWith(backend.OpenExisting, func(ctx context.Context, s *backend.Store, args []string) error {
			return setExpiry(ctx, a, s, args, when)
		}),
	}
}

func setExpiry(ctx context.Context, a *cli.App, s *backend.Store, args []string, when expiry) error {
	k, err := changeKey(ctx, a, s, args, store.KeyExpires, func(k apikey.Record, now time.Time) (store.KeyChange, error) {
		at, err := when.from(now)
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
	return a.Print(keyToJSON(k, a.Now()), text)
}

const (
	day         = 24 * time.Hour
	maxLifetime = 36500 * day
)

// parseLifetime reads a duration as Go writes it, or whole days, such as 30d.
func parseLifetime(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if text, isDays := strings.CutSuffix(s, "d"); isDays {
		var days uint64
		days, err = strconv.ParseUint(text, 10, 16)
		d = time.Duration(days) * day
	}
	if err != nil || d <= 0 || d > maxLifetime {
		return 0, errors.New("a duration is a number of hours or days, such as 720h or 30d, of at most 36500d")
	}
	return d, nil
}

// parseOverlap reads a duration, or 0.
func parseOverlap(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	return parseLifetime(s)
}

// expiry says when a key is to expire: at a time, after a while, or never if neither is set.
type expiry struct {
	at    *time.Time
	after time.Duration
}

// parseExpiry reads a duration, or never.
func parseExpiry(s string) (expiry, error) {
	if s == "never" {
		return expiry{}, nil
	}
	d, err := parseLifetime(s)
	return expiry{after: d}, err
}

// parseMoment reads a date, which begins in UTC, a time in RFC 3339, a duration, or never.
func parseMoment(s string) (expiry, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, s); err == nil {
			return expiry{at: &at}, nil
		}
	}
	e, err := parseExpiry(s)
	if err != nil {
		return e, errors.New("a key expires at a time, such as 2030-01-31 or 2030-01-31T12:00:00Z, " +
			"after a duration, such as 720h or 30d, or never")
	}
	return e, nil
}

// from returns the time; nil means never. It refuses the past, so that a slip in a year ends no key that is in use.
func (e expiry) from(now time.Time) (*time.Time, error) {
	switch {
	case e.at != nil && !e.at.After(now):
		return nil, term.Fail(term.Usage, "%s is over; orgs keys revoke ends a key at once", term.Time(e.at))
	case e.at != nil && e.at.Sub(now) > maxLifetime:
		return nil, term.Fail(term.Usage, "%s is more than 36500 days from now", term.Time(e.at))
	case e.after > 0:
		return new(now.Add(e.after)), nil
	default:
		return e.at, nil
	}
}
