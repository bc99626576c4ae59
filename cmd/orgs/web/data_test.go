package web

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// TestDataNeedsTheKey wants of the console's data what the API wants of its operations.
func TestDataNeedsTheKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, foreign := w.create(t, "Another", organization.Free)
	const account, audit = "/console/data/account", "/console/data/audit"
	for _, test := range []struct {
		name, path, key string
		want            int
		code            string
	}{
		{"no key", account, "", 401, "api_key_missing"},
		{"no key", audit, "", 401, "api_key_missing"},
		{"mistyped", audit, w.admin.Reveal()[:len(w.admin.Reveal())-1] + "!", 401, "api_key_invalid"},
		{"unknown", audit, w.newKey(t, w.org.ID).Reveal(), 401, "api_key_invalid"},
		{"read", account, w.read.Reveal(), 200, ""},
		{"read", audit, w.read.Reveal(), 403, "permission_required"},
		{"admin", account, w.admin.Reveal(), 200, ""},
		{"admin", audit, w.admin.Reveal(), 200, ""},
	} {
		var headers []string
		if test.key != "" {
			headers = []string{"Authorization", "Bearer " + test.key}
		}
		got := w.ask(t, "GET", test.path, headers...)
		body := text(t, got)
		if got.StatusCode != test.want || !strings.Contains(body, test.code) {
			t.Errorf("%s: GET %s = %d %s, want %d %s", test.name, test.path, got.StatusCode, body, test.want, test.code)
		}
		if got.Header.Get("X-Request-Id") == "" || got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: GET %s has the headers %v, want those of the API", test.name, test.path, got.Header)
		}
	}
	if body := text(t, w.ask(t, "GET", audit, "Authorization", "Bearer "+foreign.Reveal())); strings.Contains(body, string(w.org.ID)) ||
		len(strings.Split(body, "entry_id")) != 2 {
		t.Errorf("the trail of another organization is %s, want its one entry", body)
	}
	if log := w.log.String(); strings.Contains(log, "sk_") || !strings.Contains(log, `"operation":"console_audit"`) {
		t.Errorf("the log is\n%s\nwant a line of each request and no key", log)
	}
}

// TestDataOfOtherOrigins refuses what a browser sends for another page.
func TestDataOfOtherOrigins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		headers []string
		want    int
	}{
		{nil, 200},
		{[]string{"Sec-Fetch-Site", "same-origin"}, 200},
		{[]string{"Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8080"}, 200},
		{[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{[]string{"Sec-Fetch-Site", "same-site"}, 403},
		{[]string{"Sec-Fetch-Site", "none"}, 403},
		{[]string{"Origin", "http://evil.example"}, 403},
		{[]string{"Origin", "http://127.0.0.1:9090"}, 403},
		{[]string{"Origin", "https://127.0.0.1:8080"}, 403},
		{[]string{"Origin", "null"}, 403},
	} {
		for _, path := range []string{"/console/data/audit", "/console/data/account"} {
			got := w.ask(t, "GET", path, append([]string{"Authorization", "Bearer " + w.admin.Reveal()}, test.headers...)...)
			if got.StatusCode != test.want {
				t.Errorf("GET %s with %q = %d, want %d", path, test.headers, got.StatusCode, test.want)
			}
			if vary := got.Header.Get("Vary"); vary != "Origin, Sec-Fetch-Site" {
				t.Errorf("GET %s with %q has Vary %q, want what the answer depends on", path, test.headers, vary)
			}
		}
	}
}

func TestAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := decode[account](t, w.ask(t, "GET", "/console/data/account", "Authorization", "Bearer "+w.read.Reveal()))
	if got.Key.Permission != "read" || got.Key.MayChange || got.MonthlyCredits == nil || *got.MonthlyCredits != 100_000 {
		t.Errorf("the account is %+v, want that of a read key in the tier pro", got)
	}
	o := organization.New("A", organization.Enterprise, nil, now)
	o.Override = organization.RateLimits{Search: 5000}
	expires := now.Add(time.Hour)
	key := apikey.NewRecord(apikey.New(o.ID, apikey.Test, apikey.NewSecret()), apikey.Admin, now, &expires)
	override := 5000
	text := "2026-01-05T10:30:15.000000Z"
	want := account{
		UpdatedAt: "2026-01-05T09:30:15.000000Z",
		Key:       keyOf(key.ID, "admin", "test", &text),
		RateLimits: []limit{
			{"metadata", 200, nil, 200}, {"data", 100, nil, 100}, {"search", 100, &override, 5000}, {"upload", 50, nil, 50}, {"compute", 50, nil, 50},
		},
	}
	if diff := cmp.Diff(want, toAccount(o, key)); diff != "" {
		t.Errorf("toAccount (-want +got):\n%s", diff)
	}
}

