package store

import (
	"context"
	"time"

	"organizations-api/shared/organization"
)

// UseSpan is how exactly the store knows when a key was used: it keeps the start of the span. A span of an hour is short
// enough to tell which keys are still needed, and long enough that noting uses costs next to nothing.
const UseSpan = time.Hour

// UseNotes notes that keys are used.
type UseNotes interface {
	// NoteUse notes that the key was used at the time given, to the span in which that is. A later use that is noted already
	// stays. The organization and the key need not exist any more. NoteUse may be lost when the power is.
	NoteUse(ctx context.Context, id organization.ID, keyID string, at time.Time) error
}

// KeyUses is how an operator reads when keys were used.
type KeyUses interface {
	// KeyUses returns for each key of the organization the start of the span in which it was last used, and the zero time
	// where it was not used since it was issued. A key that is missing was issued by a version of the service that noted no
	// uses, or restored, and was not used since.
	KeyUses(ctx context.Context, id organization.ID) (map[string]time.Time, error)
}
