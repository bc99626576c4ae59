package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

// Revisions changes records for the operator.
type Revisions interface {
	// StoreRevision makes the change and writes its audit entry, or does neither. It can change every property but the
	// two identifiers, the time of creation and the deletion mark. It returns NotFound and Conflict as Update does. If
	// the entry has a ChangeID and the organization has an entry with the same ChangeID already, it returns Applied,
	// whatever the version is. If After has the version of Before, only the entry is written.
	StoreRevision(ctx context.Context, u Update) error

	// HasChange reports whether the organization has an entry with the ChangeID. It returns false if there is no such
	// organization.
	HasChange(ctx context.Context, id organization.ID, changeID string) (bool, error)
}

// MaxChangeIDLength is the length of the longest ChangeID.
const MaxChangeIDLength = 128

// CheckChangeID returns an error if id is not 1 to MaxChangeIDLength visible ASCII characters.
func CheckChangeID(id string) error {
	hidden := func(r rune) bool { return r <= ' ' || r > '~' }
	if id == "" || len(id) > MaxChangeIDLength || strings.ContainsFunc(id, hidden) {
		return errors.New("the id of a change has 1 to 128 visible ASCII characters")
	}
	return nil
}

// RevisionRequest is a change that the operator asks for.
type RevisionRequest struct {
	Revision organization.Revision

	// ChangeID makes the change idempotent: it is made once for each organization. "": it is made each time.
	ChangeID string

	RequestID string // for the audit entry
	DryRun    bool   // Revise stores nothing

	// Check returns an error if the organization, as it is at the moment, must not be changed. nil: it may be.
	Check func(organization.Organization) error
}

// Plan returns the update of the organization, and stores nothing. If nothing changes, After is Before. The error is a
// *organization.RangeError if a number would leave its range, or that of r.Check.
func (r RevisionRequest) Plan(before organization.Organization, now time.Time) (Update, error) {
	if r.Check != nil {
		if err := r.Check(before); err != nil {
			return Update{}, err
		}
	}
	after, changes, err := before.Revise(r.Revision, now)
	if err != nil {
		return Update{}, err
	}
	at := organization.Timestamp(now)
	if len(changes) > 0 {
		at = after.UpdatedAt
	}
	return Update{Before: before, After: after, Audit: Entry{
		ID:        NewEntryID(at),
		Action:    Updated,
		Actor:     OperatorActor,
		RequestID: r.RequestID,
		ChangeID:  r.ChangeID,
		Version:   after.Version,
		Changes:   changes,
	}}, nil
}

// Reviser is what Revise needs of a store.
type Reviser interface {
	Revisions
	Get(ctx context.Context, id organization.ID) (organization.Organization, []apikey.Record, error)
}

// Revise makes the change to the organization as it is now, and writes one audit entry by the operator. If somebody
// else changes the organization at the same time, Revise reads it and tries again until ctx ends. So relative amounts
// add up, however many processes change one organization. A change that changes nothing and has no ChangeID stores
// nothing.
//
// It returns the change that was made. The error is NotFound if there is no such organization, Applied if the change
// was made before, Conflict if the organization is deleted, and otherwise that of Plan or of the store. After Throttled
// or Unreachable the change may have been made.
func Revise(
	ctx context.Context, s Reviser, id organization.ID, r RevisionRequest, now func() time.Time,
) (Update, error) {
	for attempt := 1; ; attempt++ {
		before, _, err := s.Get(ctx, id)
		if err != nil {
			return Update{}, err
		}
		u, err := r.plan(ctx, s, before, now())
		if err != nil {
			return Update{}, err
		}
		if r.DryRun || len(u.Audit.Changes) == 0 && r.ChangeID == "" {
			return u, nil
		}
		if err = s.StoreRevision(ctx, u); KindOf(err) != Conflict {
			return u, err
		}
		if err := pause(ctx, attempt); err != nil {
			return Update{}, &Error{Kind: Unreachable, Op: "revising " + string(id), Err: err}
		}
	}
}

// plan is Plan for a store. It returns Conflict for a deleted organization. Where it would refuse a change that was
// made before, it returns Applied: the same change need not be possible a second time.
func (r RevisionRequest) plan(
	ctx context.Context, s Reviser, before organization.Organization, now time.Time,
) (Update, error) {
	u, err := r.Plan(before, now)
	if err == nil && before.DeletedAt != nil {
		err = &Error{Kind: Conflict, Op: "revising " + string(before.ID), Err: errors.New("it is deleted")}
	}
	if r.ChangeID == "" || err == nil && !r.DryRun { // storing it finds out
		return u, err
	}
	switch applied, lookErr := s.HasChange(ctx, before.ID, r.ChangeID); {
	case lookErr != nil:
		return Update{}, lookErr
	case applied:
		return Update{}, &Error{Kind: Applied, Op: "revising " + string(before.ID)}
	default:
		return u, err
	}
}

// pause waits before the next attempt. The time is random and its upper bound grows eightfold with each attempt, up to
// 33 s, so competing processes soon spread out until one is seldom refused because of another: ten within a second, a
// thousand within a minute. Each refused attempt costs a read and a transaction.
func pause(ctx context.Context, attempt int) error {
	const shortest, doublings = 4 * time.Millisecond, 13 // 33 s in the end
	select {
	case <-time.After(rand.N(shortest << min(3*attempt, doublings))):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
