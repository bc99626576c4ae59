package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"

	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// The JSON that the command prints. Names are those of the contract; what the contract does not have, the operator sees
// in addition. The internal identifier and hashes of keys are in none of it.

type wireOrganization struct {
	api.Representation
	Override  *wireLimits `json:"rate_limit_override"` // null where nothing is overridden
	Version   int64       `json:"version"`
	DeletedAt *string     `json:"deleted_at"`
}

func toWire(o organization.Organization) wireOrganization {
	return wireOrganization{
		Representation: api.Represent(o),
		Override:       toWireLimits(o.Override),
		Version:        o.Version,
		DeletedAt:      wireTime(o.DeletedAt),
	}
}

// wireLimits has the limits that are set.
type wireLimits struct {
	Metadata int `json:"metadata,omitempty"`
	Data     int `json:"data,omitempty"`
	Search   int `json:"search,omitempty"`
	Upload   int `json:"upload,omitempty"`
	Compute  int `json:"compute,omitempty"`
}

// toWireLimits returns nil where no limit is set.
func toWireLimits(l organization.RateLimits) *wireLimits {
	if l == (organization.RateLimits{}) {
		return nil
	}
	w := wireLimits(l)
	return &w
}

// wireIssued is a key at the one time that its plain text is shown.
type wireIssued struct {
	ID         string  `json:"key_id"`
	Key        string  `json:"key"`
	Permission string  `json:"permission"`
	Mode       string  `json:"mode"`
	CreatedAt  string  `json:"created_at"`
	ExpiresAt  *string `json:"expires_at"`
}

func toWireIssued(k issued) wireIssued {
	return wireIssued{
		ID:         k.record.ID,
		Key:        k.key.Reveal(),
		Permission: k.record.Permission.String(),
		Mode:       string(k.record.Mode),
		CreatedAt:  organization.FormatTime(k.record.CreatedAt),
		ExpiresAt:  wireTime(k.record.ExpiresAt),
	}
}

// wireKey is a key ever after.
type wireKey struct {
	ID         string  `json:"key_id"`
	Permission string  `json:"permission"`
	Mode       string  `json:"mode"`
	Status     string  `json:"status"`
	CreatedAt  string  `json:"created_at"`
	ExpiresAt  *string `json:"expires_at"`
	RevokedAt  *string `json:"revoked_at"`
	ReplacedBy *string `json:"replaced_by"` // the key that takes its place; null where it was not rotated
}

// wireKeyCount sums up the keys of an organization.
type wireKeyCount struct {
	Total    int    `json:"total"`
	Active   int    `json:"active"`
	LastUsed string `json:"last_used"` // as in wireListedKey
}

// wireListedKey is a key with the hour in which it was last used, or "never" or "unknown".
type wireListedKey struct {
	wireKey
	LastUsed string `json:"last_used"`
}

func toWireKey(k apikey.Record, now time.Time) wireKey {
	return wireKey{
		ID:         k.ID,
		Permission: k.Permission.String(),
		Mode:       string(k.Mode),
		Status:     keyStatus(k, now),
		CreatedAt:  organization.FormatTime(k.CreatedAt),
		ExpiresAt:  wireTime(k.ExpiresAt),
		RevokedAt:  wireTime(k.RevokedAt),
		ReplacedBy: wireName(k.ReplacedBy),
	}
}

// wireName returns the name; nil where it is "".
func wireName(name string) *string {
	if name == "" {
		return nil
	}
	return &name
}

func keyStatus(k apikey.Record, now time.Time) string {
	switch k.Check(now) {
	case nil:
		return "active"
	case apikey.ErrRevoked:
		return "revoked"
	default:
		return "expired"
	}
}

type wireEntry struct {
	ID        string       `json:"entry_id"`
	At        string       `json:"at"`
	Action    string       `json:"action"`
	Actor     string       `json:"actor"`
	RequestID string       `json:"request_id"`
	Version   int64        `json:"version"`
	Changes   []wireChange `json:"changes"`
}

type wireChange struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

func toWireEntry(e store.Entry) wireEntry {
	changes := make([]wireChange, 0, len(e.Changes))
	for _, c := range e.Changes {
		changes = append(changes, wireChange{c.Field, json.RawMessage(c.Before), json.RawMessage(c.After)})
	}
	return wireEntry{
		ID:        e.ID,
		At:        organization.FormatTime(e.At()),
		Action:    string(e.Action),
		Actor:     e.Actor,
		RequestID: e.RequestID,
		Version:   e.Version,
		Changes:   changes,
	}
}

// wireTime returns the time as text; nil where there is none.
func wireTime(t *time.Time) *string {
	if t == nil {
		return nil
	}
	text := organization.FormatTime(*t)
	return &text
}

// writeJSON writes the value indented, and all of it or nothing.
func writeJSON(w io.Writer, v any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// jsonText encodes a value of which encoding/json can encode every instance.
func jsonText(v any) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(out.String(), "\n")
}
