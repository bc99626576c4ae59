package store

import (
	"context"
	"iter"
	"reflect"
	"slices"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

// Archive moves whole organizations out of one store and into another.
type Archive interface {
	// ExportPage returns the exports of the same organizations as List, in the same pages. The trail of an export is
	// read when the caller ranges over it, and ctx must still be valid then.
	ExportPage(ctx context.Context, cursor string, limit int) ([]Export, string, error)

	// Export returns the export of one organization. It returns NotFound if there is no such organization.
	Export(ctx context.Context, id organization.ID) (Export, error)

	// Restore creates the organizations exactly as they are in the exports. It leaves every organization that exists
	// already as it is. created has one value for each export, in the same order: whether Restore created that
	// organization. Readers see an organization as a whole or not at all. After an error some organizations may have
	// been created. Repeat the call to create the rest.
	Restore(ctx context.Context, exports []Export) (created []bool, err error)

	// KeySecrets and AddKeySecrets move the secrets along, as keys of one store are refused by another otherwise.
	KeySecrets
	AddKeySecrets(ctx context.Context, secrets apikey.Secrets) error
}

// Export is all data of one organization, except its counters and the times at which its keys were used.
type Export struct {
	Organization organization.Organization
	Keys         []apikey.Record // the oldest first

	// Trail yields the audit entries, the oldest first. You can range over it more than once, and leave it early. An
	// error is the last thing that it yields. A trail from a store fits the record and the keys of the export: entries
	// of later updates are not in it. If the organization was changed otherwise in the meantime, the trail ends with
	// Conflict, and you must read the export again.
	Trail iter.Seq2[Entry, error]
}

// Entries returns a trail of the entries, which must be in the order of a trail: the oldest first.
func Entries(entries ...Entry) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Unchanged reports whether an organization has the same keys and the same deletion mark in two exports, so that only
// updates were made between them. An engine reads the trail between the two. Without the entries that are After the
// first export's version, it is the trail of the first export. Unchanged does not notice a deletion that was undone in
// between.
func Unchanged(first, second Export) bool {
	return equalKeys(first.Keys, second.Keys) &&
		reflect.DeepEqual(first.Organization.DeletedAt, second.Organization.DeletedAt)
}

// Same reports whether two exports are equal, including their trails. It returns the error of a trail.
func Same(a, b Export) (bool, error) {
	if !reflect.DeepEqual(normal(a.Organization), normal(b.Organization)) || !equalKeys(a.Keys, b.Keys) {
		return false, nil
	}
	next, stop := iter.Pull2(b.Trail)
	defer stop()
	for mine, err := range a.Trail {
		if err != nil {
			return false, err
		}
		other, err, more := next()
		if err != nil || !more || !equalEntries(mine, other) {
			return false, err
		}
	}
	_, err, more := next()
	return !more, err
}

// Matches reports whether the organization in the archive is equal to the export. It returns false for an organization
// that is being changed at the moment, and NotFound if there is no such organization.
func Matches(ctx context.Context, a Archive, e Export) (bool, error) {
	stored, err := a.Export(ctx, e.Organization.ID)
	if err != nil {
		return false, err
	}
	same, err := Same(e, stored)
	if KindOf(err) == Conflict {
		return false, nil
	}
	return same, err
}

// normal returns o with the zero Object in place of {}, as an engine may return either.
func normal(o organization.Organization) organization.Organization {
	o.Metadata = organization.NewObject(o.Metadata.Text())
	o.Credentials = organization.NewObject(o.Credentials.Text())
	return o
}

// equalKeys ignores the order of the keys, as keys with the same creation time have no order.
func equalKeys(a, b []apikey.Record) bool {
	byHash := func(x, y apikey.Record) int { return slices.Compare(x.Hash[:], y.Hash[:]) }
	a, b = slices.SortedFunc(slices.Values(a), byHash), slices.SortedFunc(slices.Values(b), byHash)
	return slices.EqualFunc(a, b, func(x, y apikey.Record) bool { return reflect.DeepEqual(x, y) })
}

func equalEntries(a, b Entry) bool {
	same := slices.Equal(a.Changes, b.Changes)
	a.Changes, b.Changes = nil, nil
	return same && reflect.DeepEqual(a, b)
}
