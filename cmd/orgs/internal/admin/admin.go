// Package admin is what an operator does to organizations: it creates, finds, shows, changes and deletes them, issues,
// rotates and revokes their keys, and shows their audit trails. It holds these commands, the changes that they make to
// the store, and the JSON and text that they print. Other groups of commands use the changes and the JSON.
//
// It must import no other group of commands, and no engine of the store.
package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Commands returns the commands of this package.
func Commands(a *cli.App) []*cobra.Command {
	return []*cobra.Command{
		createCommand(a), showCommand(a), updateCommand(a), listCommand(a), findCommand(a), deleteCommand(a), undeleteCommand(a),
		auditCommand(a), keysCommand(a), tablesCommand(a),
	}
}

func tablesCommand(a *cli.App) *cobra.Command {
	create := &cobra.Command{
		Use:   "create",
		Short: "Create the missing DynamoDB tables",
		Long: `Create the missing DynamoDB tables at a local endpoint ($` + backend.EndpointVariable + `). In AWS, deploy the
template instead: its tables have backups and are protected against deletion.`,
		Example: "  orgs tables create --store dynamodb:dev",
		Args:    cli.Arguments,
		PreRunE: func(*cobra.Command, []string) error {
			return a.Choice().NeedsDynamoDB("a SQLite file needs no tables created")
		},
		RunE: a.RunWith(backend.Open, func(ctx context.Context, s *backend.Store, _ []string) error {
			if err := s.CreateTables(ctx); err != nil {
				return err
			}
			tables := []string{s.DynamoDB.Tables.Organizations, s.DynamoDB.Tables.Counters}
			are := strings.Join(tables, " and ") + " are there"
			return a.PrintDone("the tables "+are, struct {
				Tables []string `json:"tables"`
			}{tables}, "The tables "+are+".")
		}),
	}
	return cli.Group(&cobra.Command{
		Use: "tables", Short: "Create DynamoDB tables on this machine", Example: "  orgs tables create --store dynamodb:dev",
	}, create)
}

// Every change below writes its own entry into the audit trail. The store's errors say what was being done.

// IssuedKey is a new key. Its plain text can be shown now and never again.
type IssuedKey struct {
	Key    apikey.Key
	Record apikey.Record
}

// KeySecret returns the secret with which keys of the store are made. If the store has none, it gets one.
func KeySecret(ctx context.Context, s store.Signing) (apikey.Secret, error) {
	secrets, err := s.EnsureKeySecrets(ctx)
	if err != nil {
		return apikey.Secret{}, err
	}
	return secrets[0], nil
}

// NewKey makes a key without a label, with the secret of a store. It stores nothing.
func NewKey(
	secret apikey.Secret, id organization.ID, mode apikey.Mode, p apikey.Permission, now time.Time, expiresAt *time.Time,
) IssuedKey {
	key := apikey.New(id, mode, secret)
	return IssuedKey{key, apikey.NewRecord(key, p, now, expiresAt)}
}

// LostKeys says that the store has keys which nobody knows, and what to do about them.
func LostKeys(s *backend.Store, id organization.ID, keys ...IssuedKey) string {
	var ids, commands []string
	for _, k := range keys {
		ids = append(ids, k.Record.ID)
		commands = append(commands, s.Choice.CommandLine(fmt.Sprintf("keys revoke %s %s", id, k.Record.ID)),
			s.Choice.CommandLine(fmt.Sprintf("keys issue %s --permission %s", id, k.Record.Permission)))
	}
	return fmt.Sprintf("nobody has %s; revoke and replace what was lost with:\n  %s",
		strings.Join(ids, " and "), strings.Join(commands, "\n  "))
}

// Create stores a new organization with a new admin key, whose label may be "". If the store does not confirm it, the
// error says what to do, because then nobody gets to see the key.
func Create(
	ctx context.Context, s *backend.Store, o organization.Organization, label string, now time.Time,
) (IssuedKey, error) {
	secret, err := KeySecret(ctx, s)
	if err != nil {
		return IssuedKey{}, err
	}
	key := NewKey(secret, o.ID, apikey.Live, apikey.Admin, now, nil)
	key.Record.Label = label
	err = s.Create(ctx, o, key.Record, CreatedEntry(o, key, now))
	if store.Unavailable(err) {
		err = fmt.Errorf("%w; if %s was created all the same, nobody has its key; remove it with: %s",
			err, o.ID, s.Choice.CommandLine("delete "+string(o.ID)+" --purge"))
	}
	return key, err
}

