package api

import (
	"context"
	"errors"
	"strings"

	"organizations-api/shared/apikey"
	"organizations-api/shared/store"
)

// authenticate finds the organization and the key of the caller, in one read. A key that was mistyped costs none.
func (s *Service) authenticate(ctx context.Context, c *call) error {
	key, err := presentedKey(c)
	if err != nil {
		return err
	}
	found, err := s.records.Find(ctx, key.Organization(), key.Hash())
	if store.KindOf(err) == store.NotFound {
		// Not 404: who has no key of an organization must not learn which ones exist.
		return c.unauthorized("", "The API key is unknown.", err)
	}
	if err != nil {
		return c.storeError(err, "The organization cannot be read at the moment.")
	}
	if found.Key == nil {
		return c.unauthorized("", "The API key is unknown.", nil)
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
		return &Error{Kind: NotFound, Message: "The organization of this API key no longer exists."}
	}
	return nil
}

// presentedKey reads the Authorization header (RFC 6750, section 2.1).
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
		return apikey.Key{}, c.unauthorized("", "This is not an API key, or one that was mistyped.", err)
	}
	return key, nil
}

// unauthorized also sets the challenge that a 401 must have (RFC 6750, section 3). Where no key was presented, the
// challenge names no error.
func (c *call) unauthorized(code, message string, cause error) error {
	challenge := `Bearer realm="organizations"`
	if code != "api_key_missing" {
		challenge += `, error="invalid_token"`
	}
	c.header.Set("WWW-Authenticate", challenge)
	return &Error{Kind: Unauthorized, Code: code, Message: message, Cause: cause}
}

// authorize refuses a key that lacks the permission.
func authorize(c *call, needed apikey.Permission) error {
	granted := c.found.Key.Permission
	if granted.Includes(needed) {
		return nil
	}
	return &Error{
		Kind:    Forbidden,
		Message: "This needs an API key with the permission " + needed.String() + ".",
		Details: map[string]any{"required": needed.String(), "granted": granted.String()},
	}
}
