package main

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

func TestIssueKey(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	tests := []struct {
		name       string
		args       []string
		permission string
		mode       string
		lifetime   time.Duration // 0: for ever
	}{
		{"read", []string{"--permission", "read"}, "read", "live", 0},
		{"write in test mode", []string{"--permission", "write", "--mode", "test"}, "write", "test", 0},
		{"delete for hours", []string{"--permission=delete", "--expires=720h"}, "delete", "live", 720 * time.Hour},
		{"admin for days", []string{"--permission", "admin", "--expires", "30d"}, "admin", "live", 30 * 24 * time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := mustJSON[admin.IssuedKeyJSON](t, env, append([]string{"keys", "issue", id}, test.args...)...)
			key, err := apikey.Parse(got.Key)
			if err != nil || string(key.Organization()) != id || string(key.Mode()) != test.mode {
				t.Errorf("key = %v of %s in mode %s, want one of %s in mode %s", err, key.Organization(), key.Mode(), id, test.mode)
			}
			want := admin.IssuedKeyJSON{ID: got.ID, Key: got.Key, Permission: test.permission, Mode: test.mode, CreatedAt: got.CreatedAt}
			if test.lifetime != 0 {
				at, err := organization.ParseTime(got.CreatedAt)
				if err != nil {
					t.Fatal(err)
				}
				want.ExpiresAt = new(organization.FormatTime(at.Add(test.lifetime)))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("keys issue %q (-want +got):\n%s", test.args, diff)
			}
		})
	}
}

// shownKey returns how a key is shown after it was issued.
func shownKey(k admin.IssuedKeyJSON, status string) admin.KeyJSON {
	return admin.KeyJSON{
		ID: k.ID, Label: k.Label, Permission: k.Permission, Mode: k.Mode, Status: status, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt,
	}
}

func TestListAndRevokeKeys(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	first := mustJSON[created](t, env, "create", "--name", "A")
	id := first.Organization.ID
	second := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read", "--mode", "test")
	third := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "write", "--expires", "1ns") // is over by now
	revoked := mustJSON[admin.KeyJSON](t, env, "keys", "revoke", id, second.ID)
	if revoked.RevokedAt == nil {
		t.Fatalf("keys revoke = %+v, want the time", revoked)
	}
	again := mustJSON[admin.KeyJSON](t, env, "keys", "revoke", id, second.ID)
	if diff := cmp.Diff(revoked, again); diff != "" {
		t.Errorf("revoking twice (-first +second):\n%s", diff)
	}
	got := mustJSON[keyList](t, env, "keys", "list", id).Keys
	want := []admin.ListedKeyJSON{
		{KeyJSON: shownKey(first.Key, "active"), LastUsed: "never"},
		{KeyJSON: shownKey(second, "revoked"), LastUsed: "never"},
		{KeyJSON: shownKey(third, "expired"), LastUsed: "never"},
	}
	want[1].RevokedAt = revoked.RevokedAt
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys list (-want +got):\n%s", diff)
	}
	match(t, must(t, env, "keys", "list", id),
		`(?m)^KEY +LABEL +PERMISSION  MODE  STATUS +CREATED +LAST USED +EXPIRES +REVOKED +REPLACED BY$`,
		`(?m)^`+second.ID+`  -      read        test  revoked  [^ ]+ [^ ]+  never +- +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +-$`,
	)
	match(t, must(t, env, "show", id), `(?m)^Keys +3, of which 1 active$`)
}