// AddKey stores a new key of the organization. If the store does not confirm it, the error says what to do, because
// then nobody gets to see the key.
func AddKey(ctx context.Context, s *backend.Store, o organization.Organization, key IssuedKey, now time.Time) error {
	err := s.AddKey(ctx, o.ID, key.Record, IssuedEntry(o, key, now))
	if store.Unavailable(err) {
		return fmt.Errorf("%w; if %s was issued all the same, nobody has it; revoke it with: %s",
			err, key.Record.ID, s.Choice.CommandLine("keys revoke "+string(o.ID)+" "+key.Record.ID))
	}
	return noRoom(o.ID, err)
}

// noRoom explains why a key cannot be stored.
func noRoom(id organization.ID, err error) error {
	switch store.KindOf(err) {
	case store.NotFound:
		return term.Fail(term.NotFound, "%s was deleted meanwhile", id)
	case store.Full:
		return full(id)
	default:
		return err
	}
}

func full(id organization.ID) error {
	return term.Fail(term.Full, "%s has %d keys, revoked and expired ones included; it can have no more",
		id, apikey.MaxPerOrganization)
}

// target is the organization that a command works on, deleted or not.
type target struct {
	store        *backend.Store
	organization organization.Organization
	keys         []apikey.Record
}

// find returns the organization. The error is a NotFound failure if there is none.
func find(ctx context.Context, s *backend.Store, id organization.ID) (target, error) {
	o, keys, err := s.Get(ctx, id)
	if store.KindOf(err) == store.NotFound {
		err = noOrganization(s, id)
	}
	return target{s, o, keys}, err
}

func noOrganization(s *backend.Store, id organization.ID) error {
	return term.Fail(term.NotFound, "there is no organization %s; see those there are with: %s", id, s.Choice.CommandLine("list"))
}

func isDeleted(id organization.ID) error {
	return term.Fail(term.Conflict, "%s is deleted; orgs undelete brings it back", id)
}

// unconfirmed returns the failure of a change that may or may not have been made. look is the command that shows which.
func unconfirmed(s *backend.Store, look string, err error) error {
	return term.Fail(term.Unavailable, "the store did not confirm the change, which may have been made; see: %s; %v",
		s.Choice.CommandLine(look), err)
}

// withOrganization returns the RunE of a command whose first argument names an organization that exists.
func withOrganization(a *cli.App, f func(ctx context.Context, t target, args []string) error) cli.RunE {
	return a.RunWith(backend.OpenExisting, func(ctx context.Context, s *backend.Store, args []string) error {
		t, err := find(ctx, s, organization.ID(args[0]))
		if err != nil {
			return err
		}
		return f(ctx, t, args)
	})
}

// key returns the key with the identifier. The error is a NotFound failure if there is none.
func (t target) key(id string) (apikey.Record, error) {
	for _, k := range t.keys {
		if k.ID == id {
			return k, nil
		}
	}
	return apikey.Record{}, term.Fail(term.NotFound, "%s has no key %s; see its keys with: %s",
		t.organization.ID, term.Printable(id), t.listKeys())
}

// listKeys returns the command that lists the keys.
func (t target) listKeys() string {
	return t.store.Choice.CommandLine("keys list " + string(t.organization.ID))
}

// needLive refuses an organization that is deleted.
func (t target) needLive() error {
	if t.organization.DeletedAt != nil {
		return isDeleted(t.organization.ID)
	}
	return nil
}

