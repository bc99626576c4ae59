package main

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// rotated is what rotating a key prints.
type rotated struct {
	Key      wireIssued `json:"key"`
	Replaced wireKey    `json:"replaced"`
}

// onBothStores runs a test on a new store of each engine.
func onBothStores(t *testing.T, test func(t *testing.T, env environment)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, newStore(t))
	})
	t.Run("DynamoDB", func(t *testing.T) {
		t.Parallel()
		env := newTables(t)
		must(t, env, "tables", "create")
		test(t, env)
	})
}

// TestLifeOfKeys takes keys through their lives while a gateway serves, and asks after each step who is let in.
func TestLifeOfKeys(t *testing.T) {
	t.Parallel()
	onBothStores(t, testLifeOfKeys)
}

func testLifeOfKeys(t *testing.T, env environment) {
	made := mustJSON[created](t, env, "create", "--name", "A", "--tier", "team")
	id := made.Organization.ID
	s, client := startServer(t, env), newClient(t)
	want := func(when, key, code string) {
		t.Helper()
		got := ask(t, client, http.MethodGet, s.url+organizations, key, "")
		if code == "" && got.status != 200 || code != "" && (got.status != 401 || !strings.Contains(got.body, `"code":"`+code+`"`)) {
			t.Errorf("%s: GET = %d %s, want the code %q", when, got.status, got.body, code)
		}
	}
	first := mustJSON[wireIssued](t, env, "keys", "issue", id, "--permission", "write", "--mode", "test")
	want("issued", first.Key, "")
	second := mustJSON[rotated](t, env, "keys", "rotate", id, first.ID, "--overlap", "1h")
	want("rotated, the old one", first.Key, "")
	want("rotated, the new one", second.Key.Key, "")
	mustJSON[wireKey](t, env, "keys", "expires", id, first.ID, "1ms")
	time.Sleep(2 * time.Millisecond)
	want("expired", first.Key, "api_key_expired")
	mustJSON[wireKey](t, env, "keys", "expires", id, first.ID, "never")
	want("brought back", first.Key, "")
	third := mustJSON[rotated](t, env, "keys", "rotate", id, second.Key.ID, "--overlap", "0")
	want("rotated without overlap, the old one", second.Key.Key, "api_key_expired")
	want("rotated without overlap, the new one", third.Key.Key, "")
	must(t, env, "keys", "revoke", id, third.Key.ID)
	want("revoked", third.Key.Key, "api_key_revoked")
	want("the other keys", made.Key.Key, "")

	wantActions := []string{"key.revoked", "key.rotated", "key.expires", "key.expires", "key.rotated", "key.issued", "organization.created"}
	if diff := cmp.Diff(wantActions, actions(mustJSON[trail](t, env, "audit", id))); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

func TestRotateKey(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	tests := []struct {
		name     string
		issue    []string
		rotate   []string
		overlap  time.Duration // that the old key is left; 0: no longer than it had
		lifetime time.Duration // of the new key; 0: for ever
	}{
		{"for ever", []string{"--permission", "read"}, nil, 24 * time.Hour, 0},
		{"lifetime is handed on", []string{"--permission", "admin", "--expires", "90d"}, nil, 24 * time.Hour, 90 * 24 * time.Hour},
		{"earlier expiry wins", []string{"--permission", "write", "--expires", "2h"}, nil, 0, 2 * time.Hour},
		{"other overlap", []string{"--permission", "delete", "--mode", "test"}, []string{"--overlap", "7d"}, 7 * 24 * time.Hour, 0},
		{"other lifetime", []string{"--permission", "read"}, []string{"--expires", "30d"}, 24 * time.Hour, 30 * 24 * time.Hour},
		{"for ever from now on", []string{"--permission", "read", "--expires", "2h"}, []string{"--expires", "never"}, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			old := mustJSON[wireIssued](t, env, append([]string{"keys", "issue", id}, test.issue...)...)
			got := mustJSON[rotated](t, env, append([]string{"keys", "rotate", id, old.ID}, test.rotate...)...)
			at, err := organization.ParseTime(got.Key.CreatedAt)
			if err != nil {
				t.Fatal(err)
			}
			key, err := apikey.Parse(got.Key.Key)
			if err != nil || string(key.Organization()) != id || got.Key.ID == old.ID || got.Key.Key == old.Key {
				t.Errorf("the new key is %s of %s, %v, want another of %s", got.Key.ID, key.Organization(), err, id)
			}
			want := rotated{
				wireIssued{got.Key.ID, got.Key.Key, old.Permission, old.Mode, got.Key.CreatedAt, nil},
				wireKey{old.ID, old.Permission, old.Mode, "active", old.CreatedAt, old.ExpiresAt, nil, &got.Key.ID},
			}
			if test.lifetime != 0 {
				want.Key.ExpiresAt = wireTime(new(at.Add(test.lifetime)))
			}
			if test.overlap != 0 {
				want.Replaced.ExpiresAt = wireTime(new(at.Add(test.overlap)))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("keys rotate (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRotationIsTold(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	made := mustJSON[created](t, env, "create", "--name", "A")
	id, old := made.Organization.ID, made.Key.ID
	text := must(t, env, "keys", "rotate", id, old)
	for _, want := range []string{`(?m)^Key +sk_live_\w+$`, `shown only now`, `(?m)^` + old + ` is valid until \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ, and then no longer\.$`} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("keys rotate prints\n%s\nwant it to match %s", text, want)
		}
	}
	keys := mustJSON[keyList](t, env, "keys", "list", id).Keys
	if text := must(t, env, "keys", "rotate", id, keys[1].ID, "--overlap", "0"); !strings.Contains(text, keys[1].ID+" is no longer valid.") {
		t.Errorf("keys rotate --overlap 0 prints\n%s\nwant that the old key is no longer valid", text)
	}
	if text := must(t, env, "keys", "list", id); !strings.Contains(text, keys[1].ID+"\n") {
		t.Errorf("keys list prints\n%s\nwant by what the first key is replaced", text)
	}
	entry := mustJSON[trail](t, env, "audit", id).Entries[1]
	issued := `{"key_id":"` + old + `","permission":"admin","mode":"live","expires_at":`
	wantChanges := []string{
		issued + `null}`, issued + `"` + *keys[0].ExpiresAt + `","replaced_by":"` + keys[1].ID + `"}`,
		`null`, `{"key_id":"` + keys[1].ID + `","permission":"admin","mode":"live","expires_at":null}`,
	}
	var changes []string
	for _, c := range entry.Changes {
		changes = append(changes, compact(t, c.Before), compact(t, c.After))
	}
	if diff := cmp.Diff(wantChanges, changes); entry.Action != "key.rotated" || entry.Actor != "operator" || diff != "" {
		t.Errorf("entry %s by %s (-want +got):\n%s", entry.Action, entry.Actor, diff)
	}
}

func TestKeysThatCannotBeChanged(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	issue := func(args ...string) string {
		return mustJSON[wireIssued](t, env, append([]string{"keys", "issue", id, "--permission", "read"}, args...)...).ID
	}
	revoked, expired, replaced := issue(), issue("--expires", "1ns"), issue()
	must(t, env, "keys", "revoke", id, revoked)
	must(t, env, "keys", "rotate", id, replaced)
	before := mustJSON[keyList](t, env, "keys", "list", id).Keys
	for _, test := range []struct {
		args []string
		kind string
		says string
	}{
		{[]string{"rotate", id, revoked}, kindConflict, "was revoked at"},
		{[]string{"rotate", id, expired}, kindConflict, "expired at"},
		{[]string{"rotate", id, replaced}, kindConflict, "takes its place"},
		{[]string{"rotate", id, "key_0123456789ABC"}, kindNotFound, "has no key"},
		{[]string{"rotate", "org_0123456789ABC", replaced}, kindNotFound, "no organization"},
		{[]string{"rotate", id, replaced, "--overlap", "-1h"}, kindUsage, "a duration is"},
		{[]string{"rotate", id, replaced, "--expires", "0"}, kindUsage, "a duration is"},
		{[]string{"expires", id, revoked, "30d"}, kindConflict, "for good"},
		{[]string{"expires", id, "key_0123456789ABC", "30d"}, kindNotFound, "has no key"},
		{[]string{"expires", id, replaced}, kindUsage, "accepts 3 arg"},
		{[]string{"expires", id, replaced, "soon"}, kindUsage, "a key expires at a time"},
		{[]string{"expires", id, replaced, "2001-02-03"}, kindUsage, "is over; orgs keys revoke"},
		{[]string{"expires", id, replaced, "9001-02-03"}, kindUsage, "more than 36500 days"},
	} {
		r := orgs(t, env, append([]string{"keys", "--json"}, test.args...)...)
		if got := decode[reported](t, r.stderr).Error; got.Kind != test.kind || !strings.Contains(got.Message, test.says) || r.stdout != "" {
			t.Errorf("orgs keys %q = %+v, want a failure of kind %s that says %q", test.args, got, test.kind, test.says)
		}
	}
	if diff := cmp.Diff(before, mustJSON[keyList](t, env, "keys", "list", id).Keys, cmp.AllowUnexported(wireListedKey{})); diff != "" {
		t.Errorf("keys after all that was refused (-before +after):\n%s", diff)
	}
}

func TestKeysOfDeletedOrganizations(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	made := mustJSON[created](t, env, "create", "--name", "A")
	id := made.Organization.ID
	must(t, env, "delete", id)
	for _, args := range [][]string{{"rotate", id, made.Key.ID}, {"expires", id, made.Key.ID, "30d"}} {
		r := orgs(t, env, append([]string{"keys", "--json"}, args...)...)
		if got := decode[reported](t, r.stderr).Error; got.Kind != kindConflict || !strings.Contains(got.Message, "undelete") {
			t.Errorf("orgs keys %q of a deleted organization = %+v, want a failure of kind %s", args, got, kindConflict)
		}
	}
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-02-03": "2026-02-03T00:00:00Z", "2026-02-03T12:00:00+02:00": "2026-02-03T10:00:00Z", "30d": "2026-02-04T09:30:15Z",
		"90m": "2026-01-05T11:00:15Z", "never": "", "2026-01-05T09:30:15.000001Z": "2026-01-05T09:30:15.000001Z",
	} {
		e, err := parseMoment(text)
		if err != nil {
			t.Errorf("parseMoment(%q) = %v, want no error", text, err)
			continue
		}
		got := ""
		if at, err := e.from(now); err != nil {
			t.Errorf("%q from %v = %v, want no error", text, now, err)
		} else if at != nil {
			got = at.UTC().Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%q from %v = %q, want %q", text, now, got, want)
		}
	}
	for _, text := range []string{"", "0", "-1h", "2026-13-01", "2026-02-03 12:00", "Never", "tomorrow", "1738540800"} {
		if e, err := parseMoment(text); err == nil {
			t.Errorf("parseMoment(%q) = %+v, want an error", text, e)
		}
	}
}

// TestLastUsed uses keys through a gateway, which notes it with and without rate limits.
func TestLastUsed(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, env environment) {
		for _, limits := range []string{"on", "off"} {
			testLastUsed(t, env, limits)
		}
	})
}

