// Package store defines what the service needs of storage: the interfaces that an engine implements, and the kinds of
// error that their callers can tell apart. The engines are in the packages below this one. The package storetest checks
// that all engines behave alike.
//
// Where a comment says that a method returns NotFound, Conflict or another kind, it means an *Error of that Kind.
//
// It must import nothing but the standard library and the packages organization, apikey and base62.
package store

import (
	"context"
	"strings"
	"sync"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
)

// Records is what a request needs of the organizations. An engine is safe for concurrent use, also by several
// processes. A read returns every change that was acknowledged before the read began.
type Records interface {
	// Find returns the organization and its key with the hash. It also finds a deleted organization, with DeletedAt
	// set. It returns NotFound if there is no such organization.
	Find(ctx context.Context, id organization.ID, key apikey.Hash) (Found, error)

	// Update makes the change and writes its audit entry, or does neither. It returns NotFound if there is no such
	// organization, and Conflict if the organization is deleted or no longer has the version of Before, or if the
	// Authority no longer holds. After Throttled or Unreachable the change may have been made.
	Update(ctx context.Context, u Update) error

	KeySecrets
}

// KeySecrets reads the secrets with which the store's keys are made.
type KeySecrets interface {
	// KeySecrets returns the store's secrets, in the order of EnsureKeySecrets and AddKeySecrets. A store that never
	// issued a key may have none.
	KeySecrets(ctx context.Context) (apikey.Secrets, error)
}

// Signing makes and adds the secrets with which the store's keys are made.
type Signing interface {
	// EnsureKeySecrets returns the store's secrets, and makes one first if there is none. All callers get the same.
	EnsureKeySecrets(ctx context.Context) (apikey.Secrets, error)

	// AddKeySecrets adds secrets, at the end, so that the store accepts keys that were made with them. Those that it
	// has stay as they are. Processes that serve requests may take ten seconds to learn of them.
	AddKeySecrets(ctx context.Context, secrets apikey.Secrets) error
}

// Found is the result of Find.
type Found struct {
	Organization organization.Organization
	Key          *apikey.Record // nil: the organization has no key with the hash
}

// Update is one change of a record. Before.Version is an optimistic lock.
type Update struct {
	Before    organization.Organization // as the caller read it
	After     organization.Organization // from Before.Apply
	Audit     Entry
	Authority *Authority // nil: the operator makes the change, without a key
}

// Authority is the key that allows a change, as the caller read it. The change is made only if, at its commit, the
// organization still has the key with the same permission, revocation and expiry, and the key is valid. So no change
// is committed after a revocation, or a new expiry, was acknowledged.
//
// An engine that cannot read the clock at the commit reads it when it sends the change. There, a change under way when
// a key reaches its own, unchanged expiry can still be made.
type Authority struct {
	Key apikey.Record
	Now func() time.Time // the caller's clock, by which the key is valid
}

// Valid reports whether the key is valid now. A nil Authority is the operator's, and always valid.
func (a *Authority) Valid() bool { return a == nil || a.Key.Check(a.Now()) == nil }

// Counters counts requests.
type Counters interface {
	// Count adds n requests to the window that starts at the time window, and returns the number of requests in it,
	// including these. So the numbers of these requests are the last n up to that number, and no other call for the
	// window gets one of them. Each organization and category has windows of its own. n must be at least 1. If Count
	// fails, it may have counted. An engine may delete a window a day after its end.
	Count(
		ctx context.Context, id organization.ID, category organization.Category, window time.Time, n int64,
	) (int64, error)
}

// UseSpan is how exactly the store knows when a key was used: it keeps the start of the hour. That is exact enough to
// see which keys are still needed, and recording it costs next to nothing.
const UseSpan = time.Hour

// UseNotes records the uses of keys.
type UseNotes interface {
	// NoteUse records that the key was used in the span of the time at. If a later use is recorded already, nothing
	// changes. It returns no error if the organization or the key no longer exists. A loss of power may undo it.
	NoteUse(ctx context.Context, id organization.ID, keyID string, at time.Time) error
}

// Operator is all that the operator's command needs. An engine implements it in addition to what requests need.
type Operator interface {
	Directory
	Revisions
	Lifecycle
	Keys
	KeyUses
	Trail
	Archive
	Signing
}

// Directory creates, reads and lists organizations.
type Directory interface {
	// Create stores a new organization, its first key and the audit entry. It returns Conflict if there is an
	// organization with that ID, also if it is deleted.
	Create(ctx context.Context, o organization.Organization, key apikey.Record, e Entry) error

	// Get returns the organization and all its keys, the oldest first. It also finds a deleted organization, with
	// DeletedAt set. It returns NotFound if there is no such organization.
	Get(ctx context.Context, id organization.ID) (organization.Organization, []apikey.Record, error)

	// List returns a page of at most limit organizations, including deleted ones, and the pagination cursor of the next
	// page. The cursor of the first page is "", and the cursor after the last page is "" too. limit must be at least 1.
	// An organization that exists during the whole listing comes exactly once. The order depends on the engine. The ID
	// of any organization is a cursor too: the page begins after it, also if there is no such organization any more.
	List(ctx context.Context, cursor string, limit int) ([]organization.Organization, string, error)
}

