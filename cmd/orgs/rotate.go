package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

func (a *app) rotateKeyCommand() *cobra.Command {
	overlap := newParsed("duration", "24h", parseOverlap)
	expires := newParsed("duration|never", "", parseExpiry)
	c := &cobra.Command{
		Use:   "rotate ORG KEY_ID",
		Short: "Issue a key in the place of another, which stays valid for a while",
		Long: `Issue a key with the permission and mode of another and show it, once. The old key expires when the overlap is over, or
by itself, whichever comes first; with --overlap 0 it stops working at once. The new key is given as long to live as the old one
had from its creation to its expiry, unless --expires says otherwise. Both happen together or not at all.`,
		Args: organizationArgument(2),
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, args []string) error {
			return a.rotate(ctx, s, organization.ID(args[0]), args[1], overlap.value, expires)
		}),
	}
	c.Flags().Var(overlap, "overlap", "how long the old key stays valid, such as 12h or 7d; 0 ends it at once")
	c.Flags().Var(expires, "expires", "how long the new key is valid (default as long as the old one was issued for)")
	return c
}

// parseOverlap reads a duration, or 0.
func parseOverlap(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	return parseLifetime(s)
}

func (a *app) rotate(
	ctx context.Context, s *storage, id organization.ID, keyID string, overlap time.Duration, expires *parsed[expiry],
) error {
	var successor issued
	old, err := a.changeKey(ctx, s, id, keyID, func(o organization.Organization, old apikey.Record) (store.KeyChange, store.Entry, error) {
		now := a.now()
		until := old.Renewed(now)
		if expires.given {
			var err error
			if until, err = expires.value.from(now); err != nil {
				return store.KeyChange{}, store.Entry{}, err
			}
		}
		successor = newKey(o.ID, old.Mode, old.Permission, now, until)
		after, err := old.Rotated(successor.record.ID, now, now.Add(overlap))
		if err != nil {
			return store.KeyChange{}, store.Entry{}, cannotRotate(old, err)
		}
		entry := newEntry(now, store.KeyRotated, o,
			organization.Change{Field: "key", Before: keyText(old), After: keyText(after)},
			organization.Change{Field: "key", Before: "null", After: keyText(successor.record)})
		return store.KeyChange{Before: old, After: after, New: &successor.record}, entry, nil
	})
	if err != nil {
		return err
	}
	return a.printRotated(successor, old)
}

func cannotRotate(k apikey.Record, reason error) error {
	switch {
	case errors.Is(reason, apikey.ErrRevoked):
		return fail(kindConflict, "%s was revoked at %s; issue a key in its place", k.ID, textTime(k.RevokedAt))
	case errors.Is(reason, apikey.ErrExpired):
		return fail(kindConflict, "%s expired at %s; issue a key in its place", k.ID, textTime(k.ExpiresAt))
	case errors.Is(reason, apikey.ErrReplaced):
		return fail(kindConflict, "%s was rotated already; %s takes its place", k.ID, k.ReplacedBy)
	default:
		return reason
	}
}

func (a *app) printRotated(successor issued, old apikey.Record) error {
	if a.json {
		return writeJSON(a.stdout, struct {
			Key      wireIssued `json:"key"`
			Replaced wireKey    `json:"replaced"`
		}{toWireIssued(successor), toWireKey(old, a.now())})
	}
	line := fmt.Sprintf("%s is valid until %s, and then no longer.", old.ID, textTime(old.ExpiresAt))
	if old.Check(a.now()) != nil {
		line = fmt.Sprintf("%s is no longer valid.", old.ID)
	}
	return errors.Join(writeIssued(a.stdout, successor), writeLine(a.stdout, line))
}

func (a *app) expireKeyCommand() *cobra.Command {
	var when expiry
	return &cobra.Command{
		Use:   "expires ORG KEY_ID TIME|DURATION|never",
		Short: "Change when a key expires",
		Long: `Change when a key expires: at a time, such as 2030-01-31 or 2030-01-31T12:00:00Z, after a while from now, such as 720h or
30d, or never. A key that expired already works again; one that was revoked does not.`,
		Args: func(c *cobra.Command, args []string) (err error) {
			if err := organizationArgument(3)(c, args); err != nil {
				return err
			}
			when, err = parseMoment(args[2])
			return err
		},
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, args []string) error {
			return a.expire(ctx, s, organization.ID(args[0]), args[1], when)
		}),
	}
}

func (a *app) expire(ctx context.Context, s *storage, id organization.ID, keyID string, when expiry) error {
	k, err := a.changeKey(ctx, s, id, keyID, func(o organization.Organization, k apikey.Record) (store.KeyChange, store.Entry, error) {
		now := a.now()
		at, err := when.from(now)
		if err != nil {
			return store.KeyChange{}, store.Entry{}, err
		}
		after, err := k.Expiring(at)
		if err != nil {
			return store.KeyChange{}, store.Entry{}, fail(kindConflict, "%s was revoked at %s, for good", k.ID, textTime(k.RevokedAt))
		}
		change := organization.Change{Field: "key", Before: keyText(k), After: keyText(after)}
		return store.KeyChange{Before: k, After: after}, newEntry(now, store.KeyExpires, o, change), nil
	})
	if err != nil {
		return err
	}
	if a.json {
		return writeJSON(a.stdout, toWireKey(k, a.now()))
	}
	if k.ExpiresAt == nil {
		return writeLine(a.stdout, fmt.Sprintf("%s of %s never expires", k.ID, id))
	}
	return writeLine(a.stdout, fmt.Sprintf("%s of %s expires at %s", k.ID, id, textTime(k.ExpiresAt)))
}

// expiry is when a key is to expire: at a time, after a while, or, where neither is set, never.
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

// parseMoment reads a date, which begins in UTC, a time as RFC 3339 has it, a duration, or never.
func parseMoment(s string) (expiry, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, s); err == nil {
			return expiry{at: &at}, nil
		}
	}
	e, err := parseExpiry(s)
	if err != nil {
		return e, errors.New("a key expires at a time, such as 2030-01-31 or 2030-01-31T12:00:00Z, after a duration, such as 720h or 30d, or never")
	}
	return e, nil
}

// from returns the time; nil is never. The past is refused: a slip in a year must not end a key that is in use.
func (e expiry) from(now time.Time) (*time.Time, error) {
	switch {
	case e.at != nil && !e.at.After(now):
		return nil, usageError("%s is over; orgs keys revoke ends a key at once", textTime(e.at))
	case e.at != nil && e.at.Sub(now) > maxLifetime:
		return nil, usageError("%s is more than 36500 days from now", textTime(e.at))
	case e.at != nil:
		return e.at, nil
	case e.after > 0:
		at := now.Add(e.after)
		return &at, nil
	default:
		return nil, nil
	}
}