func testLastUsed(t *testing.T, env environment, limits string) {
	made := mustJSON[created](t, env, "create", "--name", "A")
	id := made.Organization.ID
	read := mustJSON[wireIssued](t, env, "keys", "issue", id, "--permission", "read")
	if got := mustJSON[shown](t, env, "show", id).Keys; got != (wireKeyCount{2, 2, neverUsed}) {
		t.Errorf("show, before = %+v, want 2 keys that were never used", got)
	}
	s, client := startServer(t, env, "--rate-limits", limits), newClient(t)
	from := time.Now().UTC().Truncate(store.UseSpan)
	if got := ask(t, client, http.MethodPatch, s.url+organizations, read.Key, "{}").status; got != 403 {
		t.Errorf("PATCH with the read key = %d, want 403", got)
	}
	keys := mustJSON[keyList](t, env, "keys", "list", id).Keys
	hours := []string{organization.FormatTime(from), organization.FormatTime(from.Add(store.UseSpan))} // the next may have begun
	if keys[0].LastUsed != neverUsed || !slices.Contains(hours, keys[1].LastUsed) {
		t.Errorf("last used = %q and %q, want never and one of %q", keys[0].LastUsed, keys[1].LastUsed, hours)
	}
	if got := mustJSON[shown](t, env, "show", id).Keys; got != (wireKeyCount{2, 2, keys[1].LastUsed}) {
		t.Errorf("show = %+v, want the use of the second key", got)
	}
	if text := must(t, env, "show", id); !regexp.MustCompile(`(?m)^Last used +\d{4}-\d\d-\d\d \d\d:00Z$`).MatchString(text) {
		t.Errorf("show prints\n%s\nwant the hour of the last use", text)
	}
}