func keyOf(id, permission, mode string, expires *string) key {
	return key{ID: id, Permission: permission, Mode: mode, ExpiresAt: expires, MayChange: permission == "admin"}
}

func TestAuditPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(query url.Values) trail {
		t.Helper()
		r := w.ask(t, "GET", "/console/data/audit?"+query.Encode(), "Authorization", "Bearer "+w.admin.Reveal())
		if r.StatusCode != 200 {
			t.Fatalf("GET with %v = %d %s, want 200", query, r.StatusCode, text(t, r))
		}
		return decode[trail](t, r)
	}
	first := ask(url.Values{"limit": {"1"}})
	if len(first.Entries) != 1 || first.Entries[0].Action != string(store.KeyIssued) || first.Next == "" {
		t.Fatalf("the first page is %+v, want the newest entry and a cursor", first)
	}
	second := ask(url.Values{"limit": {"5"}, "cursor": {first.Next}})
	if len(second.Entries) != 1 || second.Next != "" {
		t.Fatalf("the second page is %+v, want the one entry that is left", second)
	}
	want := []change{{"organization", "null", `{"n":12345678901234567890}`}}
	if diff := cmp.Diff(want, second.Entries[0].Changes); diff != "" {
		t.Errorf("the changes (-want +got):\n%s", diff)
	}
	for _, query := range []string{"limit=0", "limit=101", "limit=x", "limit=-1", "kind=all", "actor=a%20b", "cursor=a%00b", "cursor=" + strings.Repeat("a", 65), "cursor=%zz"} {
		if got := w.ask(t, "GET", "/console/data/audit?"+query, "Authorization", "Bearer "+w.admin.Reveal()); got.StatusCode != 400 {
			t.Errorf("GET with %s = %d, want 400", query, got.StatusCode)
		}
	}
}

// TestAuditParts asks for entries of one kind or one actor, over more pages of the store than one.
func TestAuditParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.newKey(t, w.org.ID)
	record := apikey.NewRecord(key, apikey.Admin, now, nil)
	record.Label = "billing job"
	issued := store.Entry{ID: store.NewEntryID(now.Add(2 * time.Second)), Action: store.KeyIssued, Actor: store.OperatorActor}
	if err := w.store.AddKey(t.Context(), w.org.ID, record, issued); err != nil {
		t.Fatal(err)
	}
	for n := range 250 {
		actor := store.OperatorActor
		if n%100 == 7 { // 7, 107 and 207
			actor = record.ID
		}
		at := now.Add(time.Duration(n+1) * time.Minute)
		after := record
		expires := at.Add(time.Hour)
		after.ExpiresAt = &expires
		e := store.Entry{ID: store.NewEntryID(at), Action: store.KeyExpires, Actor: actor}
		if err := w.store.ChangeKey(t.Context(), w.org.ID, store.KeyChange{Before: record, After: after}, e); err != nil {
			t.Fatal(err)
		}
		record = after
	}
	var got []string
	for query := (trailQuery{limit: 2, actor: record.ID}); ; {
		page, err := readTrail(t.Context(), w.store, w.org.ID, query)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			got = append(got, e.At)
		}
		if query.cursor = page.Next; query.cursor == "" {
			break
		}
	}
	want := []string{
		organization.FormatTime(now.Add(208 * time.Minute)), organization.FormatTime(now.Add(108 * time.Minute)),
		organization.FormatTime(now.Add(8 * time.Minute)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the entries of the key (-want +got):\n%s", diff)
	}
	answer := decode[trail](t, w.ask(t, "GET", "/console/data/audit?kind=organization.updated", "Authorization", "Bearer "+w.admin.Reveal()))
	if len(answer.Entries) != 0 || answer.Next != "" {
		t.Errorf("the updates are %+v, want none", answer.Entries)
	}
	labels := make(map[string]string)
	for _, k := range answer.Keys {
		labels[k.ID] = k.Label
	}
	if len(labels) != 3 || labels[record.ID] != "billing job" {
		t.Errorf("the keys are %+v, want all three and the label of one", answer.Keys)
	}
}
