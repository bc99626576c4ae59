package api

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/store"
	"organizations-api/shared/strictjson"
)

// maxAttempts is how often an update is tried that loses the race against others. With the pauses of backoff, that
// takes about as long as a request may take.
const maxAttempts = 40

func (s *Service) updateOrganization(ctx context.Context, c *call) (response, error) {
	change, conditions, err := readUpdate(c.request)
	if err != nil {
		return response{}, err
	}
	for attempt := 1; ; attempt++ {
		out, err := s.tryUpdate(ctx, c, change, conditions)
		kind := store.KindOf(err)
		if kind != store.Conflict && kind != store.NotFound {
			return out, err
		}
		if attempt == maxAttempts {
			return response{}, c.contended(err)
		}
		select {
		case <-time.After(backoff(attempt)):
		case <-ctx.Done():
			return response{}, c.contended(err)
		}
		// Somebody has changed the organization or the key. So read both again and decide again.
		if err := s.authenticate(ctx, c); err != nil {
			return response{}, err
		}
		if err := authorize(c, apikey.Admin); err != nil {
			return response{}, err
		}
	}
}

// backoff returns how long to wait before the next attempt. It is random, so that competing requests spread out, and
// its upper bound grows with the number of attempts.
func backoff(attempt int) time.Duration {
	const shortest, longest = 4 * time.Millisecond, 250 * time.Millisecond
	return rand.N(min(shortest<<min(attempt, 10), longest))
}

// contended returns the error of an update that lost every race.
func (c *call) contended(cause error) error {
	c.retryAfter(0)
	return &Error{
		Type:    Unavailable,
		Message: "The organization is being changed by too many others. Nothing was changed by this request.",
		Cause:   cause,
	}
}

// tryUpdate applies the update to the organization as it was read. It returns a store error of the kind Conflict or
// NotFound if the organization has changed since it was read.
func (s *Service) tryUpdate(
	ctx context.Context, c *call, change update, conditions preconditions,
) (response, error) {
	before := c.found.Organization
	current, err := organizationResponse(before)
	if err != nil {
		return response{}, err
	}
	if err := conditions.forUpdate(current); err != nil {
		c.header.Set("ETag", current.etag)
		return response{}, err
	}
	patch, err := change.of(before)
	if err != nil {
		return response{}, err
	}
	after, changes := before.Apply(patch, s.now())
	if len(changes) == 0 {
		c.header.Set("ETag", current.etag)
		return current, nil
	}
	out, err := organizationResponse(after)
	if err != nil {
		return response{}, err
	}
	err = s.records.Update(ctx, store.Update{
		Before: before,
		After:  after,
		Audit: store.Entry{
			ID:        store.NewEntryID(after.UpdatedAt),
			Action:    store.Updated,
			Actor:     c.found.Key.ID,
			RequestID: c.requestID,
			Version:   after.Version,
			Changes:   changes,
		},
		Authority: &store.Authority{Key: *c.found.Key, Now: s.now},
	})
	if err != nil {
		return response{}, c.updateError(fmt.Errorf("updating the organization: %w", err))
	}
	c.header.Set("ETag", out.etag)
	return out, nil
}

// updateError returns the error of an update that the store did not confirm. Unless the store refused the update, it
// may have taken effect, and the message says so.
func (c *call) updateError(err error) error {
	const doubt = " It may have taken effect: read the organization before trying again."
	switch store.KindOf(err) {
	case store.Conflict, store.NotFound:
		return err
	case store.Unknown:
		return &Error{Type: Internal, Message: "The service failed to make the change." + doubt, Cause: err}
	default:
		return c.storeError(err, "The store did not confirm the change."+doubt)
	}
}

// readUpdate reads the body and the conditions of an update. Its error names all problems of both.
func readUpdate(r *http.Request) (update, preconditions, error) {
	mediaType, err := checkMediaType(r.Header)
	if err != nil {
		return update{}, preconditions{}, err
	}
	body, err := readJSON(r)
	if err != nil {
		return update{}, preconditions{}, err
	}
	conditions, headerProblems := readConditions(r)
	change, bodyProblems := parseUpdate(body, mediaType == mergePatchType)
	if all := append(headerProblems, bodyProblems...); len(all) > 0 {
		return update{}, conditions, invalid(all)
	}
	return change, conditions, nil
}

// The media types of an update.
const (
	jsonType       = "application/json"
	mergePatchType = "application/merge-patch+json" // RFC 7396
)

// MaxBodySize is the longest body of an update, in bytes.
const MaxBodySize = 256 << 10

// readJSON reads a body of JSON.
func readJSON(r *http.Request) (strictjson.Value, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBodySize+1))
	if err != nil {
		return strictjson.Value{}, malformed("The body could not be read.", err)
	}
	if len(body) > MaxBodySize {
		return strictjson.Value{}, &Error{
			Type:    BadRequest,
			Code:    "body_too_large",
			Message: fmt.Sprintf("The body is longer than %d bytes.", MaxBodySize),
			Details: map[string]any{"limit": MaxBodySize},
		}
	}
	value, err := strictjson.Parse(body)
	if err != nil {
		return strictjson.Value{}, malformed(fmt.Sprintf("The body is not well-formed JSON: %v.", err), err)
	}
	return value, nil
}

func malformed(message string, cause error) error {
	return &Error{Type: BadRequest, Code: "body_malformed", Message: message, Cause: cause}
}

// checkMediaType returns the media type of a body of an update. It refuses a body of another media type, not in UTF-8
// (RFC 8259, section 8.1, demands it), or compressed.
func checkMediaType(h http.Header) (string, error) {
	unsupported := func(message string) (string, error) {
		return "", &Error{Type: BadRequest, Code: "media_type_unsupported", Message: message}
	}
	const want = "The body must be sent with the header: Content-Type: " + jsonType + ", or " + mergePatchType
	types := h.Values("Content-Type")
	if len(types) != 1 {
		return unsupported(want)
	}
	m, ok := parseMediaType(types[0])
	if !ok || m.name != jsonType && m.name != mergePatchType {
		return unsupported(want)
	}
	for _, charset := range m.charsets {
		if !isUTF8(charset) {
			return unsupported("The body must be in UTF-8.")
		}
	}
	if isEncoded(h.Values("Content-Encoding")) {
		return unsupported("The body must be sent without a Content-Encoding.")
	}
	return m.name, nil
}