// Lifecycle deletes organizations. It changes neither the version nor the update time of a record, as these describe
// only updates.
type Lifecycle interface {
	// Delete marks the organization as deleted at the time at, and writes the audit entry. The record, the keys and the
	// audit trail stay. Every later Update returns Conflict. A deleted organization stays as it is, and no entry is
	// written. It returns NotFound if there is no such organization.
	Delete(ctx context.Context, id organization.ID, at time.Time, e Entry) error

	// Undelete clears the deletion mark, so that the keys work again, and writes the audit entry. An organization that
	// is not deleted stays as it is, and no entry is written. It returns NotFound if there is no such organization, and
	// Conflict if a purge of it has begun.
	Undelete(ctx context.Context, id organization.ID, e Entry) error

	// Purge removes the organization, its keys, its audit trail and its counters for good, also while it is in use. It
	// returns no error if there is no such organization. A purge that failed half-way leaves the organization deleted:
	// nothing but another Purge can change it, and List still has it. Do not restore an organization and purge it at
	// the same time, unless it exists before.
	Purge(ctx context.Context, id organization.ID) error
}

// Keys issues, changes and revokes keys. Its methods touch only the keys that they are about, so they never conflict
// with an update of the record.
type Keys interface {
	// AddKey stores a new key and writes the audit entry. It returns NotFound if the organization does not exist or is
	// deleted, Conflict if it has a key with that hash, and Full if it has apikey.MaxPerOrganization keys.
	AddKey(ctx context.Context, id organization.ID, key apikey.Record, e Entry) error

	// RevokeKey marks the key as revoked at the time at, and writes the audit entry. A revoked key stays as it is, and
	// no entry is written. It returns NotFound if there is no such key.
	RevokeKey(ctx context.Context, id organization.ID, keyID string, at time.Time, e Entry) error

	// ChangeKey makes the whole change and writes its audit entry, or does nothing. It returns NotFound if the
	// organization does not exist or is deleted, or has no such key. It returns Conflict if the key is no longer as in
	// Before, or if the organization has a key with the hash of New. It returns Full if there is no room for New.
	ChangeKey(ctx context.Context, id organization.ID, c KeyChange, e Entry) error
}

// KeyChange is a change of one key. It may add another key, which replaces the first.
type KeyChange struct {
	Before apikey.Record  // as the caller read it; its expiry, revocation and successor are an optimistic lock
	After  apikey.Record  // Before with another ExpiresAt or ReplacedBy, or both
	New    *apikey.Record // the key to add; nil: none
}

// KeyUses reads when keys were used.
type KeyUses interface {
	// KeyUses returns for each key of the organization the start of the span of its last use. It is the zero time if
	// the key was never used. A key is missing from the map if nothing is known of its use: it was restored, or issued
	// by a version of the service that recorded no uses, and was not used since then.
	KeyUses(ctx context.Context, id organization.ID) (map[string]time.Time, error)
}

// Trail reads the audit trail.
type Trail interface {
	// Audit returns a page of at most limit entries of the organization, the newest first, and the pagination cursor of
	// the next page. The cursor of the first page is "", and the cursor after the last page is "" too. limit must be at
	// least 1. An organization that does not exist has no entries.
	Audit(ctx context.Context, id organization.ID, cursor string, limit int) ([]Entry, string, error)
}

// Entry is one entry of an organization's audit trail. It is written in one transaction with the change that it
// describes.
type Entry struct {
	ID        string // from NewEntryID; entries sort by it
	Action    Action
	Actor     string // the ID of the key that was used, or OperatorActor
	RequestID string
	ChangeID  string `json:",omitempty"` // of the operator's change, unique in the organization; "": it has none
	Version   int64  // of the record after the change
	Changes   []organization.Change
}

// Action says what happened.
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

// Actions returns all actions.
func Actions() []Action {
	return []Action{Created, Updated, Deleted, Undeleted, KeyIssued, KeyRotated, KeyExpires, KeyRevoked}
}

// OperatorActor is the actor of changes that were made with the operator's command, without a key.
const OperatorActor = "operator"

const entrySuffixLength = 8

// NewEntryID returns an identifier for an entry. Identifiers sort by the time at. The random suffix separates entries
// of the same microsecond. Updates of one record are never of the same microsecond.
func NewEntryID(at time.Time) string {
	return organization.FormatTime(at) + "-" + base62.Random(entrySuffixLength)
}

// At returns the time in the entry's identifier. It returns the zero time if the identifier is malformed.
func (e Entry) At() time.Time {
	if len(e.ID) <= entrySuffixLength {
		return time.Time{}
	}
	at, err := organization.ParseTime(strings.TrimSuffix(e.ID[:len(e.ID)-entrySuffixLength], "-"))
	if err != nil {
		return time.Time{}
	}
	return at
}

// After reports whether the entry describes an update of a record that had the version, or a later version.
func (e Entry) After(version int64) bool { return e.Action == Updated && e.Version > version }

// Usage is what one or more calls cost in the store.
type Usage struct {
	Calls      int
	ReadUnits  float64 // of DynamoDB; other engines have none
	WriteUnits float64
	Throttles  int // attempts that the engine refused because of too many requests
}

// Meter adds up what the calls of one request cost. It is safe for concurrent use. A nil *Meter adds up nothing.
type Meter struct {
	mu  sync.Mutex
	sum Usage
}

// Add adds the cost of a call.
func (m *Meter) Add(u Usage) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum.Calls += u.Calls
	m.sum.ReadUnits += u.ReadUnits
	m.sum.WriteUnits += u.WriteUnits
	m.sum.Throttles += u.Throttles
}

// Sum returns what was added so far.
func (m *Meter) Sum() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sum
}

type meterKey struct{}

// WithMeter returns a context with a new Meter, to which an engine adds what each call costs.
func WithMeter(ctx context.Context) (context.Context, *Meter) {
	m := new(Meter)
	return context.WithValue(ctx, meterKey{}, m), m
}

// MeterOf returns the Meter of the context, or nil if it has none.
func MeterOf(ctx context.Context) *Meter {
	m, _ := ctx.Value(meterKey{}).(*Meter)
	return m
}