func TestUseOfKeys(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	keys := []apikey.Record{{ID: "a"}, {ID: "b"}}
	for _, test := range []struct {
		uses      keyUses
		a, latest string
	}{
		{nil, unknownUse, unknownUse},
		{keyUses{"a": {}}, neverUsed, unknownUse},
		{keyUses{"a": {}, "b": {}}, neverUsed, neverUsed},
		{keyUses{"b": at}, unknownUse, "2026-01-05 09:00Z"},
		{keyUses{"a": at, "b": at.Add(time.Hour), "c": at.Add(2 * time.Hour)}, "2026-01-05 09:00Z", "2026-01-05 10:00Z"},
	} {
		if a, latest := test.uses.of("a", hour), test.uses.ofAny(keys, hour); a != test.a || latest != test.latest {
			t.Errorf("uses %v: the first key's = %q, the latest = %q, want %q and %q", test.uses, a, latest, test.a, test.latest)
		}
	}
}

// TestRotatedByTwo has two operators rotate one key at the same time.
func TestRotatedByTwo(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, env environment) {
		made := mustJSON[created](t, env, "create", "--name", "A")
		id := made.Organization.ID
		results := make([]result, 2)
		var done sync.WaitGroup
		for i := range results {
			done.Go(func() { results[i] = orgs(t, env, "keys", "rotate", id, made.Key.ID, "--json") })
		}
		done.Wait()
		if results[0].code != exitOK {
			results[0], results[1] = results[1], results[0]
		}
		winner := decode[rotated](t, results[0].stdout)
		loser := decode[reported](t, results[1].stderr).Error
		if loser.Kind != kindConflict || !strings.Contains(loser.Message, winner.Key.ID+" takes its place") || results[1].stdout != "" {
			t.Errorf("the second rotation = %+v, want that %s takes the key's place", results[1], winner.Key.ID)
		}
		if keys := mustJSON[keyList](t, env, "keys", "list", id).Keys; len(keys) != 2 {
			t.Errorf("keys = %+v, want 2", keys)
		}
	})
}
