package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/organization"
)

// textFile makes a file with the text and returns its path.
func textFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestUpdate sets each property by its flag, on both stores, and looks at the record, its entry, and what the API
// answers with.
func TestUpdate(t *testing.T) {
	t.Parallel()
	onBothStores(t, testUpdate)
}

func testUpdate(t *testing.T, env environment) {
	made := mustJSON[created](t, env, "create", "--name", "A", "--billing-email", "a@example.com")
	id := made.Organization.ID
	server, client := startServer(t, env), newClient(t)
	users := textFile(t, "users.json", `[ {"user_id": "u1", "n": 12345678901234567890} ]`)
	metadata := textFile(t, "metadata.json", "{\"a\": [1.50, 2]}\n")
	for i, test := range []struct {
		args   []string
		field  string // of the contract
		before string // JSON, for the entry
		after  string
		answer string // what the API answers; "": as after
	}{
		{[]string{"--name", "Bé <&>"}, "organization_name", `"A"`, `"Bé <&>"`, ""},
		{[]string{"--tier", "pro"}, "account_type", `"free"`, `"pro"`, ""},
		{[]string{"--credits", "1_500"}, "credit_count", `1000`, `1500`, ""},
		{[]string{"--credits", "+20"}, "credit_count", `1500`, `1520`, ""},
		{[]string{"--credits", "-1520"}, "credit_count", `1520`, `0`, ""},
		{[]string{"--usage", "7"}, "current_month_usage", `0`, `7`, ""},
		{[]string{"--usage=+3"}, "current_month_usage", `7`, `10`, ""},
		{[]string{"--usage=-10"}, "current_month_usage", `10`, `0`, ""},
		{[]string{"--auto-billing", "on"}, "auto_billing_enabled", `false`, `true`, ""},
		{[]string{"--auto-billing", "off"}, "auto_billing_enabled", `true`, `false`, ""},
		{[]string{"--billing-cycle-start", "31"}, "billing_cycle_start", `1`, `31`, ""},
		{[]string{"--api-url", "https://eu.example.com"}, "api_url", `null`, `"https://eu.example.com"`, ""},
		{[]string{"--auth-provider-org-id", "org_x"}, "auth_provider_org_id", `null`, `"org_x"`, ""},
		{[]string{"--users", "@" + users}, "users", `null`, `[{"user_id":"u1","n":12345678901234567890}]`, ""},
		{[]string{"--logo-url", "https://example.com/l.svg"}, "logo_url", `null`, `"https://example.com/l.svg"`, ""},
		{[]string{"--billing-email", "b@example.com"}, "billing_email", `"a@example.com"`, `"b@example.com"`, ""},
		{[]string{"--notifications-email", "n@example.com"}, "notifications_email", `null`, `"n@example.com"`, ""},
		{[]string{"--metadata", "@" + metadata}, "metadata", `{}`, `{"a":[1.50,2]}`, ""},
		{[]string{"--metadata", `{"b":1}`}, "metadata", `{"a":[1.50,2]}`, `{"b":1}`, ""},
		{[]string{"--rate-limit", "search=600", "--rate-limit", "data=5"}, "rate_limits", `null`, `{"data":5,"search":600}`,
			`{"metadata":100,"data":5,"search":600,"upload":30,"compute":30}`},
		{[]string{"--tier", "team"}, "account_type", `"pro"`, `"team"`, ""},
		{[]string{"--clear", "rate_limits.search"}, "rate_limits", `{"data":5,"search":600}`, `{"data":5}`,
			`{"metadata":200,"data":5,"search":100,"upload":50,"compute":50}`},
		{[]string{"--clear", "rate_limits", "--rate-limit", "upload=9"}, "rate_limits", `{"data":5}`, `{"upload":9}`,
			`{"metadata":200,"data":100,"search":100,"upload":9,"compute":50}`},
		{[]string{"--clear", "rate_limits"}, "rate_limits", `{"upload":9}`, `null`,
			`{"metadata":200,"data":100,"search":100,"upload":50,"compute":50}`},
		{[]string{"--clear", "metadata"}, "metadata", `{"b":1}`, `{}`, ""},
		{[]string{"--clear", "billing_email"}, "billing_email", `"b@example.com"`, `null`, ""},
		{[]string{"--clear", "notifications_email"}, "notifications_email", `"n@example.com"`, `null`, ""},
		{[]string{"--clear", "logo_url"}, "logo_url", `"https://example.com/l.svg"`, `null`, ""},
		{[]string{"--clear", "api_url"}, "api_url", `"https://eu.example.com"`, `null`, ""},
		{[]string{"--clear", "auth_provider_org_id"}, "auth_provider_org_id", `"org_x"`, `null`, ""},
		{[]string{"--clear", "users"}, "users", `[{"user_id":"u1","n":12345678901234567890}]`, `null`, ""},
	} {
		old := ask(t, client, http.MethodGet, server.url+organizations, made.Key.Key, "").header.Get("ETag")
		got := mustJSON[updated](t, env, append([]string{"update", id}, test.args...)...)
		if len(got.Changes) != 1 || got.DryRun || got.Organization.Version != int64(i+1) {
			t.Fatalf("update %q = %+v, want one change and version %d", test.args, got, i+1)
		}
		c := got.Changes[0]
		if c.Field != test.field || compact(t, c.Before) != test.before || compact(t, c.After) != test.after {
			t.Errorf("update %q changes %s from %s to %s, want %s from %s to %s",
				test.args, c.Field, c.Before, c.After, test.field, test.before, test.after)
		}
		e := mustJSON[trail](t, env, "audit", id, "--limit", "1").Entries[0]
		if len(e.Changes) != 1 || e.Changes[0].Field != c.Field || compact(t, e.Changes[0].Before) != test.before ||
			compact(t, e.Changes[0].After) != test.after || e.Actor != "operator" || e.Action != "organization.updated" ||
			e.Version != int64(i+1) {
			t.Errorf("the entry of update %q is %+v, want the same change, by the operator", test.args, e)
		}
		answer := ask(t, client, http.MethodGet, server.url+organizations, made.Key.Key, "")
		var record map[string]json.RawMessage
		if err := json.Unmarshal([]byte(answer.body), &record); err != nil || answer.header.Get("ETag") == old {
			t.Fatalf("GET after update %q = %v, ETag %s, want another than %s", test.args, err, answer.header.Get("ETag"), old)
		}
		want := test.answer
		if want == "" {
			want = test.after
		}
		if got := compact(t, record[test.field]); got != want {
			t.Errorf("GET after update %q has %s %s, want %s", test.args, test.field, got, want)
		}
	}
}

