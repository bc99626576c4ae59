package admin

import (
	"encoding/json"
	"time"

	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/plainjson"
	"organizations-api/shared/store"
)

// The JSON that the command prints has the names of the contract, and in addition what only operators see. It never has
// internal identifiers or hashes of keys.

// OrganizationJSON is an organization.
type OrganizationJSON struct {
	api.Representation
	Override  *LimitsJSON `json:"rate_limit_override"` // null if nothing is overridden
	Version   int64       `json:"version"`
	DeletedAt *string     `json:"deleted_at"`
}

// LimitsJSON is rate limits, without those that are not set.
type LimitsJSON struct {
	Metadata int `json:"metadata,omitempty"`
	Data     int `json:"data,omitempty"`
	Search   int `json:"search,omitempty"`
	Upload   int `json:"upload,omitempty"`
	Compute  int `json:"compute,omitempty"`
}

// OrganizationToJSON returns the JSON of an organization.
func OrganizationToJSON(o organization.Organization) OrganizationJSON {
	out := OrganizationJSON{Representation: api.Represent(o), Version: o.Version, DeletedAt: timeToJSON(o.DeletedAt)}
	if o.Override != (organization.RateLimits{}) {
		limits := LimitsJSON(o.Override)
		out.Override = &limits
	}
	return out
}

// IssuedKeyJSON is a key with its plain text.
type IssuedKeyJSON struct {
	ID         string  `json:"key_id"`
	Label      *string `json:"label"` // null if it has none
	Key        string  `json:"key"`
	Permission string  `json:"permission"`
	Mode       string  `json:"mode"`
	CreatedAt  string  `json:"created_at"`
	ExpiresAt  *string `json:"expires_at"`
}

// ToJSON returns the JSON of a new key.
func (k IssuedKey) ToJSON() IssuedKeyJSON {
	return IssuedKeyJSON{
		ID:         k.Record.ID,
		Label:      nullIfEmpty(k.Record.Label),
		Key:        k.Key.Reveal(),
		Permission: k.Record.Permission.String(),
		Mode:       string(k.Record.Mode),
		CreatedAt:  organization.FormatTime(k.Record.CreatedAt),
		ExpiresAt:  timeToJSON(k.Record.ExpiresAt),
	}
}

// KeyJSON is a key without its plain text.
type KeyJSON struct {
	ID         string  `json:"key_id"`
	Label      *string `json:"label"` // null if it has none
	Permission string  `json:"permission"`
	Mode       string  `json:"mode"`
	Status     string  `json:"status"`
	CreatedAt  string  `json:"created_at"`
	ExpiresAt  *string `json:"expires_at"`
	RevokedAt  *string `json:"revoked_at"`
	ReplacedBy *string `json:"replaced_by"` // the key that takes its place; null if it was not rotated
}

// ListedKeyJSON is a key with the hour in which it was last used, or "never" or "unknown".
type ListedKeyJSON struct {
	KeyJSON
	LastUsed string `json:"last_used"`
}

// KeyCountJSON sums up the keys of an organization.
type KeyCountJSON struct {
	Total    int    `json:"total"`
	Active   int    `json:"active"`
	LastUsed string `json:"last_used"` // of all, as in ListedKeyJSON
}

func keyToJSON(k apikey.Record, now time.Time) KeyJSON {
	return KeyJSON{
		ID:         k.ID,
		Label:      nullIfEmpty(k.Label),
		Permission: k.Permission.String(),
		Mode:       string(k.Mode),
		Status:     keyStatus(k, now),
		CreatedAt:  organization.FormatTime(k.CreatedAt),
		ExpiresAt:  timeToJSON(k.ExpiresAt),
		RevokedAt:  timeToJSON(k.RevokedAt),
		ReplacedBy: nullIfEmpty(k.ReplacedBy),
	}
}

// EntryJSON is an entry of the audit trail.
type EntryJSON struct {
	ID        string       `json:"entry_id"`
	At        string       `json:"at"`
	Action    string       `json:"action"`
	Actor     string       `json:"actor"`
	RequestID string       `json:"request_id"`
	ChangeID  *string      `json:"change_id"` // of a line of orgs update --file; null if it had none
	Version   int64        `json:"version"`
	Changes   []ChangeJSON `json:"changes"`
}

// ChangeJSON is what happened to a field.
type ChangeJSON struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// EntryToJSON returns the JSON of an entry.
func EntryToJSON(e store.Entry) EntryJSON {
	return EntryJSON{
		ID:        e.ID,
		At:        organization.FormatTime(e.At()),
		Action:    string(e.Action),
		Actor:     e.Actor,
		RequestID: e.RequestID,
		ChangeID:  nullIfEmpty(e.ChangeID),
		Version:   e.Version,
		Changes:   changesToJSON(e.Changes),
	}
}

func changesToJSON(changes []organization.Change) []ChangeJSON {
	out := make([]ChangeJSON, 0, len(changes))
	for _, c := range changes {
		out = append(out, ChangeJSON{c.Field, json.RawMessage(c.Before), json.RawMessage(c.After)})
	}
	return out
}

func timeToJSON(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return new(organization.FormatTime(*t))
}

func nullIfEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// The values of changes in the audit trail are JSON too. They hold nothing secret.

func createdText(o organization.Organization) string {
	return jsonText(struct {
		Name         string  `json:"organization_name"`
		Tier         string  `json:"account_type"`
		Credits      int64   `json:"credit_count"`
		BillingEmail *string `json:"billing_email"`
	}{o.Name, string(o.Tier), o.Credits, o.BillingEmail})
}

func keyText(k apikey.Record) string {
	return jsonText(struct {
		ID         string  `json:"key_id"`
		Label      string  `json:"label,omitempty"`
		Permission string  `json:"permission"`
		Mode       string  `json:"mode"`
		ExpiresAt  *string `json:"expires_at"`
		RevokedAt  *string `json:"revoked_at,omitempty"`
		ReplacedBy string  `json:"replaced_by,omitempty"`
	}{k.ID, k.Label, k.Permission.String(), string(k.Mode), timeToJSON(k.ExpiresAt), timeToJSON(k.RevokedAt), k.ReplacedBy})
}

func timeText(t *time.Time) string { return jsonText(timeToJSON(t)) }

// jsonText panics if v cannot be encoded.
func jsonText(v any) string {
	text, err := plainjson.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
