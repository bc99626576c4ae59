package store

import (
	"cmp"
	"context"
	"iter"
	"reflect"
	"slices"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

// Export is all that a store keeps of one organization for good. What it counts, and when keys were used, is not part of
// it.
type Export struct {
	Organization organization.Organization
	Keys         []apikey.Record // the oldest first

	// Trail gives the audit entries, the oldest first. It can be ranged over more than once and be left early. An error is
	// its last pair. From a store, it gives exactly the entries of what the record and the keys show, however much is
	// written meanwhile; where that cannot be told, it ends with a Conflict: the export is then to be read again.
	Trail iter.Seq2[Entry, error]
}

// Entries returns a trail of the entries, which are the oldest first.
func Entries(entries ...Entry) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Archive is how whole organizations get out of one store and into another.
type Archive interface {
	// ExportPage is to List what Export is to Get: the same pages of the same organizations. Trails are read when they are
	// ranged over, under ctx.
	ExportPage(ctx context.Context, cursor string, limit int) ([]Export, string, error)

	// Export returns one organization. The error is a NotFound where it does not exist.
	Export(ctx context.Context, id organization.ID) (Export, error)

	// Restore creates the organizations of the exports, as they are there, where none of the identifier exists, and reports
	// of each, in their order, whether it was created. It changes no organization that exists. To whoever asks for it, each
	// organization is there as a whole or not at all; after an error some may be, and repeating the call creates the rest.
	Restore(ctx context.Context, exports []Export) (created []bool, err error)
}

// Unchanged reports whether nothing but updates was made between two readings of an organization: its keys and its mark of
// deletion are the same. What was read of its trail in between is then the trail of the first reading, less the entries
// that are Beyond its version. Only a deletion that was taken back at once escapes it.
func Unchanged(first, second Export) bool {
	return equalKeys(first.Keys, second.Keys) && reflect.DeepEqual(first.Organization.DeletedAt, second.Organization.DeletedAt)
}

// After reports whether the entry is of an update of a record that was of the version.
func (e Entry) After(version int64) bool { return e.Action == Updated && e.Version > version }

// Same reports whether two exports agree in everything. The error is that of a trail.
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

// Matches reports whether the organization in the archive is as in the export; one that is being changed is not. The error
// is a NotFound where it does not exist.
func Matches(ctx context.Context, a Archive, d Export) (bool, error) {
	stored, err := a.Export(ctx, d.Organization.ID)
	if err != nil {
		return false, err
	}
	same, err := Same(d, stored)
	if KindOf(err) == Conflict {
		return false, nil
	}
	return same, err
}

// normal gives equal records one form: {} can be stored as nothing.
func normal(o organization.Organization) organization.Organization {
	o.Metadata = organization.NewObject(o.Metadata.Text())
	o.Credentials = organization.NewObject(o.Credentials.Text())
	return o
}

// equalKeys compares keys whatever their order: those of one moment have none.
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

// SortKeys puts keys in the order of Get: the oldest first.
func SortKeys(keys []apikey.Record) {
	slices.SortFunc(keys, func(a, b apikey.Record) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
}