// TestUpdateOnce: all flags together are one change with one entry.
func TestUpdateOnce(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	made := mustJSON[created](t, env, "create", "--name", "A")
	id := made.Organization.ID
	text := must(t, env, "update", id, "--tier", "pro", "--credits", "+100_000", "--name", "B\x1b[2J", "--auto-billing", "on")
	match(t, text, `(?m)^account_type +"free" -> "pro"$`, `(?m)^credit_count +1000 -> 101000$`, `\\u001b\[2J`,
		`(?m)^limits in force +metadata 20, .* -> metadata 100, `, `(?m)^`+id+` has version 1 now\.$`)
	entries := mustJSON[trail](t, env, "audit", id).Entries
	if len(entries) != 2 || len(entries[0].Changes) != 4 || entries[0].Version != 1 {
		t.Errorf("the trail is %+v, want one entry of four changes after the creation", entries)
	}
	if got := must(t, env, "update", id, "--tier", "pro"); got != id+" is like that already, at version 1.\n" {
		t.Errorf("update to what is there = %q, want it said", got)
	}

	before := mustJSON[shown](t, env, "show", id)
	dry := mustJSON[updated](t, env, "update", id, "--credits=-1000", "--dry-run")
	if !dry.DryRun || dry.Organization.Credits != 100_000 || len(dry.Changes) != 1 {
		t.Errorf("update --dry-run = %+v, want the change", dry)
	}
	match(t, must(t, env, "update", id, "--credits=-1000", "--dry-run"), `101000 -> 100000`, `Nothing was changed`)
	for _, test := range []struct {
		args []string
		kind term.Kind
		want string
	}{
		{[]string{"--credits=-101001", "--name", "C"}, term.Conflict, "credit_count is 101000 and must not fall below 0; nothing was changed"},
		{[]string{"--usage=-1", "--name", "C"}, term.Conflict, "current_month_usage is 0 and must not fall below 0; nothing was changed"},
		{[]string{"--usage=-1", "--dry-run"}, term.Conflict, "current_month_usage is 0"},
		{[]string{"--name", "C", "--if-version", "0"}, term.Conflict, id + " has version 1, and not 0"},
		{nil, term.Usage, "nothing to change; say what"},
		{[]string{"--tier", "gold"}, term.Usage, "a tier is one of"},
		{[]string{"--name", ""}, term.Usage, "a name has 1 to 100 characters"},
		{[]string{"--credits", "1.5"}, term.Usage, "an amount is a whole number, or +N or -N"},
		{[]string{"--auto-billing", "yes"}, term.Usage, "it is on or off"},
		{[]string{"--billing-cycle-start", "32"}, term.Usage, "a day from 1 to 31"},
		{[]string{"--api-url", "ftp://x"}, term.Usage, "an API URL is such as"},
		{[]string{"--auth-provider-org-id", "a b"}, term.Usage, "has 1 to 255 visible"},
		{[]string{"--billing-email", "x"}, term.Usage, "it has no @"},
		{[]string{"--metadata", "[]"}, term.Usage, "metadata is a JSON object"},
		{[]string{"--metadata", `{"a":1,"a":2}`}, term.Usage, "two members of the same name"},
		{[]string{"--metadata", `{"a":"` + strings.Repeat("x", organization.MaxObjectSize) + `"}`}, term.Usage, "at most 64 KiB"},
		{[]string{"--users", "[1]"}, term.Usage, "users are a JSON array of objects"},
		{[]string{"--users", "@" + filepath.Join(t.TempDir(), "none")}, term.Usage, "no such file"},
		{[]string{"--rate-limit", "search=0"}, term.Usage, "a rate limit is CATEGORY=N"},
		{[]string{"--rate-limit", "find=1"}, term.Usage, `"find" is no category`},
		{[]string{"--clear", "organization_name"}, term.Usage, `"organization_name" cannot be cleared; these can: logo_url`},
		{[]string{"--clear", "rate_limits.find"}, term.Usage, `"find" is no category`},
		{[]string{"--file", "x", "--tier", "pro"}, term.Usage, "give it alone"},
	} {
		got := failed(t, env, append([]string{"update", id}, test.args...)...)
		if got.Kind != test.kind || !strings.Contains(got.Message, test.want) {
			t.Errorf("update %.80q = %.200v, want a failure of kind %s with %q", test.args, got, test.kind, test.want)
		}
	}
	if diff := cmp.Diff(before, mustJSON[shown](t, env, "show", id)); diff != "" {
		t.Errorf("what was refused changed something (-before +after):\n%s", diff)
	}
	mustJSON[updated](t, env, "update", id, "--name", "C", "--if-version", "1")
	must(t, env, "delete", id)
	if got := failed(t, env, "update", id, "--name", "D"); got.Kind != term.Conflict || !strings.Contains(got.Message, "undelete") {
		t.Errorf("update of a deleted organization = %+v, want a failure of kind %s", got, term.Conflict)
	}
}

