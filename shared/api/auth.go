package api

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/recent"
	"organizations-api/shared/store"
)

// receiveKey sets the caller's key, if it is one that the store can have issued. So a key that is mistyped or made up
// costs no read of an organization. A key that was accepted lately needs no checksum.
func (s *Service) receiveKey(ctx context.Context, c *call) error {
	key, err := presentedKey(c)
	if err != nil {
		return err
	}
	c.key, c.hash = key, key.Hash()
	if c.known, c.remembered = s.accepted.get(c.hash, c.started); c.remembered {
		return nil
	}
	made, err := s.secrets.made(ctx, key, s.now())
	if err != nil {
		return c.storeError(err, "The API key cannot be checked at the moment.")
	}
	if !made {
		return c.unauthorized("", unknownKey, nil)
	}
	return nil
}

// authenticate finds the caller's organization and key in one read, and sets c.found. It remembers a key that is
// accepted, and forgets one that is refused.
func (s *Service) authenticate(ctx context.Context, c *call) error {
	err := s.find(ctx, c)
	if err == nil {
		s.accepted.put(c.hash, acceptance{c.started, int64(c.found.Organization.Limits().Metadata)})
	} else if refusal := asError(err); refusal.Type == Unauthorized || refusal.Type == NotFound {
		s.accepted.forget(c.hash)
	}
	return err
}

// find reads the organization and the key. It returns an error if the key gives no access to the organization.
func (s *Service) find(ctx context.Context, c *call) error {
	found, err := s.records.Find(ctx, c.key.Organization(), c.hash)
	if store.KindOf(err) == store.NotFound {
		// Not 404: a caller without a key of an organization must not learn whether it exists.
		return c.unauthorized("", unknownKey, err)
	}
	if err != nil {
		return c.storeError(err, "The organization cannot be read at the moment.")
	}
	if found.Key == nil {
		return c.unauthorized("", unknownKey, nil)
	}
	switch err := found.Key.Check(s.now()); {
	case errors.Is(err, apikey.ErrRevoked):
		return c.unauthorized("api_key_revoked", "The API key has been revoked.", err)
	case errors.Is(err, apikey.ErrExpired):
		return c.unauthorized("api_key_expired", "The API key has expired.", err)
	case err != nil:
		return err
	}
	c.found = found
	if found.Organization.DeletedAt != nil {
		return &Error{Type: NotFound, Message: "The organization of this API key no longer exists."}
	}
	return nil
}

// presentedKey reads the key in the Authorization header (RFC 6750, section 2.1).
func presentedKey(c *call) (apikey.Key, error) {
	values := c.request.Header.Values("Authorization")
	if len(values) == 0 || len(values) == 1 && strings.TrimSpace(values[0]) == "" {
		return apikey.Key{}, c.unauthorized("api_key_missing",
			"An API key is required, in a header of the form: Authorization: Bearer sk_live_…", nil)
	}
	if len(values) > 1 {
		return apikey.Key{}, c.unauthorized("", "There must be one Authorization header.", nil)
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(values[0]), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return apikey.Key{}, c.unauthorized("", "The Authorization header must have the form: Bearer sk_live_…", nil)
	}
	key, err := apikey.Parse(strings.TrimSpace(token))
	if err != nil {
		return apikey.Key{}, c.unauthorized("", "This is not an API key.", err)
	}
	return key, nil
}

// unknownKey is the message for a key that was mistyped, made up, or never issued. A caller must not learn which.
const unknownKey = "The API key is unknown. It may have been mistyped."

// keySecrets keeps the secrets with which the store's keys are made, so that a request reads them only if they may have
// changed. It is safe for concurrent use.
type keySecrets struct {
	store store.KeySecrets
	known atomic.Pointer[apikey.Secrets]

	turn chan struct{} // of one; its holder may read, and owns next
	next time.Time     // the secrets are not read again before this time
}

// secretsAgain is the least time between two readings of the secrets. So all made-up keys together cost one read in
// that time, and a key with a newly added secret is accepted after that time at the latest.
const secretsAgain = 10 * time.Second

