package backup

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// format is the version of the file's format. A version reads those before it.
const format = 1

// line is one line of the file: exactly one of Header, Organization, Entries, Checkpoint and End is set.
type line struct {
	Header       *header     `json:"orgs_backup,omitempty"`
	Organization *record     `json:"organization,omitempty"` // with Keys, and Trail from its beginning
	Entries      string      `json:"trail_of,omitempty"`     // of the organization before, with Trail going on
	Keys         []key       `json:"keys,omitempty"`
	Trail        []entry     `json:"trail,omitempty"`
	More         bool        `json:"more,omitempty"` // the next line is Entries the same
	Checkpoint   *checkpoint `json:"checkpoint,omitempty"`
	End          *checkpoint `json:"end,omitempty"`
}

type header struct {
	Format int    `json:"format"`
	From   string `json:"from"`
	At     string `json:"created_at"`
}

// checkpoint says what comes before it.
type checkpoint struct {
	Cursor        string `json:"cursor,omitempty"` // where the store is read on
	Organizations int64  `json:"organizations"`
	Entries       int64  `json:"entries"`
	SHA256        string `json:"sha256"`
}

// record has objects and lists as texts of JSON, so that they come back to the byte.
type record struct {
	ID                 string    `json:"organization_id"`
	InternalID         string    `json:"internal_id"`
	Name               string    `json:"organization_name"`
	LogoURL            *string   `json:"logo_url"`
	Tier               string    `json:"account_type"`
	Credits            int64     `json:"credit_count"`
	Metadata           string    `json:"metadata"`
	BillingEmail       *string   `json:"billing_email"`
	NotificationsEmail *string   `json:"notifications_email"`
	Override           overrides `json:"rate_limits"`
	AutoBilling        bool      `json:"auto_billing_enabled"`
	BillingCycleStart  int       `json:"billing_cycle_start"`
	CurrentMonthUsage  int64     `json:"current_month_usage"`
	CreatedAt          string    `json:"created_at"`
	UpdatedAt          string    `json:"updated_at"`
	Users              *string   `json:"users"`
	AuthProviderOrgID  *string   `json:"auth_provider_org_id"`
	Credentials        string    `json:"default_llm_credentials"`
	APIURL             *string   `json:"api_url"`
	Version            int64     `json:"version"`
	DeletedAt          *string   `json:"deleted_at"`
}

// overrides are those that are set.
type overrides struct {
	Metadata int `json:"metadata,omitempty"`
	Data     int `json:"data,omitempty"`
	Search   int `json:"search,omitempty"`
	Upload   int `json:"upload,omitempty"`
	Compute  int `json:"compute,omitempty"`
}

type key struct {
	ID         string  `json:"key_id"`
	Hash       string  `json:"sha256"`
	Permission string  `json:"permission"`
	Mode       string  `json:"mode"`
	CreatedAt  string  `json:"created_at"`
	ExpiresAt  *string `json:"expires_at,omitempty"`
	RevokedAt  *string `json:"revoked_at,omitempty"`
	ReplacedBy string  `json:"replaced_by,omitempty"`
}

type entry struct {
	ID        string      `json:"entry_id"`
	Action    string      `json:"action"`
	Actor     string      `json:"actor"`
	RequestID string      `json:"request_id,omitempty"`
	Version   int64       `json:"version"`
	Changes   [][3]string `json:"changes,omitempty"` // field, before, after
}

func fromRecord(o organization.Organization) *record {
	return &record{
		ID:                 string(o.ID),
		InternalID:         o.InternalID.Reveal(),
		Name:               o.Name,
		LogoURL:            o.LogoURL,
		Tier:               string(o.Tier),
		Credits:            o.Credits,
		Metadata:           o.Metadata.Text(),
		BillingEmail:       o.BillingEmail,
		NotificationsEmail: o.NotificationsEmail,
		Override:           overrides(o.Override),
		AutoBilling:        o.AutoBilling,
		BillingCycleStart:  o.BillingCycleStart,
		CurrentMonthUsage:  o.CurrentMonthUsage,
		CreatedAt:          organization.FormatTime(o.CreatedAt),
		UpdatedAt:          organization.FormatTime(o.UpdatedAt),
		Users:              o.Users,
		AuthProviderOrgID:  o.AuthProviderOrgID,
		Credentials:        o.Credentials.Text(),
		APIURL:             o.APIURL,
		Version:            o.Version,
		DeletedAt:          fromTime(o.DeletedAt),
	}
}

// decoder turns texts into values and keeps the first error, which quotes nothing: a text may be a secret.
type decoder struct{ err error }

func decoded[T any](d *decoder, name string, parse func(string) (T, error), text string) T {
	value, err := parse(text)
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("%s cannot be read", name)
	}
	return value
}

func (d *decoder) time(name string, text *string) *time.Time {
	if text == nil {
		return nil
	}
	return new(decoded(d, name, organization.ParseTime, *text))
}