func TestKeysThatCannotBe(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	made := mustJSON[created](t, env, "create", "--name", "A")
	id := made.Organization.ID
	want := term.Failure{Kind: term.NotFound, Message: id +
		" has no key key_0123456789ABC; see its keys with: orgs keys list " + id + " --store " + env[cli.StoreVariable]}
	if got := failed(t, env, "keys", "revoke", id, "key_0123456789ABC"); got != want {
		t.Errorf("revoking an unknown key reports %+v, want %+v", got, want)
	}
	for range apikey.MaxPerOrganization - 1 {
		must(t, env, "keys", "issue", id, "--permission", "read")
	}
	if got := failed(t, env, "keys", "issue", id, "--permission", "read"); got.Kind != term.Full {
		t.Errorf("one key too many = %+v, want a failure of kind %s", got, term.Full)
	}
	must(t, env, "delete", id)
	for _, args := range [][]string{
		{"issue", id, "--permission", "read"}, {"rotate", id, made.Key.ID}, {"expires", id, made.Key.ID, "30d"},
	} {
		got := failed(t, env, append([]string{"keys"}, args...)...)
		if got.Kind != term.Conflict || !strings.Contains(got.Message, "undelete") {
			t.Errorf("orgs keys %q of a deleted organization = %+v, want a failure of kind %s", args, got, term.Conflict)
		}
	}
}

// TestLifeOfKeys changes keys while a gateway serves. After each step it checks which keys the gateway accepts.
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
	first := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "write", "--mode", "test")
	want("issued", first.Key, "")
	second := mustJSON[rotated](t, env, "keys", "rotate", id, first.ID, "--overlap", "1h")
	want("rotated, the old one", first.Key, "")
	want("rotated, the new one", second.Key.Key, "")
	mustJSON[admin.KeyJSON](t, env, "keys", "expires", id, first.ID, "1ms")
	time.Sleep(2 * time.Millisecond)
	want("expired", first.Key, "api_key_expired")
	mustJSON[admin.KeyJSON](t, env, "keys", "expires", id, first.ID, "never")
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
		overlap  time.Duration // until the old key expires; 0: its expiry stays
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
			old := mustJSON[admin.IssuedKeyJSON](t, env, append([]string{"keys", "issue", id}, test.issue...)...)
			got := mustJSON[rotated](t, env, append([]string{"keys", "rotate", id, old.ID}, test.rotate...)...)
			at, err := organization.ParseTime(got.Key.CreatedAt)
			if err != nil {
				t.Fatal(err)
			}
			key, err := apikey.Parse(got.Key.Key)
			if err != nil || string(key.Organization()) != id || got.Key.ID == old.ID || got.Key.Key == old.Key {
				t.Errorf("the new key is %s of %s, %v, want another of %s", got.Key.ID, key.Organization(), err, id)
			}
			want := rotated{old, shownKey(old, "active")}
			want.Key.ID, want.Key.Key, want.Key.CreatedAt, want.Key.ExpiresAt = got.Key.ID, got.Key.Key, got.Key.CreatedAt, nil
			want.Replaced.ReplacedBy = &got.Key.ID
			if test.lifetime != 0 {
				want.Key.ExpiresAt = new(organization.FormatTime(at.Add(test.lifetime)))
			}
			if test.overlap != 0 {
				want.Replaced.ExpiresAt = new(organization.FormatTime(at.Add(test.overlap)))
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
	match(t, must(t, env, "keys", "rotate", id, old), `(?m)^Key +sk_live_\w+$`, `shown only now`, `(?m)^`+old+` is valid until \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ, and then no longer\.$`)
	keys := mustJSON[keyList](t, env, "keys", "list", id).Keys
	match(t, must(t, env, "keys", "rotate", id, keys[1].ID, "--overlap", "0"), keys[1].ID+` is no longer valid\.`)
	match(t, must(t, env, "keys", "list", id), `(?m)^`+old+` .* `+keys[1].ID+`$`)
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
		return mustJSON[admin.IssuedKeyJSON](t, env, append([]string{"keys", "issue", id, "--permission", "read"}, args...)...).ID
	}
	revoked, expired, replaced := issue(), issue("--expires", "1ns"), issue()
	must(t, env, "keys", "revoke", id, revoked)
	must(t, env, "keys", "rotate", id, replaced)
	before := mustJSON[keyList](t, env, "keys", "list", id).Keys
	for _, test := range []struct {
		args []string
		kind term.Kind
		says string
	}{
		{[]string{"rotate", id, revoked}, term.Conflict, "was revoked at"},
		{[]string{"rotate", id, expired}, term.Conflict, "expired at"},
		{[]string{"rotate", id, replaced}, term.Conflict, "takes its place"},
		{[]string{"rotate", id, "key_0123456789ABC"}, term.NotFound, "has no key"},
		{[]string{"rotate", "org_0123456789ABC", replaced}, term.NotFound, "no organization"},
		{[]string{"rotate", id, replaced, "--overlap", "-1h"}, term.Usage, "give a time, such as 2030-01-31"},
		{[]string{"rotate", id, replaced, "--overlap", "2001-02-03"}, term.Usage, "is over"},
		{[]string{"rotate", id, replaced, "--expires", "0"}, term.Usage, "or never"},
		{[]string{"expires", id, revoked, "30d"}, term.Conflict, "for good"},
		{[]string{"expires", id, "key_0123456789ABC", "30d"}, term.NotFound, "has no key"},
		{[]string{"expires", id, replaced}, term.Usage, "TIME|DURATION|never is missing"},
		{[]string{"expires", id, replaced, "soon"}, term.Usage, "give a time, such as 2030-01-31"},
		{[]string{"expires", id, replaced, "2001-02-03"}, term.Usage, "is over; orgs keys revoke"},
		{[]string{"expires", id, replaced, "9001-02-03"}, term.Usage, "more than 36500 days"},
	} {
		got := failed(t, env, append([]string{"keys"}, test.args...)...)
		if got.Kind != test.kind || !strings.Contains(got.Message, test.says) {
			t.Errorf("orgs keys %q = %+v, want a failure of kind %s that says %q", test.args, got, test.kind, test.says)
		}
	}
	if diff := cmp.Diff(before, mustJSON[keyList](t, env, "keys", "list", id).Keys); diff != "" {
		t.Errorf("keys after all that was refused (-before +after):\n%s", diff)
	}
}