// made reports whether the key was made with one of the store's secrets. If it was made with none that is known, the
// secrets are read again, if that is due.
func (k *keySecrets) made(ctx context.Context, key apikey.Key, now time.Time) (bool, error) {
	if known := k.known.Load(); known != nil && known.Made(key) {
		return true, nil
	}
	if err := k.refresh(ctx, now); err != nil {
		return false, err
	}
	known := k.known.Load()
	return known.Made(key), nil
}

// refresh reads the secrets if that is due. It is due whenever none is known.
func (k *keySecrets) refresh(ctx context.Context, now time.Time) error {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return &store.Error{Kind: store.Unreachable, Op: "waiting for the secrets for keys", Err: ctx.Err()}
	}
	if known := k.known.Load(); known != nil && len(*known) > 0 && now.Before(k.next) {
		return nil
	}
	k.next = now.Add(secretsAgain)
	secrets, err := k.store.KeySecrets(ctx)
	if err != nil {
		return fmt.Errorf("reading the secrets for keys: %w", err)
	}
	k.known.Store(&secrets)
	return nil
}

// unauthorized returns a 401 error, and sets the challenge that a 401 must have (RFC 6750, section 3). If the request
// has no key, the challenge names no error. An empty code stands for api_key_invalid.
func (c *call) unauthorized(code, message string, cause error) error {
	challenge := `Bearer realm="organizations"`
	if code != "api_key_missing" {
		challenge += `, error="invalid_token"`
	}
	c.header.Set("WWW-Authenticate", challenge)
	return &Error{Type: Unauthorized, Code: code, Message: message, Cause: cause}
}

// authorize returns a 403 error if the key lacks the permission.
func authorize(c *call, needed apikey.Permission) error {
	granted := c.found.Key.Permission
	if granted.Includes(needed) {
		return nil
	}
	return &Error{
		Type:    Forbidden,
		Message: "This needs an API key with the permission " + needed.String() + ".",
		Details: map[string]any{"required": needed.String(), "granted": granted.String()},
	}
}

// keyUses has the store note that keys are used: each key at most once in each store.UseSpan. It is safe for concurrent
// use.
type keyUses struct {
	notes store.UseNotes // nil: nothing is noted

	mu    sync.Mutex
	until *recent.Map[usedKey, time.Time] // the key is not noted again before this time
}

func newKeyUses(notes store.UseNotes) keyUses {
	return keyUses{notes: notes, until: recent.New[usedKey, time.Time](maxNoted)}
}

type usedKey struct {
	organization organization.ID
	id           string
}

const (
	// noteTimeout is the longest that a note may delay the request that makes it.
	noteTimeout = time.Second
	// noteAgain is how long after a failed note the next one is made.
	noteAgain = time.Minute
	// maxNoted is how many keys are remembered at least. They take about ten megabytes. To note a key that was forgotten
	// costs a write, but a key that is never noted would look unused.
	maxNoted = 1 << 15
)

// noteUse notes that the caller's key is used, if that is due. The caller never learns whether it failed. It runs after
// the rest of the request and not at the same time: mostly it is due in a new sandbox, which has one connection, and
// the handshake of a second one takes longer than the call.
func (s *Service) noteUse(ctx context.Context, c *call) {
	key := usedKey{c.found.Organization.ID, c.found.Key.ID}
	if !s.uses.due(key, c.started) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	if c.useErr = s.uses.note(ctx, key, c.started); c.useErr != nil {
		s.uses.setNext(key, s.now().Add(noteAgain))
	}
}

// due reports whether the key's use has to be noted now. Of several requests at the same time, it tells one so.
func (u *keyUses) due(key usedKey, now time.Time) bool {
	if u.notes == nil {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if until, known := u.until.Get(key); known && now.Before(until) {
		return false
	}
	u.remember(key, now.UTC().Truncate(store.UseSpan).Add(store.UseSpan))
	return true
}

// setNext makes the key's use due at the time.
func (u *keyUses) setNext(key usedKey, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.remember(key, at)
}

// remember needs the lock. It copies the key's texts, because they may be parts of a store's whole answer.
func (u *keyUses) remember(key usedKey, until time.Time) {
	u.until.Put(usedKey{organization.ID(strings.Clone(string(key.organization))), strings.Clone(key.id)}, until)
}

// note has the store note the use. It returns a panic as an error.
func (u *keyUses) note(ctx context.Context, key usedKey, at time.Time) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return u.notes.NoteUse(ctx, key.organization, key.id, at)
}
