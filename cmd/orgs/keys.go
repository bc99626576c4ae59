package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

func (a *app) keysCommand() *cobra.Command {
	c := group(&cobra.Command{Use: "keys", Short: "Issue, list, rotate and revoke the keys of an organization"})
	c.AddCommand(a.issueKeyCommand(), a.listKeysCommand(), a.rotateKeyCommand(), a.expireKeyCommand(), a.revokeKeyCommand())
	return c
}

func (a *app) issueKeyCommand() *cobra.Command {
	permission := newParsed("read|write|delete|admin", "", apikey.ParsePermission)
	mode := newParsed("live|test", string(apikey.Live), apikey.ParseMode)
	expires := newParsed("duration", "", parseLifetime)
	c := &cobra.Command{
		Use:   "issue ORG --permission PERMISSION",
		Short: "Issue a key; it is shown once and never again",
		Args:  organizationArgument(1),
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, args []string) error {
			o, _, err := find(ctx, s, organization.ID(args[0]))
			if err != nil {
				return err
			}
			if o.DeletedAt != nil {
				return errDeleted(o)
			}
			now := a.now()
			var expiresAt *time.Time
			if expires.given {
				at := now.Add(expires.value)
				expiresAt = &at
			}
			key := newKey(o.ID, mode.value, permission.value, now, expiresAt)
			if err := addKey(ctx, s, o, key, now); err != nil {
				return err
			}
			if a.json {
				return writeJSON(a.stdout, toWireIssued(key))
			}
			return writeIssued(a.stdout, key)
		}),
	}
	c.Flags().Var(permission, "permission", "what the key may be used for; each includes those before it")
	c.Flags().Var(mode, "mode", "for production, or for trying things out")
	c.Flags().Var(expires, "expires", "how long the key is valid, such as 720h or 30d (default for ever)")
	cobra.CheckErr(c.MarkFlagRequired("permission"))
	return c
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

func (a *app) listKeysCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list ORG",
		Short: "List the keys of an organization, the oldest first",
		Long: `List the keys of an organization, the oldest first. When a key was last used is known to the hour; it is unknown of keys
that were issued by a version that did not note it and have not been used since.`,
		Args: organizationArgument(1),
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, args []string) error {
			o, keys, err := find(ctx, s, organization.ID(args[0]))
			if err != nil {
				return err
			}
			return a.printKeys(keys, a.keyUses(ctx, s, o.ID))
		}),
	}
}

func (a *app) printKeys(keys []apikey.Record, uses keyUses) error {
	now := a.now()
	if a.json {
		wire := make([]wireListedKey, 0, len(keys))
		for _, k := range keys {
			wire = append(wire, wireListedKey{toWireKey(k, now), uses.of(k.ID, organization.FormatTime)})
		}
		return writeJSON(a.stdout, struct {
			Keys []wireListedKey `json:"keys"`
		}{wire})
	}
	rows := make([][]string, 0, len(keys))
	for _, k := range keys {
		rows = append(rows, []string{
			k.ID, k.Permission.String(), string(k.Mode), keyStatus(k, now),
			textTime(&k.CreatedAt), uses.of(k.ID, hour), textTime(k.ExpiresAt), textTime(k.RevokedAt), orNone(wireName(k.ReplacedBy)),
		})
	}
	header := []string{"KEY", "PERMISSION", "MODE", "STATUS", "CREATED", "LAST USED", "EXPIRES", "REVOKED", "REPLACED BY"}
	return writeTable(a.stdout, header, rows)
}

func (a *app) revokeKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ORG KEY_ID",
		Short: "Revoke a key; it stops working at once and for good",
		Args:  organizationArgument(2),
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, args []string) error {
			o, keys, err := find(ctx, s, organization.ID(args[0]))
			if err != nil {
				return err
			}
			k, err := findKey(o, keys, args[1])
			if err != nil {
				return err
			}
			return a.revoke(ctx, s, o, k)
		}),
	}
}

// revoke revokes the key, or says that it is revoked already.
func (a *app) revoke(ctx context.Context, s *storage, o organization.Organization, k apikey.Record) error {
	if k.RevokedAt == nil {
		now := a.now()
		if err := revokeKey(ctx, s, o, k, now); err != nil {
			return err
		}
		at := organization.Timestamp(now)
		k.RevokedAt = &at
	}
	if a.json {
		return writeJSON(a.stdout, toWireKey(k, a.now()))
	}
	return writeLine(a.stdout, fmt.Sprintf("%s of %s is revoked since %s", k.ID, o.ID, textTime(k.RevokedAt)))
}