// TestLastUsed uses keys through a gateway with rate limits and one without. Both note when.
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
	read := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read")
	if got := mustJSON[shown](t, env, "show", id).Keys; got != (admin.KeyCountJSON{Total: 2, Active: 2, LastUsed: "never"}) {
		t.Errorf("show, before = %+v, want 2 keys that were never used", got)
	}
	s, client := startServer(t, env, "--rate-limits", limits), newClient(t)
	from := time.Now().UTC().Truncate(store.UseSpan)
	if got := ask(t, client, http.MethodPatch, s.url+organizations, read.Key, "{}").status; got != 403 {
		t.Errorf("PATCH with the read key = %d, want 403", got)
	}
	keys := mustJSON[keyList](t, env, "keys", "list", id).Keys
	hours := []string{organization.FormatTime(from), organization.FormatTime(from.Add(store.UseSpan))} // the next may have begun
	if keys[0].LastUsed != "never" || !slices.Contains(hours, keys[1].LastUsed) {
		t.Errorf("last used = %q and %q, want never and one of %q", keys[0].LastUsed, keys[1].LastUsed, hours)
	}
	if got := mustJSON[shown](t, env, "show", id).Keys; got != (admin.KeyCountJSON{Total: 2, Active: 2, LastUsed: keys[1].LastUsed}) {
		t.Errorf("show = %+v, want the use of the second key", got)
	}
	match(t, must(t, env, "show", id), `(?m)^Last used +\d{4}-\d\d-\d\d \d\d:00Z$`)
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
		loser := decode[struct{ Error term.Failure }](t, results[1].stderr).Error
		if loser.Kind != term.Conflict || !strings.Contains(loser.Message, winner.Key.ID+" takes its place") {
			t.Errorf("the second rotation = %+v, want that %s takes the key's place", results[1], winner.Key.ID)
		}
		// A new key is shown before it is stored. The second one may have come as far as that.
		if shown := results[1].stdout != ""; shown != strings.Contains(loser.Message, "the key that was shown was not issued") {
			t.Errorf("the second rotation = %+v, want it to say that a key which it shows is none", results[1])
		}
		keys := mustJSON[keyList](t, env, "keys", "list", id).Keys
		if len(keys) != 2 || keys[1].ID != winner.Key.ID {
			t.Errorf("keys = %+v, want two, the second of them %s", keys, winner.Key.ID)
		}
	})
}