// TestUpdateHidesSecrets: neither the output nor the entry shows the stored credentials.
func TestUpdateHidesSecrets(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	made := mustJSON[created](t, env, "create", "--name", "A")
	server, client := startServer(t, env), newClient(t)
	body := `{"default_llm_credentials":{"openai":"sesame"}}`
	if got := ask(t, client, http.MethodPatch, server.url+organizations, made.Key.Key, body); got.status != 200 {
		t.Fatalf("PATCH = %d %s", got.status, got.body)
	}
	id := made.Organization.ID
	text := must(t, env, "update", id, "--clear", "default_llm_credentials", "--dry-run")
	text += must(t, env, "update", id, "--clear", "default_llm_credentials") + must(t, env, "audit", id, "--json")
	match(t, text, `(?m)^default_llm_credentials +\{"openai":"sha256:\w+"\} -> \{\}$`)
	if strings.Contains(text, "sesame") {
		t.Errorf("update and audit print %s, which has a secret", text)
	}
}

// ran is the report of a file of changes.
type ran struct {
	Lines     int64 `json:"lines"`
	Changed   int64 `json:"changed"`
	Unchanged int64 `json:"unchanged"`
	Repeated  int64 `json:"repeated"`
	Refused   []struct {
		Line         int64        `json:"line"`
		Organization string       `json:"organization_id"`
		Error        term.Failure `json:"error"`
	} `json:"refused"`
	DryRun bool `json:"dry_run"`
}

