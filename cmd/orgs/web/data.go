package web

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// account is what the console needs beyond the record: what the key may do, and where limits come from. It belongs to the
// version of the record that has the same updated_at.
type account struct {
	UpdatedAt      string  `json:"updated_at"`
	Version        int64   `json:"version"`
	Key            key     `json:"key"`
	MonthlyCredits *int64  `json:"monthly_credits"` // null if they are agreed individually
	RateLimits     []limit `json:"rate_limits"`
}

type key struct {
	ID         string  `json:"key_id"`
	Permission string  `json:"permission"`
	Mode       string  `json:"mode"`
	ExpiresAt  *string `json:"expires_at"`
	MayChange  bool    `json:"may_change"`
}

// limit is the limit of one category, in requests a minute.
type limit struct {
	Category  string `json:"category"`
	Computed  int    `json:"computed"` // by the tier
	Override  *int   `json:"override"` // null if there is none
	Effective int    `json:"effective"`
}

func accountHandler(s *api.Service) http.Handler {
	return s.ExtraGET(api.ExtraGET{
		ID:         "console_account",
		Path:       accountPath,
		Permission: apikey.Read,
		Read: func(_ context.Context, found store.Found, _ url.Values) (any, error) {
			return toAccount(found.Organization, *found.Key), nil
		},
	}).Handler
}

func toAccount(o organization.Organization, k apikey.Record) account {
	a := account{
		UpdatedAt: organization.FormatTime(o.UpdatedAt),
		Version:   o.Version,
		Key: key{
			ID:         k.ID,
			Permission: k.Permission.String(),
			Mode:       string(k.Mode),
			MayChange:  k.Permission.Includes(apikey.Admin),
		},
	}
	if k.ExpiresAt != nil {
		at := organization.FormatTime(*k.ExpiresAt)
		a.Key.ExpiresAt = &at
	}
	if credits, ok := o.Tier.MonthlyCredits(); ok {
		a.MonthlyCredits = &credits
	}
	computed, effective := o.Tier.Limits(), o.Limits()
	for _, c := range organization.Categories() {
		l := limit{Category: string(c), Computed: *computed.Of(c), Effective: *effective.Of(c)}
		if n := *o.Override.Of(c); n != 0 {
			l.Override = &n
		}
		a.RateLimits = append(a.RateLimits, l)
	}
	return a
}

// trail is one page of the audit trail, the newest entry first.
type trail struct {
	Entries []entry `json:"entries"`
	Next    string  `json:"next_cursor"` // "" after the last page
}

// entry is an entry of the audit trail.
type entry struct {
	admin.EntryJSON
	Changes []change `json:"changes"`
}

// change has JSON values as texts: a browser would round large numbers in them.
type change struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// The number of entries of one page.
const (
	defaultPage = 10
	maxPage     = 100
)

// cursorPattern is the form of an entry's identifier. The engines use identifiers as cursors.
var cursorPattern = regexp.MustCompile(`^([0-9A-Za-z:.-]{1,64})?$`)

func auditHandler(s *api.Service, records store.Trail) http.Handler {
	return s.ExtraGET(api.ExtraGET{
		ID:         "console_audit",
		Path:       auditPath,
		Permission: apikey.Admin,
		Read: func(ctx context.Context, found store.Found, query url.Values) (any, error) {
			size, cursor, err := pageOf(query)
			if err != nil {
				return nil, err
			}
			entries, next, err := records.Audit(ctx, found.Organization.ID, cursor, size)
			if err != nil {
				return nil, err
			}
			return toTrail(entries, next), nil
		},
	}).Handler
}

// pageOf reads limit and cursor.
func pageOf(query url.Values) (size int, cursor string, err error) {
	size = defaultPage
	if text := query.Get("limit"); text != "" {
		size, err = strconv.Atoi(text)
	}
	if err != nil || size < 1 || size > maxPage {
		return 0, "", &api.Error{Type: api.BadRequest, Message: "A limit is a whole number from 1 to 100."}
	}
	cursor = query.Get("cursor")
	if !cursorPattern.MatchString(cursor) {
		return 0, "", &api.Error{Type: api.BadRequest, Message: "The cursor is none that this returned."}
	}
	return size, cursor, nil
}

func toTrail(entries []store.Entry, next string) trail {
	t := trail{Entries: make([]entry, 0, len(entries)), Next: next}
	for _, e := range entries {
		changes := make([]change, 0, len(e.Changes))
		for _, c := range e.Changes {
			changes = append(changes, change(c))
		}
		t.Entries = append(t.Entries, entry{admin.EntryToJSON(e), changes})
	}
	return t
}
