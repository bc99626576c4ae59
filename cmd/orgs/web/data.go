package web

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

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
	Label      string  `json:"label"` // "" if it has none
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
			Label:      k.Label,
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
	Keys    []named `json:"keys"`        // all keys of the organization, to name who made an entry
}

// named is a key with the name that people gave it.
type named struct {
	ID         string `json:"key_id"`
	Label      string `json:"label"` // "" if it has none
	Permission string `json:"permission"`
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

// trailQuery is what a request asks of the audit trail.
type trailQuery struct {
	limit  int    // of entries
	cursor string // "": from the newest
	kind   string // of the entries' actions, such as "key"; "": all
	actor  string // "": anybody
}

// The number of entries of one page, and how many are read for it at most: few of many may match.
const (
	defaultPage = 10
	maxPage     = 100
	maxScan     = 1000
)

// kinds are the beginnings of actions that can be asked for.
var kinds = []string{"", "organization.updated", "key."}

var (
	// cursorPattern is the form of an entry's identifier. The engines use identifiers as cursors.
	cursorPattern = regexp.MustCompile(`^([0-9A-Za-z:.-]{1,64})?$`)
	actorPattern  = regexp.MustCompile(`^([0-9A-Za-z_-]{1,64})?$`)
)

func auditHandler(s *api.Service, records Trail) http.Handler {
	return s.ExtraGET(api.ExtraGET{
		ID:         "console_audit",
		Path:       auditPath,
		Permission: apikey.Admin,
		Read: func(ctx context.Context, found store.Found, query url.Values) (any, error) {
			q, err := readTrailQuery(query)
			if err != nil {
				return nil, err
			}
			t, err := readTrail(ctx, records, found.Organization.ID, q)
			if err != nil {
				return nil, err
			}
			_, keys, err := records.Get(ctx, found.Organization.ID)
			for _, k := range keys {
				t.Keys = append(t.Keys, named{k.ID, k.Label, k.Permission.String()})
			}
			return t, err
		},
	}).Handler
}

// readTrailQuery returns a BadRequest for a query that is malformed.
func readTrailQuery(query url.Values) (trailQuery, error) {
	q := trailQuery{limit: defaultPage, cursor: query.Get("cursor"), kind: query.Get("kind"), actor: query.Get("actor")}
	var err error
	if text := query.Get("limit"); text != "" {
		q.limit, err = strconv.Atoi(text)
	}
	message := ""
	switch {
	case err != nil || q.limit < 1 || q.limit > maxPage:
		message = "A limit is a whole number from 1 to 100."
	case !cursorPattern.MatchString(q.cursor):
		message = "The cursor must be one from an earlier answer."
	case !slices.Contains(kinds, q.kind):
		message = "The kind must be organization.updated or key."
	case !actorPattern.MatchString(q.actor):
		message = "The actor must be the identifier of a key, or operator."
	default:
		return q, nil
	}
	return q, &api.Error{Type: api.BadRequest, Message: message}
}

// readTrail reads entries until there are enough that match, or until it has read many. Its next cursor goes on from
// there.
func readTrail(ctx context.Context, records store.Trail, id organization.ID, q trailQuery) (trail, error) {
	t := trail{Entries: []entry{}, Keys: []named{}, Next: q.cursor}
	for read := 0; read < maxScan; {
		size := maxPage
		if q.kind == "" && q.actor == "" {
			size = q.limit
		}
		page, next, err := records.Audit(ctx, id, t.Next, size)
		if err != nil {
			return t, err
		}
		t.Next = next
		read += len(page)
		for i, e := range page {
			if !strings.HasPrefix(string(e.Action), q.kind) || q.actor != "" && q.actor != e.Actor {
				continue
			}
			t.Entries = append(t.Entries, toEntry(e))
			if len(t.Entries) == q.limit {
				if i < len(page)-1 {
					t.Next = e.ID
				}
				return t, nil
			}
		}
		if next == "" {
			break
		}
	}
	return t, nil
}

func toEntry(e store.Entry) entry {
	changes := make([]change, 0, len(e.Changes))
	for _, c := range e.Changes {
		changes = append(changes, change(c))
	}
	return entry{admin.EntryToJSON(e), changes}
}