// TestBillingRun runs a file of changes three times, on both stores. A change with an id is made once.
func TestBillingRun(t *testing.T) {
	t.Parallel()
	onBothStores(t, testBillingRun)
}

func testBillingRun(t *testing.T, env environment) {
	const count = 12
	var ids, lines []string
	for i := range count {
		id := mustJSON[created](t, env, "create", "--name", fmt.Sprint("org ", i)).Organization.ID
		ids = append(ids, id)
		lines = append(lines,
			fmt.Sprintf(`{"organization_id":%q,"id":"2026-11","credit_count":"+10","current_month_usage":0}`, id),
			fmt.Sprintf(`{"organization_id":%q,"id":"2026-11-tier","account_type":"free"}`, id), // as it is
			fmt.Sprintf(`{"organization_id":%q,"id":"2026-11-use","current_month_usage":"+3","credit_count":"-1010"}`, id))
	}
	must(t, env, "delete", ids[0])
	bad := []string{
		"", "  ", `nonsense`, `[]`, `{"organization_id":"org_0000000000000","account_type":"pro"}`, `{"account_type":"pro"}`,
		fmt.Sprintf(`{"organization_id":%q}`, ids[1]),
		fmt.Sprintf(`{"organization_id":%q,"id":"a b","account_type":"pro"}`, ids[1]),
		fmt.Sprintf(`{"organization_id":%q,"account_typ":"pro"}`, ids[1]),
		fmt.Sprintf(`{"organization_id":%q,"credit_count":-5}`, ids[1]),
		fmt.Sprintf(`{"organization_id":%q,"credit_count":"5"}`, ids[1]),
		fmt.Sprintf(`{"organization_id":%q,"credit_count":"-99999"}`, ids[1]),
		fmt.Sprintf(`{"organization_id":%q,"organization_name":null}`, ids[1]),
		fmt.Sprintf(`{"organization_id":%q,"default_llm_credentials":{"a":"b"}}`, ids[1]),
		fmt.Sprintf(`{"organization_id":%q,"if_version":99,"account_type":"pro"}`, ids[1]),
		`{"padding":"` + strings.Repeat("x", 1<<20) + `"}`,
	}
	const refused = 14 + 3 // blank lines are none, and ids[0] is deleted
	file := textFile(t, "changes.jsonl", strings.Join(append(lines, bad...), "\n"))

	run := func(wantCode int, args ...string) ran {
		t.Helper()
		r := orgs(t, env, append([]string{"update", "--json", "--file"}, args...)...)
		if r.code != wantCode {
			t.Fatalf("update --file = %+v, want %d", r, wantCode)
		}
		return decode[ran](t, r.stdout)
	}
	want := func(got ran, changed, unchanged, repeated int64) {
		t.Helper()
		if got.Changed != changed || got.Unchanged != unchanged || got.Repeated != repeated || len(got.Refused) != refused ||
			got.Lines != changed+unchanged+repeated+refused {
			t.Errorf("update --file = %+v, want %d changed, %d unchanged, %d repeated and %d refused", got, changed, unchanged, repeated, refused)
		}
	}
	const live = count - 1
	dry := run(exitFailed, file, "--dry-run")
	if !dry.DryRun || dry.Repeated != 0 || dry.Unchanged != live {
		t.Errorf("update --file --dry-run = %+v, want what would be done", dry)
	}
	first := run(exitFailed, file)
	want(first, 2*live, live, 0)
	for i, r := range first.Refused[3:] { // without the three of the deleted organization, which come first
		if want := int64(len(lines) + 3 + i); r.Line != want {
			t.Errorf("refused %d = line %d (%s), want line %d", i, r.Line, r.Error.Message, want)
		}
	}
	want(run(exitFailed, file), 0, 0, 3*live)
	want(run(exitFailed, file, "--workers", "1"), 0, 0, 3*live)
	for _, id := range ids[1:] {
		o := mustJSON[shown](t, env, "show", id).Organization
		if o.Credits != 0 || o.CurrentMonthUsage != 3 || o.Version != 2 {
			t.Errorf("%s has %d credits, %d used, version %d, want 0, 3 and 2", id, o.Credits, o.CurrentMonthUsage, o.Version)
		}
		var changes []string
		for _, e := range mustJSON[trail](t, env, "audit", id).Entries {
			if e.ChangeID != nil {
				changes = append(changes, *e.ChangeID)
			}
		}
		if diff := cmp.Diff([]string{"2026-11-use", "2026-11-tier", "2026-11"}, changes); diff != "" {
			t.Errorf("changes in the trail of %s (-want +got):\n%s", id, diff)
		}
	}

	// What was made goes with a backup.
	backup, other := filepath.Join(t.TempDir(), "backup"), newStore(t)
	must(t, env, "backup", backup)
	must(t, other, "restore", backup)
	good := textFile(t, "good.jsonl", strings.Join(lines[3:], "\n"))
	r := orgs(t, other, "update", "--file", good)
	if r.code != exitOK || r.stdout != "33 lines: 0 changed, 0 like that already, 33 made by an earlier run, 0 refused.\n" {
		t.Errorf("update --file after a restore = %+v, want nothing made a second time", r)
	}
	r = withInput(t, env, strings.NewReader(lines[3]), "update", "--file", "-")
	if r.code != exitOK || !strings.Contains(r.stdout, "1 made by an earlier run") {
		t.Errorf("update --file - = %+v, want the line read", r)
	}
}