// time returns when the backup was begun.
func (h *header) time() (time.Time, error) {
	var d decoder
	begun := decoded(&d, "created_at", organization.ParseTime, h.At)
	return begun, d.err
}

func (r *record) organization() (organization.Organization, error) {
	var d decoder
	o := organization.Organization{
		ID:                 decoded(&d, "organization_id", organization.ParseID, r.ID),
		InternalID:         organization.StoredInternalID(r.InternalID),
		Name:               r.Name,
		LogoURL:            r.LogoURL,
		Tier:               decoded(&d, "account_type", organization.ParseTier, r.Tier),
		Credits:            r.Credits,
		Metadata:           organization.NewObject(r.Metadata),
		BillingEmail:       r.BillingEmail,
		NotificationsEmail: r.NotificationsEmail,
		Override:           organization.RateLimits(r.Override),
		AutoBilling:        r.AutoBilling,
		BillingCycleStart:  r.BillingCycleStart,
		CurrentMonthUsage:  r.CurrentMonthUsage,
		CreatedAt:          decoded(&d, "created_at", organization.ParseTime, r.CreatedAt),
		UpdatedAt:          decoded(&d, "updated_at", organization.ParseTime, r.UpdatedAt),
		Users:              r.Users,
		AuthProviderOrgID:  r.AuthProviderOrgID,
		Credentials:        organization.NewObject(r.Credentials),
		APIURL:             r.APIURL,
		Version:            r.Version,
		DeletedAt:          d.time("deleted_at", r.DeletedAt),
	}
	return o, d.err
}

func fromKey(k apikey.Record) key {
	return key{
		ID:         k.ID,
		Hash:       k.Hash.Hex(),
		Permission: k.Permission.String(),
		Mode:       string(k.Mode),
		CreatedAt:  organization.FormatTime(k.CreatedAt),
		ExpiresAt:  fromTime(k.ExpiresAt),
		RevokedAt:  fromTime(k.RevokedAt),
		ReplacedBy: k.ReplacedBy,
	}
}

func (k key) record() (apikey.Record, error) {
	var d decoder
	r := apikey.Record{
		ID:         k.ID,
		Hash:       decoded(&d, "sha256", apikey.ParseHash, k.Hash),
		Permission: decoded(&d, "permission", apikey.ParsePermission, k.Permission),
		Mode:       decoded(&d, "mode", apikey.ParseMode, k.Mode),
		CreatedAt:  decoded(&d, "created_at", organization.ParseTime, k.CreatedAt),
		ExpiresAt:  d.time("expires_at", k.ExpiresAt),
		RevokedAt:  d.time("revoked_at", k.RevokedAt),
		ReplacedBy: k.ReplacedBy,
	}
	return r, d.err
}

func fromEntry(e store.Entry) entry {
	out := entry{ID: e.ID, Action: string(e.Action), Actor: e.Actor, RequestID: e.RequestID, Version: e.Version}
	for _, c := range e.Changes {
		out.Changes = append(out.Changes, [3]string{c.Field, c.Before, c.After})
	}
	return out
}

func (e entry) entry() store.Entry {
	out := store.Entry{ID: e.ID, Action: store.Action(e.Action), Actor: e.Actor, RequestID: e.RequestID, Version: e.Version}
	for _, c := range e.Changes {
		out.Changes = append(out.Changes, organization.Change{Field: c[0], Before: c[1], After: c[2]})
	}
	return out
}

func fromTime(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return new(organization.FormatTime(*t))
}

// export returns the organization of a line, with the trail that is in it.
func (l line) export() (store.Export, error) {
	o, err := l.Organization.organization()
	if err != nil {
		return store.Export{}, err
	}
	d := store.Export{Organization: o, Trail: store.Entries(l.entries()...)}
	for _, k := range l.Keys {
		r, err := k.record()
		if err != nil {
			return store.Export{}, fmt.Errorf("a key: %w", err)
		}
		d.Keys = append(d.Keys, r)
	}
	return d, nil
}

func (l line) entries() []store.Entry {
	entries := make([]store.Entry, 0, len(l.Trail))
	for _, e := range l.Trail {
		entries = append(entries, e.entry())
	}
	return entries
}

func (l line) encode() ([]byte, error) {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(l)
	return []byte(out.String()), err
}

// decodeLine refuses what this version does not know: it would be lost.
func decodeLine(text []byte) (line, error) {
	var l line
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return line{}, fmt.Errorf("it is not a line of a backup, or of a newer version")
	}
	return l, nil
}

// The bounds of a line, less the one entry that goes beyond the second.
const (
	maxLineEntries = 500
	maxLineSize    = 1 << 20
)

func full(entries, size int) bool { return entries >= maxLineEntries || size >= maxLineSize }

func sizeOf(e store.Entry) int {
	const rest = 200
	size := rest
	for _, c := range e.Changes {
		size += len(c.Before) + len(c.After)
	}
	return size
}
