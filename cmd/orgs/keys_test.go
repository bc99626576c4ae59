package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

func actions(t trail) []string {
	var all []string
	for _, e := range t.Entries {
		all = append(all, e.Action)
	}
	return all
}

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
			got := mustJSON[wireIssued](t, env, append([]string{"keys", "issue", id}, test.args...)...)
			key, err := apikey.Parse(got.Key)
			if err != nil || string(key.Organization()) != id || string(key.Mode()) != test.mode {
				t.Errorf("key = %v of %s in mode %s, want one of %s in mode %s", err, key.Organization(), key.Mode(), id, test.mode)
			}
			want := wireIssued{ID: got.ID, Key: got.Key, Permission: test.permission, Mode: test.mode, CreatedAt: got.CreatedAt}
			if test.lifetime != 0 {
				at, err := organization.ParseTime(got.CreatedAt)
				if err != nil {
					t.Fatal(err)
				}
				at = at.Add(test.lifetime)
				want.ExpiresAt = wireTime(&at)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("keys issue %q (-want +got):\n%s", test.args, diff)
			}
		})
	}
}

func TestListAndRevokeKeys(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	first := mustJSON[created](t, env, "create", "--name", "A")
	id := first.Organization.ID
	second := mustJSON[wireIssued](t, env, "keys", "issue", id, "--permission", "read", "--mode", "test")
	third := mustJSON[wireIssued](t, env, "keys", "issue", id, "--permission", "write", "--expires", "1ns") // is over by now
	revoked := mustJSON[wireKey](t, env, "keys", "revoke", id, second.ID)
	if revoked.RevokedAt == nil {
		t.Fatalf("keys revoke = %+v, want the time", revoked)
	}
	again := mustJSON[wireKey](t, env, "keys", "revoke", id, second.ID)
	if diff := cmp.Diff(revoked, again); diff != "" {
		t.Errorf("revoking twice (-first +second):\n%s", diff)
	}
	got := mustJSON[keyList](t, env, "keys", "list", id).Keys
	want := []wireListedKey{
		{wireKey{first.Key.ID, "admin", "live", "active", first.Key.CreatedAt, nil, nil, nil}, "never"},
		{wireKey{second.ID, "read", "test", "revoked", second.CreatedAt, nil, revoked.RevokedAt, nil}, "never"},
		{wireKey{third.ID, "write", "live", "expired", third.CreatedAt, third.ExpiresAt, nil, nil}, "never"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(wireListedKey{})); diff != "" {
		t.Errorf("keys list (-want +got):\n%s", diff)
	}
	text := must(t, env, "keys", "list", id)
	for _, want := range []string{
		`(?m)^KEY +PERMISSION  MODE  STATUS +CREATED +LAST USED +EXPIRES +REVOKED +REPLACED BY$`,
		`(?m)^` + second.ID + `  read        test  revoked  [^ ]+ [^ ]+  never +- +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +-$`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("keys list prints\n%s\nwant it to match %s", text, want)
		}
	}
	if got := must(t, env, "show", id); !strings.Contains(got, "3, of which 1 active") {
		t.Errorf("show prints\n%s\nwant 3 keys, of which 1 active", got)
	}
}

func TestKeysThatCannotBe(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	got := decode[reported](t, orgs(t, env, "keys", "revoke", id, "key_0123456789ABC", "--json").stderr).Error
	if want := (failure{kindNotFound, id + " has no key key_0123456789ABC"}); got != want {
		t.Errorf("revoking an unknown key reports %+v, want %+v", got, want)
	}
	for range apikey.MaxPerOrganization - 1 {
		must(t, env, "keys", "issue", id, "--permission", "read")
	}
	r := orgs(t, env, "keys", "issue", id, "--permission", "read", "--json")
	if got := decode[reported](t, r.stderr).Error; got.Kind != kindFull || r.code != exitFailed || r.stdout != "" {
		t.Errorf("one key too many = %+v, want %d and kind %s", r, exitFailed, kindFull)
	}
	must(t, env, "delete", id)
	r = orgs(t, env, "keys", "issue", id, "--permission", "read", "--json")
	if got := decode[reported](t, r.stderr).Error; got.Kind != kindConflict || r.code != exitFailed || r.stdout != "" {
		t.Errorf("a key of a deleted organization = %+v, want %d and kind %s", r, exitFailed, kindConflict)
	}
}

func TestParseLifetime(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	tests := []struct {
		text string
		want time.Duration // 0: refused
	}{
		{"720h", 720 * time.Hour}, {"90m", 90 * time.Minute}, {"1h30m", 90 * time.Minute}, {"30d", 30 * day},
		{"36500d", 36500 * day}, {"876000h", 36500 * day},
		{"36501d", 0}, {"876001h", 0}, {"65536d", 0}, {"0d", 0}, {"0s", 0}, {"-1d", 0}, {"+1d", 0}, {"1.5d", 0}, {"1d2h", 0},
		{"d", 0}, {"", 0}, {"30", 0}, {"30 d", 0}, {"99999999999h", 0},
	}
	for _, test := range tests {
		got, err := parseLifetime(test.text)
		if got != test.want || (err == nil) != (test.want != 0) {
			t.Errorf("parseLifetime(%q) = %v, %v, want %v", test.text, got, err, test.want)
		}
	}
}
