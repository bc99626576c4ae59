package store

import (
	"strings"
	"time"

	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
)

const entrySuffixLength = 8

// NewEntryID returns an identifier that sorts by the time given. Entries of one microsecond are told apart at random; the
// updates of one record never share one.
func NewEntryID(at time.Time) string {
	return organization.FormatTime(at) + "-" + base62.Random(entrySuffixLength)
}

// At returns when the entry was made, from its identifier; the zero time where that is malformed.
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
