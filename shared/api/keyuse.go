package api

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// noteTimeout bounds what noting a key's use may cost the one request that does it.
const noteTimeout = time.Second

// uses has the store note when keys are used, at most once for each key in each store.UseSpan. It is safe for concurrent
// use.
type uses struct {
	notes store.UseNotes // nil: uses are not noted

	mu    sync.Mutex
	until map[noted]time.Time // before this time the key is not noted again
}

type noted struct {
	organization organization.ID
	keyID        string
}

const (
	// maxNoted bounds the memory of uses, to about ten megabytes. Beyond it everything is forgotten: a key that is noted
	// again costs one write, one that is not noted would look unused.
	maxNoted = 1 << 16
	// noteAgain is how long after a failure the use of a key is noted again.
	noteAgain = time.Minute
)

// due reports whether the key's use is to be noted now. It is so for one of several requests at a time.
func (u *uses) due(key noted, now time.Time) bool {
	if u.notes == nil {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.Before(u.until[key]) {
		return false
	}
	u.remember(key, now.UTC().Truncate(store.UseSpan).Add(store.UseSpan))
	return true
}

// remember is called with the lock held. It copies the key, whose texts may be parts of a whole answer of the store.
func (u *uses) remember(key noted, until time.Time) {
	key = noted{organization.ID(strings.Clone(string(key.organization))), strings.Clone(key.keyID)}
	if _, known := u.until[key]; u.until == nil || !known && len(u.until) >= maxNoted {
		u.until = make(map[noted]time.Time)
	}
	u.until[key] = until
}

func (u *uses) failed(key noted, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.remember(key, now.Add(noteAgain))
}

// note notes the use. A panic comes back as an error, as it is nothing to the caller either.
func (u *uses) note(ctx context.Context, key noted, at time.Time) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return u.notes.NoteUse(ctx, key.organization, key.keyID, at)
}

// noteUse notes that the caller's key is used, where that is due. Whether it succeeds is nothing to the caller. It comes
// after the rest of the request and not beside it: a second call at a time needs a second connection, whose handshake costs
// a sandbox that has just started more than the call.
func (s *Service) noteUse(ctx context.Context, c *call) {
	key := noted{c.found.Organization.ID, c.found.Key.ID}
	if !s.uses.due(key, c.started) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	if c.useErr = s.uses.note(ctx, key, c.started); c.useErr != nil {
		s.uses.failed(key, s.now())
	}
}
