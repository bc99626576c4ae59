// Package admin is what an operator does to organizations: it creates, shows and deletes them, issues, rotates and
// revokes their keys, and reads their audit trails. It holds these commands, the changes that they make to the store, and
// the JSON and text of what they print. Other groups of commands use the changes and the JSON.
//
// It must import no other group of commands, and no engine of the store.
package admin

import (
	"context"
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
		createCommand(a), showCommand(a), listCommand(a), deleteCommand(a), undeleteCommand(a),
		auditCommand(a), keysCommand(a), tablesCommand(a),
	}
}

func tablesCommand(a *cli.App) *cobra.Command {
	create := &cobra.Command{
		Use:   "create",
		Short: "Create the DynamoDB tables where they are missing",
		Long: `Create the DynamoDB tables where they are missing, for a local endpoint ($` + backend.EndpointVariable + `). In AWS the
template creates them, with backups and protection against deletion that these do not have.`,
		Example: "  orgs tables create --store dynamodb:dev",
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			return a.Choice().NeedsDynamoDB("a SQLite file needs no tables created")
		},
		RunE: a.RunWith(backend.Open, func(ctx context.Context, s *backend.Store, _ []string) error {
			if err := s.CreateTables(ctx); err != nil {
				return err
			}
			tables := []string{s.DynamoDB.Tables.Organizations, s.DynamoDB.Tables.Counters}
			return a.Print(struct {
				Tables []string `json:"tables"`
			}{tables}, "The tables "+strings.Join(tables, " and ")+" are there.")
		}),
	}
	return cli.Group(&cobra.Command{
		Use: "tables", Short: "Prepare DynamoDB", Example: "  orgs tables create --store dynamodb:dev",
	}, create)
}

// Every change below writes its own entry into the audit trail. The store's errors say what was being done.

// IssuedKey is a new key. Its plain text can be shown now and never again.
type IssuedKey struct {
	Key    apikey.Key
	Record apikey.Record
}

// NewKey makes a key. It stores nothing.
func NewKey(id organization.ID, mode apikey.Mode, p apikey.Permission, now time.Time, expiresAt *time.Time) IssuedKey {
	key := apikey.New(id, mode)
	return IssuedKey{key, apikey.NewRecord(key, p, now, expiresAt)}
}

// Create stores a new organization with a new admin key.
func Create(ctx context.Context, s *backend.Store, o organization.Organization, now time.Time) (IssuedKey, error) {
	key := NewKey(o.ID, apikey.Live, apikey.Admin, now, nil)
	return key, s.Create(ctx, o, key.Record, CreatedEntry(o, key, now))
}

// AddKey stores a new key of the organization.
func AddKey(ctx context.Context, s *backend.Store, o organization.Organization, key IssuedKey, now time.Time) error {
	return noRoom(o.ID, s.AddKey(ctx, o.ID, key.Record, IssuedEntry(o, key, now)))
}

// noRoom explains why a key cannot be stored.
func noRoom(id organization.ID, err error) error {
	switch store.KindOf(err) {
	case store.NotFound:
		return term.Fail(term.NotFound, "%s was deleted meanwhile", id)
	case store.Full:
		return term.Fail(term.Full, "%s has %d keys, revoked and expired ones included; it can have no more", id, apikey.MaxPerOrganization)
	default:
		return err
	}
}

// keyChange returns the change to make to a key as it was read, and the entry of that change.
type keyChange func(organization.Organization, apikey.Record) (store.KeyChange, store.Entry, error)