// changeKey makes a change to the key that args name, as ORG KEY_ID. It returns the key after the change. If someone
// else changes the key meanwhile, it calls change again. It calls before just before each try to store the change. If
// before returns an error, the command ends and nothing is changed.
func changeKey(
	ctx context.Context, a *cli.App, s *backend.Store, args []string, action store.Action,
	change func(k apikey.Record, now time.Time) (store.KeyChange, error), before func(store.KeyChange) error,
) (apikey.Record, error) {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		t, err := find(ctx, s, organization.ID(args[0]))
		if err == nil {
			err = t.needLive()
		}
		if err != nil {
			return apikey.Record{}, err
		}
		k, err := t.key(args[1])
		if err != nil {
			return k, err
		}
		now := a.Now()
		c, err := change(k, now)
		if err != nil {
			return k, err
		}
		changes := []organization.Change{{Field: keyField, Before: keyText(k), After: keyText(c.After)}}
		if c.New != nil {
			if len(t.keys) >= apikey.MaxPerOrganization {
				return k, full(t.organization.ID)
			}
			changes = append(changes, newKeyChange(*c.New))
		}
		if err := before(c); err != nil {
			return k, err
		}
		err = s.ChangeKey(ctx, t.organization.ID, c, newEntry(now, action, t.organization, changes...))
		switch {
		case store.KindOf(err) == store.Conflict && attempt < attempts:
		case store.Unavailable(err):
			return k, unconfirmed(s, "keys list "+string(t.organization.ID), err)
		default:
			return c.After, noRoom(t.organization.ID, err)
		}
	}
}

// revokeKey revokes the key at now.
func (t target) revokeKey(ctx context.Context, key apikey.Record, now time.Time) error {
	at := organization.Timestamp(now)
	revoked := key
	revoked.RevokedAt = &at
	change := organization.Change{Field: keyField, Before: keyText(key), After: keyText(revoked)}
	return t.store.RevokeKey(ctx, t.organization.ID, key.ID, at, newEntry(now, store.KeyRevoked, t.organization, change))
}

// markDeleted marks the organization as deleted at now.
func (t target) markDeleted(ctx context.Context, now time.Time) error {
	at := organization.Timestamp(now)
	change := organization.Change{Field: "deleted_at", Before: "null", After: timeText(&at)}
	return t.store.Delete(ctx, t.organization.ID, at, newEntry(now, store.Deleted, t.organization, change))
}

// undelete clears the mark.
func (t target) undelete(ctx context.Context, now time.Time) error {
	change := organization.Change{Field: "deleted_at", Before: timeText(t.organization.DeletedAt), After: "null"}
	err := t.store.Undelete(ctx, t.organization.ID, newEntry(now, store.Undeleted, t.organization, change))
	if store.KindOf(err) == store.Conflict {
		return term.Fail(term.Conflict, "a purge of %s was begun, so it cannot come back; remove the rest with: %s",
			t.organization.ID, t.store.Choice.CommandLine("delete --purge "+string(t.organization.ID)))
	}
	return err
}

// CreatedEntry returns the first audit entry of an organization with its first key.
func CreatedEntry(o organization.Organization, key IssuedKey, now time.Time) store.Entry {
	return newEntry(now, store.Created, o,
		organization.Change{Field: "organization", Before: "null", After: createdText(o)}, newKeyChange(key.Record))
}

// IssuedEntry returns the audit entry of a new key.
func IssuedEntry(o organization.Organization, key IssuedKey, now time.Time) store.Entry {
	return newEntry(now, store.KeyIssued, o, newKeyChange(key.Record))
}

// keyField is the field of a change of a key in the audit trail.
const keyField = "key"

func newKeyChange(k apikey.Record) organization.Change {
	return organization.Change{Field: keyField, Before: "null", After: keyText(k)}
}

// newEntry returns the audit entry of a change by the operator at now. The version of the record stays the same.
func newEntry(now time.Time, action store.Action, o organization.Organization, changes ...organization.Change) store.Entry {
	return store.Entry{
		ID:        store.NewEntryID(now),
		Action:    action,
		Actor:     store.OperatorActor,
		RequestID: newRequestID(),
		Version:   o.Version,
		Changes:   changes,
	}
}

// newRequestID returns an identifier for one run of the command. It takes the place of a request's identifier.
func newRequestID() string { return "cli_" + base62.Random(22) }
