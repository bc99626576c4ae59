package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

func keysCommand(a *cli.App) *cobra.Command {
	return cli.Group(&cobra.Command{
		Use:     "keys",
		Short:   "Issue, list, rotate and revoke the keys of an organization",
		Example: "  orgs keys issue org_znU9VHanHBWwM --permission read\n  orgs keys list org_znU9VHanHBWwM",
	}, issueCommand(a), listKeysCommand(a), rotateCommand(a), expiresCommand(a), revokeCommand(a))
}

func issueCommand(a *cli.App) *cobra.Command {
	permission := cli.NewFlag("read|write|delete|admin", "", apikey.ParsePermission)
	mode := cli.NewFlag("live|test", string(apikey.Live), apikey.ParseMode)
	expires := cli.NewFlag(cli.OrNeverKind, "", cli.ParseMomentOrNever)
	label := cli.NewFlag("label", "", checked(apikey.CheckLabel))
	c := &cobra.Command{
		Use:   "issue ORG --permission PERMISSION",
		Short: "Issue a key; it is shown once and never again",
		Example: `  orgs keys issue org_znU9VHanHBWwM --permission read
  orgs keys issue org_znU9VHanHBWwM --permission admin --mode test --expires 90d --label web-ci`,
		Args: cli.OrganizationArgument,
		RunE: withOrganization(a, func(ctx context.Context, t target, args []string) error {
			if err := t.needLive(); err != nil {
				return err
			}
			now := a.Now()
			expiresAt, err := future(expires.Value, now) // nil without the flag
			if err != nil {
				return err
			}
			secret, err := KeySecret(ctx, t.store)
			if err != nil {
				return err
			}
			key := NewKey(secret, t.organization.ID, mode.Value, permission.Value, now, expiresAt)
			key.Record.Label = label.Value
			if err := AddKey(ctx, t.store, t.organization, key, now); err != nil {
				return err
			}
			return a.PrintSecret(key.ToJSON(), issuedText(a.Stdout, key),
				fmt.Sprintf("a key of %s was issued, but could not be shown", t.organization.ID),
				LostKeys(t.store, t.organization.ID, key))
		}),
	}
	c.Flags().Var(permission, "permission", "what the key allows; each permission includes the ones before it")
	c.Flags().Var(mode, "mode", "live for production, test to try things out")
	c.Flags().Var(expires, "expires", "when the key expires, such as 30d or 2030-01-31 (default never)")
	c.Flags().Var(label, "label", "what to call the key, such as the name of the person who gets it")
	cobra.CheckErr(c.MarkFlagRequired("permission"))
	return c
}

func listKeysCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "list ORG",
		Short: "List the keys of an organization, the oldest first",
		Long: `List the keys of an organization, the oldest first.

LAST USED is exact to the hour. It is "unknown" for a key that was issued by an older version, which did not note uses, and
that has not been used since.`,
		Example: "  orgs keys list org_znU9VHanHBWwM",
		Args:    cli.OrganizationArgument,
		RunE: withOrganization(a, func(ctx context.Context, t target, args []string) error {
			return printKeys(a, t.keys, readUses(ctx, a, t))
		}),
	}
}

func printKeys(a *cli.App, keys []apikey.Record, uses keyUses) error {
	now := a.Now()
	listed := make([]ListedKeyJSON, 0, len(keys))
	rows := make([][]string, 0, len(keys))
	for _, k := range keys {
		listed = append(listed, ListedKeyJSON{keyToJSON(k, now), uses.of(k.ID, organization.FormatTime)})
		rows = append(rows, []string{
			k.ID, orNone(nullIfEmpty(k.Label)), k.Permission.String(), string(k.Mode), keyStatus(k, now),
			term.Time(&k.CreatedAt), uses.of(k.ID, hour),
			term.Time(k.ExpiresAt), term.Time(k.RevokedAt), orNone(nullIfEmpty(k.ReplacedBy)),
		})
	}
	header := []string{
		"KEY", "LABEL", "PERMISSION", "MODE", "STATUS", "CREATED", "LAST USED", "EXPIRES", "REVOKED", "REPLACED BY",
	}
	return a.Print(struct {
		Keys []ListedKeyJSON `json:"keys"`
	}{listed}, a.Stdout.Table(header, rows, "REPLACED BY", "REVOKED", "MODE", "CREATED", "LAST USED"))
}

func revokeCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:     "revoke ORG KEY_ID",
		Short:   "Revoke a key; it stops working at once and for good",
		Example: "  orgs keys revoke org_znU9VHanHBWwM key_4mGq8TzLw2XbR",
		Args:    cli.OrganizationArgument,
		RunE: withOrganization(a, func(ctx context.Context, t target, args []string) error {
			k, err := t.key(args[1])
			if err != nil {
				return err
			}
			if k.RevokedAt == nil {
				now := a.Now()
				if err := t.revokeKey(ctx, k, now); err != nil {
					return err
				}
				k.RevokedAt = new(organization.Timestamp(now))
			}
			text := fmt.Sprintf("%s of %s is revoked since %s", k.ID, t.organization.ID, term.Time(k.RevokedAt))
			return a.PrintDone(text, keyToJSON(k, a.Now()), text)
		}),
	}
}

// keyUses says when the keys of an organization were last used, as store.KeyUses returns it. A key that was never used
// has the zero time. A key whose use is unknown is missing.
type keyUses map[string]time.Time

// readUses reads the uses. If that fails, it prints a warning, so that the keys are still shown.
func readUses(ctx context.Context, a *cli.App, t target) keyUses {
	uses, err := t.store.KeyUses(ctx, t.organization.ID)
	if err != nil {
		message := fmt.Sprintf("when keys were last used is not known: %v", err)
		a.Stderr.Warn(&term.Failure{Kind: backend.KindOf(err), Message: message}, a.JSON)
	}
	return uses
}

// These words are shown instead of a time.
const (
	neverUsed  = "never"
	unknownUse = "unknown" // issued before uses were noted, or restored, and not used since
)

// of returns when the key was last used, as format writes it.
func (u keyUses) of(keyID string, format func(time.Time) string) string {
	switch at, known := u[keyID]; {
	case !known:
		return unknownUse
	case at.IsZero():
		return neverUsed
	default:
		return format(at)
	}
}

// ofAny returns when any of the keys was last used.
func (u keyUses) ofAny(keys []apikey.Record, format func(time.Time) string) string {
	var latest time.Time
	unknown := false
	for _, k := range keys {
		at, known := u[k.ID]
		if at.After(latest) {
			latest = at
		}
		unknown = unknown || !known
	}
	switch {
	case !latest.IsZero():
		return format(latest)
	case unknown:
		return unknownUse
	default:
		return neverUsed
	}
}

// hour returns the time for people. It has no minutes, because uses are noted by the hour.
func hour(t time.Time) string { return t.UTC().Format("2006-01-02 15:00Z") }
