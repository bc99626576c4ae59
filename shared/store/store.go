// Package store says what the service needs of storage: the questions it asks, the changes it makes, and the errors that
// it tells apart. The engines are in the packages below it; storetest holds them to one behaviour.
//
// It must import nothing but the standard library and the domain packages organization and apikey.
package store

import (
	"context"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

// Found is what one look-up returns.
type Found struct {
	Organization organization.Organization
	Key          *apikey.Record // the key that was asked for; nil where the organization has no such key
}

// Update is one accepted change of a record.
type Update struct {
	Before organization.Organization // as it was read; the change takes effect only on this version
	After  organization.Organization // from Before.Apply, with its changes
	Audit  Entry
}

// Entry is one line of an organization's audit trail. Entries are written together with what they tell of, or not at all.
type Entry struct {
	ID        string // made by NewEntryID; entries sort by it
	Action    Action
	Actor     string // the id of the key that was used, or OperatorActor
	RequestID string
	Version   int64 // of the record after the change
	Changes   []organization.Change
}

// Action says what an entry tells of.
type Action string

// The actions.
const (
	Created    Action = "organization.created"
	Updated    Action = "organization.updated"
	Deleted    Action = "organization.deleted"
	Undeleted  Action = "organization.undeleted"
	KeyIssued  Action = "key.issued"
	KeyRotated Action = "key.rotated"
	KeyExpires Action = "key.expires"
	KeyRevoked Action = "key.revoked"
)

// OperatorActor is the actor of what is done with the operator's command and not with a key.
const OperatorActor = "operator"

// Records is what serving a request needs of the organizations. An engine is safe for concurrent use, by several
// processes at once. A read sees every change that was acknowledged before it began.
type Records interface {
	// Find returns the organization and the one key of it that has the hash. A deleted organization is found, with
	// DeletedAt set. The error is a NotFound where there is no such organization.
	Find(ctx context.Context, id organization.ID, key apikey.Hash) (Found, error)

	// Update makes the change and writes its audit entry, both or neither. The error is a Conflict where the stored record
	// is not of Before's version any more or is deleted, and a NotFound where it is gone. After a Throttled or
	// Unreachable the change may have taken effect.
	Update(ctx context.Context, u Update) error
}

// Counters counts requests.
type Counters interface {
	// Count adds one to the requests of the organization in the category in the window that starts at the time given, and
	// returns the sum, this request included. No two calls get the same sum. An engine may forget a window a day after
	// it ended.
	Count(ctx context.Context, id organization.ID, category organization.Category, window time.Time) (int64, error)
}

// Directory is what an operator needs of the organizations.
type Directory interface {
	// Create stores a new organization with its first key. The error is a Conflict where the identifier is taken.
	Create(ctx context.Context, o organization.Organization, key apikey.Record, e Entry) error

	// Get returns the organization and all its keys, the oldest first. A deleted one is found, with DeletedAt set.
	Get(ctx context.Context, id organization.ID) (organization.Organization, []apikey.Record, error)

	// List returns at most limit organizations, deleted ones included, and the cursor of the next page: "" after the
	// last. The first page has the cursor "". limit must be at least 1. Each organization that exists all the while comes
	// exactly once; the order is the engine's.
	List(ctx context.Context, cursor string, limit int) ([]organization.Organization, string, error)
}

// Lifecycle is how an operator ends an organization. The version of a record and its update time count changes by
// patches only; nothing here touches them.
type Lifecycle interface {
	// Delete marks the organization as deleted at the time given; its item, keys and audit trail stay. From then on no Update of it
	// succeeds. Deleting a deleted organization changes nothing and writes no entry. The error is a NotFound where there
	// is no such organization.
	Delete(ctx context.Context, id organization.ID, at time.Time, e Entry) error

	// Undelete takes the mark away, so that its keys work again. It is to Delete as Delete is to it.
	Undelete(ctx context.Context, id organization.ID, e Entry) error

	// Purge removes the organization, its keys and its audit trail for good. Purging what is not there is no error; a
	// purge that failed half-way can be repeated.
	Purge(ctx context.Context, id organization.ID) error
}

// Keys is how an operator issues, changes and revokes keys. All touch only the keys that they are about, so they never
// conflict with an update of the record.
type Keys interface {
	// AddKey stores a new key. The error is a NotFound where the organization does not exist or is deleted, a Conflict where
	// it has a key of that hash, and a Full where it has apikey.MaxPerOrganization keys already.
	AddKey(ctx context.Context, id organization.ID, key apikey.Record, e Entry) error

	// RevokeKey marks a key as revoked. Revoking a revoked key changes nothing and writes no entry. The error is a NotFound
	// where there is no such key.
	RevokeKey(ctx context.Context, id organization.ID, keyID string, at time.Time, e Entry) error

	// ChangeKey makes the change and writes its audit entry, all of it or nothing. The error is a NotFound where the
	// organization does not exist or is deleted, or has no such key; a Conflict where the key is not as in Before any more
	// or New's hash is taken; and a Full where there is no room for New.
	ChangeKey(ctx context.Context, id organization.ID, c KeyChange, e Entry) error
}

// Trail is how an operator reads what happened.
type Trail interface {
	// Audit returns at most limit entries of the organization, the newest first, and the cursor of the next page: "" after
	// the last. The first page has the cursor "". limit must be at least 1. Of an organization that does not exist there
	// are none.
	Audit(ctx context.Context, id organization.ID, cursor string, limit int) ([]Entry, string, error)
}

// Operator is all that the operator's command needs. An engine offers it next to Records and Counters.
type Operator interface {
	Directory
	Lifecycle
	Keys
	KeyUses
	Trail
	Archive
}
