package api

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
	"unicode/utf8"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/strictjson"
)

// maxAttempts is how often an update is tried that loses the race against others. With the pauses of backoff, that
// takes about as long as a request may take.
const maxAttempts = 40

func (s *Service) updateOrganization(ctx context.Context, c *call) (response, error) {
	patch, conditions, err := readUpdate(c.request)
	if err != nil {
		return response{}, err
	}
	for attempt := 1; ; attempt++ {
		out, err := s.tryUpdate(ctx, c, patch, conditions)
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

// tryUpdate applies the patch to the organization as it was read. It returns a store error of the kind Conflict or
// NotFound if the organization has changed since it was read.
func (s *Service) tryUpdate(
	ctx context.Context, c *call, patch organization.Patch, conditions preconditions,
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
func readUpdate(r *http.Request) (organization.Patch, preconditions, error) {
	body, err := readJSON(r)
	if err != nil {
		return organization.Patch{}, preconditions{}, err
	}
	conditions, headerProblems := readConditions(r)
	patch, bodyProblems := parsePatch(body)
	if all := append(headerProblems, bodyProblems...); len(all) > 0 {
		return organization.Patch{}, conditions, invalid(all)
	}
	return patch, conditions, nil
}

// MaxBodySize is the longest body of an update, in bytes.
const MaxBodySize = 256 << 10

// readJSON reads a body of the media type application/json.
func readJSON(r *http.Request) (strictjson.Value, error) {
	if err := checkMediaType(r.Header); err != nil {
		return strictjson.Value{}, err
	}
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

// checkMediaType refuses a body that is not application/json, not in UTF-8 (RFC 8259, section 8.1, demands it), or
// compressed.
func checkMediaType(h http.Header) error {
	unsupported := func(message string) error {
		return &Error{Type: BadRequest, Code: "media_type_unsupported", Message: message}
	}
	const want = "The body must be sent with the header: Content-Type: application/json"
	types := h.Values("Content-Type")
	if len(types) != 1 {
		return unsupported(want)
	}
	m, ok := parseMediaType(types[0])
	if !ok || m.name != "application/json" {
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
	return nil
}

// parsePatch reads an OrganizationUpdateRequest. It ignores members that the contract does not declare.
func parsePatch(body strictjson.Value) (organization.Patch, []Problem) {
	var (
		patch organization.Patch
		p     problems
	)
	if body.Kind() != strictjson.Object {
		p.notModel([]any{"body"})
		return patch, p
	}
	members := make(map[string]strictjson.Value)
	for name, value := range body.Members() {
		members[name] = value
	}
	field := func(name string) (strictjson.Value, []any, bool) {
		value, ok := members[name]
		return value, []any{"body", name}, ok
	}
	if v, loc, ok := field("organization_name"); ok {
		patch.Name = p.text(v, loc, p.length(organization.MaxNameLength))
	}
	if v, loc, ok := field("logo_url"); ok {
		patch.LogoURL = p.text(v, loc, p.length(organization.MaxURLLength))
	}
	if v, loc, ok := field("metadata"); ok {
		patch.Metadata = p.object(v, loc)
	}
	if v, loc, ok := field("billing_email"); ok {
		patch.BillingEmail = p.text(v, loc, p.email)
	}
	if v, loc, ok := field("notifications_email"); ok {
		patch.NotificationsEmail = p.text(v, loc, p.email)
	}
	if v, loc, ok := field("rate_limits"); ok {
		patch.RateLimits = p.override(v, loc)
	}
	if v, loc, ok := field("default_llm_credentials"); ok {
		patch.Credentials = p.credentials(v, loc)
	}
	return patch, p
}

// text reads null or a string, in which check looks for problems.
func (p *problems) text(v strictjson.Value, loc []any, check func(loc []any, s string)) organization.Field[string] {
	switch v.Kind() {
	case strictjson.Null:
		return organization.Null[string]()
	case strictjson.String:
		s := v.Str()
		check(loc, s)
		return organization.Set(s)
	default:
		p.notString(loc)
		return organization.Field[string]{}
	}
}

// length returns a check that a string has 1 to most characters.
func (p *problems) length(most int) func([]any, string) {
	return func(loc []any, s string) {
		if s == "" {
			p.add(loc, "string_too_short", "String should have at least 1 character")
		} else if utf8.RuneCountInString(s) > most {
			p.add(loc, "string_too_long", "String should have at most %d characters", most)
		}
	}
}

// email is a check that a string is an email address.
func (p *problems) email(loc []any, s string) {
	if err := organization.CheckEmail(s); err != nil {
		p.add(loc, "value_error", "value is not a valid email address: %s", err)
	}
}

// object reads null or an object, and checks its size and depth.
func (p *problems) object(v strictjson.Value, loc []any) organization.Field[organization.Object] {
	switch v.Kind() {
	case strictjson.Null:
		return organization.Null[organization.Object]()
	case strictjson.Object:
	default:
		p.add(loc, "dict_type", "Input should be a valid dictionary")
		return organization.Field[organization.Object]{}
	}
	if v.Depth() > organization.MaxObjectDepth {
		p.add(loc, "value_error", "Value error, it has more than %d levels of nesting", organization.MaxObjectDepth)
	}
	text := v.Compact()
	if len(text) > organization.MaxObjectSize {
		p.add(loc, "value_error", "Value error, it has more than %d bytes of JSON", organization.MaxObjectSize)
	}
	return organization.Set(organization.NewObject(text))
}

// credentials is object for an object of strings.
func (p *problems) credentials(v strictjson.Value, loc []any) organization.Field[organization.Object] {
	for name, value := range v.Members() {
		if value.Kind() != strictjson.String {
			p.notString(append(loc[:len(loc):len(loc)], name))
		}
	}
	return p.object(v, loc)
}

// override reads null or a BaseRateLimits. A category that is absent is not overridden.
func (p *problems) override(v strictjson.Value, loc []any) organization.Field[organization.RateLimits] {
	switch v.Kind() {
	case strictjson.Null:
		return organization.Null[organization.RateLimits]()
	case strictjson.Object:
	default:
		p.notModel(loc)
		return organization.Field[organization.RateLimits]{}
	}
	var override organization.RateLimits
	for name, value := range v.Members() {
		if limit := override.Of(organization.Category(name)); limit != nil {
			*limit = p.limit(value, append(loc[:len(loc):len(loc)], name))
		}
	}
	return organization.Set(override)
}

func (p *problems) limit(v strictjson.Value, loc []any) int {
	n, ok := v.Integer(organization.MaxLimit)
	switch {
	case !ok:
		p.add(loc, "int_type", "Input should be a valid integer")
	case n < organization.MinLimit:
		p.add(loc, "greater_than_equal", "Input should be greater than or equal to %d", organization.MinLimit)
	case n > organization.MaxLimit:
		p.add(loc, "less_than_equal", "Input should be less than or equal to %d", organization.MaxLimit)
	}
	return int(n)
}
