package main

import (
	"context"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// What the operator does to the store, each with its entry in the audit trail. Errors of the store say themselves what was
// being done.

// issued is a new key; the plain text is to be shown once.
type issued struct {
	key    apikey.Key
	record apikey.Record
}

func newKey(id organization.ID, mode apikey.Mode, p apikey.Permission, now time.Time, expiresAt *time.Time) issued {
	key := apikey.New(id, mode)
	return issued{key, apikey.NewRecord(key, p, now, expiresAt)}
}

// create stores a new organization with an admin key.
func create(ctx context.Context, s *storage, o organization.Organization, now time.Time) (issued, error) {
	key := newKey(o.ID, apikey.Live, apikey.Admin, now, nil)
	return key, s.Create(ctx, o, key.record, creation(o, key, now))
}

// creation is the first entry of an organization.
func creation(o organization.Organization, key issued, now time.Time) store.Entry {
	return newEntry(now, store.Created, o,
		organization.Change{Field: "organization", Before: "null", After: createdText(o)},
		organization.Change{Field: "key", Before: "null", After: keyText(key.record)})
}

// issue is the entry of a new key.
func issue(o organization.Organization, key issued, now time.Time) store.Entry {
	return newEntry(now, store.KeyIssued, o, organization.Change{Field: "key", Before: "null", After: keyText(key.record)})
}

// addKey stores a new key of the organization.
func addKey(ctx context.Context, s *storage, o organization.Organization, key issued, now time.Time) error {
	return noRoom(o.ID, s.AddKey(ctx, o.ID, key.record, issue(o, key, now)))
}

// noRoom says why a key cannot be stored.
func noRoom(id organization.ID, err error) error {
	switch store.KindOf(err) {
	case store.NotFound:
		return fail(kindNotFound, "%s was deleted meanwhile", id)
	case store.Full:
		return fail(kindFull, "%s has %d keys, revoked and expired ones included; it can have no more", id, apikey.MaxPerOrganization)
	}
	return err
}

// changeKey makes the change that is made of the key as it is read, and returns the key as it is then. Where someone else
// changes the key in between, it is read again.
func (a *app) changeKey(
	ctx context.Context, s *storage, id organization.ID, keyID string,
	change func(organization.Organization, apikey.Record) (store.KeyChange, store.Entry, error),
) (apikey.Record, error) {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		o, keys, err := find(ctx, s, id)
		if err != nil {
			return apikey.Record{}, err
		}
		if o.DeletedAt != nil {
			return apikey.Record{}, errDeleted(o)
		}
		k, err := findKey(o, keys, keyID)
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
			return k, fail(kindUnavailable, "the store did not confirm the change, which may have been made; see: %s; %v",
				a.commandLine("keys list "+string(o.ID)), err)
		default:
			return c.After, noRoom(o.ID, err)
		}
	}
}

// findKey returns the key with the identifier.
func findKey(o organization.Organization, keys []apikey.Record, keyID string) (apikey.Record, error) {
	for _, k := range keys {
		if k.ID == keyID {
			return k, nil
		}
	}
	return apikey.Record{}, fail(kindNotFound, "%s has no key %s", o.ID, printable(keyID))
}

func errDeleted(o organization.Organization) error {
	return fail(kindConflict, "%s is deleted; orgs undelete brings it back", o.ID)
}

// revokeKey revokes one of the organization's keys.
func revokeKey(ctx context.Context, s *storage, o organization.Organization, key apikey.Record, now time.Time) error {
	revoked := key
	at := organization.Timestamp(now)
	revoked.RevokedAt = &at
	change := organization.Change{Field: "key", Before: keyText(key), After: keyText(revoked)}
	return s.RevokeKey(ctx, o.ID, key.ID, at, newEntry(now, store.KeyRevoked, o, change))
}

// remove marks the organization as deleted.
func remove(ctx context.Context, s *storage, o organization.Organization, now time.Time) error {
	at := organization.Timestamp(now)
	change := organization.Change{Field: "deleted_at", Before: "null", After: timeText(&at)}
	return s.Delete(ctx, o.ID, at, newEntry(now, store.Deleted, o, change))
}

// bringBack takes the mark away.
func bringBack(ctx context.Context, s *storage, o organization.Organization, now time.Time) error {
	change := organization.Change{Field: "deleted_at", Before: timeText(o.DeletedAt), After: "null"}
	return s.Undelete(ctx, o.ID, newEntry(now, store.Undeleted, o, change))
}

// find returns the organization, deleted or not, and its keys.
func find(ctx context.Context, s *storage, id organization.ID) (organization.Organization, []apikey.Record, error) {
	o, keys, err := s.Get(ctx, id)
	if store.KindOf(err) == store.NotFound {
		return o, nil, fail(kindNotFound, "there is no organization %s", id)
	}
	return o, keys, err
}

// pages calls f for every organization, page by page, until f returns false.
func pages(ctx context.Context, s *storage, f func(organization.Organization) bool) error {
	const size = 100
	for cursor := ""; ; {
		page, next, err := s.List(ctx, cursor, size)
		if err != nil {
			return err
		}
		for _, o := range page {
			if !f(o) {
				return nil
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

// newEntry returns the audit entry of something that the operator does now, and that leaves the record's version alone.
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

// The texts of changes: JSON, without anything secret.

func createdText(o organization.Organization) string {
	return jsonText(struct {
		Name         string  `json:"organization_name"`
		Tier         string  `json:"account_type"`
		Credits      int64   `json:"credit_count"`
		BillingEmail *string `json:"billing_email"`
	}{o.Name, string(o.Tier), o.Credits, o.BillingEmail})
}

func keyText(k apikey.Record) string {
	return jsonText(struct {
		ID         string  `json:"key_id"`
		Permission string  `json:"permission"`
		Mode       string  `json:"mode"`
		ExpiresAt  *string `json:"expires_at"`
		RevokedAt  *string `json:"revoked_at,omitempty"`
		ReplacedBy string  `json:"replaced_by,omitempty"`
	}{k.ID, k.Permission.String(), string(k.Mode), wireTime(k.ExpiresAt), wireTime(k.RevokedAt), k.ReplacedBy})
}

func timeText(t *time.Time) string { return jsonText(wireTime(t)) }