// changeKey reads the key, makes the change, and returns the key after it. If someone else changes the key in between,
// it starts again.
func changeKey(ctx context.Context, s *backend.Store, id organization.ID, keyID string, change keyChange) (apikey.Record, error) {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		o, keys, err := find(ctx, s, id)
		if err != nil {
			return apikey.Record{}, err
		}
		if o.DeletedAt != nil {
			return apikey.Record{}, errDeleted(o)
		}
		k, err := findKey(s, o, keys, keyID)
		if err != nil {
			return k, err
		}
		c, entry, err := change(o, k)
		if err != nil {
			return k, err
		}
		err = s.ChangeKey(ctx, o.ID, c, entry)
		switch {
		case store.KindOf(err) == store.Conflict && attempt < attempts:
		case store.Unavailable(err):
			return k, term.Fail(term.Unavailable, "the store did not confirm the change, which may have been made; see: %s; %v",
				s.Choice.CommandLine("keys list "+string(o.ID)), err)
		default:
			return c.After, noRoom(o.ID, err)
		}
	}
}

// revokeKey revokes the key at now.
func revokeKey(ctx context.Context, s *backend.Store, o organization.Organization, key apikey.Record, now time.Time) error {
	at := organization.Timestamp(now)
	revoked := key
	revoked.RevokedAt = &at
	change := organization.Change{Field: "key", Before: keyText(key), After: keyText(revoked)}
	return s.RevokeKey(ctx, o.ID, key.ID, at, newEntry(now, store.KeyRevoked, o, change))
}

// markDeleted marks the organization as deleted at now.
func markDeleted(ctx context.Context, s *backend.Store, o organization.Organization, now time.Time) error {
	at := organization.Timestamp(now)
	change := organization.Change{Field: "deleted_at", Before: "null", After: timeText(&at)}
	return s.Delete(ctx, o.ID, at, newEntry(now, store.Deleted, o, change))
}

// undelete clears the mark.
func undelete(ctx context.Context, s *backend.Store, o organization.Organization, now time.Time) error {
	change := organization.Change{Field: "deleted_at", Before: timeText(o.DeletedAt), After: "null"}
	return s.Undelete(ctx, o.ID, newEntry(now, store.Undeleted, o, change))
}

// find returns the organization, deleted or not, and its keys. The error is a NotFound failure if there is none.
func find(ctx context.Context, s *backend.Store, id organization.ID) (organization.Organization, []apikey.Record, error) {
	o, keys, err := s.Get(ctx, id)
	if store.KindOf(err) == store.NotFound {
		err = term.Fail(term.NotFound, "there is no organization %s; see those there are with: %s", id, s.Choice.CommandLine("list"))
	}
	return o, keys, err
}

// findKey returns the key with the identifier. The error is a NotFound failure if there is none.
func findKey(s *backend.Store, o organization.Organization, keys []apikey.Record, keyID string) (apikey.Record, error) {
	for _, k := range keys {
		if k.ID == keyID {
			return k, nil
		}
	}
	return apikey.Record{}, term.Fail(term.NotFound, "%s has no key %s; see its keys with: %s",
		o.ID, term.Printable(keyID), s.Choice.CommandLine("keys list "+string(o.ID)))
}

func errDeleted(o organization.Organization) error {
	return term.Fail(term.Conflict, "%s is deleted; orgs undelete brings it back", o.ID)
}

// CreatedEntry returns the first audit entry of an organization with its first key.
func CreatedEntry(o organization.Organization, key IssuedKey, now time.Time) store.Entry {
	return newEntry(now, store.Created, o,
		organization.Change{Field: "organization", Before: "null", After: createdText(o)},
		organization.Change{Field: "key", Before: "null", After: keyText(key.Record)})
}

// IssuedEntry returns the audit entry of a new key.
func IssuedEntry(o organization.Organization, key IssuedKey, now time.Time) store.Entry {
	return newEntry(now, store.KeyIssued, o, organization.Change{Field: "key", Before: "null", After: keyText(key.Record)})
}

// newEntry returns the audit entry of something that the operator does now. The record keeps its version.
func newEntry(now time.Time, action store.Action, o organization.Organization, changes ...organization.Change) store.Entry {
	return store.Entry{
		ID:        store.NewEntryID(now),
		Action:    action,
		Actor:     store.OperatorActor,
		RequestID: "cli_" + base62.Random(22),
		Version:   o.Version,
		Changes:   changes,
	}
}