// TestBillingRunInOrder: the lines of one organization are made in the order of the file, however many workers there
// are.
func TestBillingRunInOrder(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	const count, each = 5, 12
	var ids, lines []string
	for i := range count {
		ids = append(ids, mustJSON[created](t, env, "create", "--name", fmt.Sprint(i)).Organization.ID)
	}
	for n := range each {
		for _, id := range ids {
			lines = append(lines, fmt.Sprintf(`{"organization_id":%q,"organization_name":"name %d"}`, id, n))
		}
	}
	file := textFile(t, "changes.jsonl", strings.Join(lines, "\n"))
	got := decode[ran](t, must(t, env, "update", "--json", "--file", file, "--workers", "16"))
	if got.Changed != count*each {
		t.Errorf("update --file = %+v, want %d changed", got, count*each)
	}
	for _, id := range ids {
		entries := mustJSON[trail](t, env, "audit", id).Entries
		for i, e := range entries[:each] {
			if want := fmt.Sprintf(`"name %d"`, each-1-i); string(e.Changes[0].After) != want {
				t.Errorf("entry %d of %s is %s, want %s", i, id, e.Changes[0].After, want)
			}
		}
	}
}

// TestMembersOfUpdate pins that every property of the contract's record can be changed, or is known to be fixed.
func TestMembersOfUpdate(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	fixed := []string{"organization_id", "created_at", "updated_at", "deleted_at", "version", "rate_limit_override"}
	var record map[string]json.RawMessage
	text, err := json.Marshal(mustJSON[shown](t, env, "show", id).Organization)
	if err == nil {
		err = json.Unmarshal(text, &record)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range fixed {
		delete(record, name)
	}
	for name := range record {
		line := fmt.Sprintf(`{"organization_id":%q,%q:[[]]}`, id, name) // of the wrong type everywhere
		r := withInput(t, env, strings.NewReader(line), "update", "--file", "-")
		if !strings.Contains(r.stdout, name+": ") || strings.Contains(r.stdout, "no such field") {
			t.Errorf("update --file with %s prints %q, want that it is of the wrong type", name, r.stdout)
		}
	}
}
