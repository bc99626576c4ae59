package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/term"
)

// listedNames returns the names of the organizations in JSON, in their order.
func listedNames(l listed) []string {
	names := []string{}
	for _, o := range l.Organizations {
		names = append(names, o.Name)
	}
	return names
}

func TestListFlags(t *testing.T) {
	t.Parallel()
	onBothStores(t, testListFlags)
}

func testListFlags(t *testing.T, env environment) {
	var last string
	for i, args := range [][]string{
		{"create", "--name", "Çelik", "--tier", "pro", "--credits", "5"},
		{"create", "--name", "Beta", "--tier", "enterprise", "--credits", "9", "--billing-email", "Pay@Beta.example"},
		{"create", "--name", "alpha", "--tier", "free", "--credits", "100"},
		{"create", "--name", "Delta", "--tier", "team", "--credits", "70"},
	} {
		last = mustJSON[created](t, env, args...).Organization.ID
		if i == 2 {
			must(t, env, "delete", last)
			must(t, env, "update", "--help")
		}
	}
	for _, test := range []struct {
		args []string
		want []string // names; sorted if the list is not
	}{
		{nil, []string{"Beta", "Delta", "alpha", "Çelik"}},
		{[]string{"--tier", "pro"}, []string{"Çelik"}},
		{[]string{"--state", "deleted"}, []string{"alpha"}},
		{[]string{"--state", "active"}, []string{"Beta", "Delta", "Çelik"}},
		{[]string{"--match", "ETA"}, []string{"Beta"}},
		{[]string{"--match", "LTA", "--state", "active"}, []string{"Delta"}},
		{[]string{"--match", "pay@beta"}, []string{"Beta"}},
		{[]string{"--match", "çEL"}, []string{"Çelik"}},
		{[]string{"--match", strings.ToLower(last)}, []string{"Delta"}},
		{[]string{"--match", "nothing like it"}, []string{}},
		{[]string{"--sort", "organization_name"}, []string{"Beta", "Delta", "alpha", "Çelik"}},
		{[]string{"--sort", "-credit_count"}, []string{"alpha", "Delta", "Beta", "Çelik"}},
		{[]string{"--sort", "-credit_count", "--limit", "1"}, []string{"alpha"}},
		{[]string{"--sort", "credit_count", "--limit", "2"}, []string{"Çelik", "Beta"}},
		{[]string{"--sort", "account_type"}, []string{"alpha", "Çelik", "Delta", "Beta"}},
		{[]string{"--sort", "created_at"}, []string{"Çelik", "Beta", "alpha", "Delta"}},
		{[]string{"--sort", "-deleted_at", "--limit", "1"}, []string{"alpha"}},
		{[]string{"--sort", "-created_at", "--tier", "team"}, []string{"Delta"}},
	} {
		got := listedNames(mustJSON[listed](t, env, append([]string{"list"}, test.args...)...))
		if !slices.Contains(test.args, "--sort") {
			slices.Sort(got)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("list %q (-want +got):\n%s", test.args, diff)
		}
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--tier", "gold"}, "a tier is one of"},
		{[]string{"--state", "gone"}, "a state is active or deleted"},
		{[]string{"--sort", "size"}, `"size" is no column; these are: organization_id`},
		{[]string{"--columns", "organization_id,size"}, `"size" is no column`},
		{[]string{"--format", "xml"}, "a format is one of"},
		{[]string{"--limit", "0"}, "a limit is a whole number"},
		{[]string{"--after", "x"}, "an organization id is"},
		{[]string{"--format", "csv"}, "give one of the two"}, // as failed adds --json
		{[]string{"--columns", "organization_id"}, "JSON has all properties"},
		{[]string{"--after", "org_0123456789ABC", "--sort", "created_at"}, "[after sort]"},
		{[]string{"x"}, "one argument too many"},
	} {
		if got := failed(t, env, append([]string{"list"}, test.args...)...); got.Kind != term.Usage || !strings.Contains(got.Message, test.want) {
			t.Errorf("list %q = %+v, want a failure of kind %s with %q", test.args, got, term.Usage, test.want)
		}
	}
}

// TestListPages goes through a store with a limit, from one organization to the next.
func TestListPages(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, env environment) {
		for i := range 7 {
			must(t, env, "create", "--name", fmt.Sprint(i%2, " name ", i))
		}
		for _, match := range []string{"name", "0 name"} {
			all := listedNames(mustJSON[listed](t, env, "list", "--match", match))
			var got []string
			args := []string{"list", "--match", match, "--limit", "2"}
			for next := []string(nil); ; {
				page := mustJSON[listed](t, env, append(slices.Clone(args), next...)...)
				if got = append(got, listedNames(page)...); page.Next == nil {
					break
				}
				next = []string{"--after", *page.Next}
			}
			if diff := cmp.Diff(all, got); diff != "" || len(all) < 4 {
				t.Errorf("list in pages of 2 (-all +pages):\n%s", diff)
			}
		}
		text := must(t, env, "list", "--limit", "2")
		ids := strings.Fields(text)
		match(t, text, `\n\nThe limit is reached; to go on, add: --after org_\w{13}\n$`)
		rest := must(t, env, "list", "--after", ids[len(ids)-1])
		if lines := strings.Split(strings.TrimSpace(rest), "\n"); len(lines) != 1+5 || strings.Contains(rest, "limit") {
			t.Errorf("list --after = %q, want the header and the five that are left", rest)
		}
	})
}

// TestListFormats reads the output for programs back. Names that are difficult in a format must come back unchanged.
func TestListFormats(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	const name = "A, \"quoted\"\nand 1\x1b[2J"
	id := mustJSON[created](t, env, "create", "--name", name, "--billing-email", "a@example.com").Organization.ID
	must(t, env, "create", "--name", "B")

	records, err := csv.NewReader(strings.NewReader(must(t, env, "list", "--format", "csv", "--sort", "created_at",
		"--columns", "organization_id,organization_name,billing_email,deleted_at,credit_count"))).ReadAll()
	if err != nil || len(records) != 3 {
		t.Fatalf("list --format csv = %q, %v, want a header and two rows", records, err)
	}
	want := [][]string{
		{"organization_id", "organization_name", "billing_email", "deleted_at", "credit_count"},
		{id, name, "a@example.com", "", "1000"},
	}
	if diff := cmp.Diff(want, records[:2]); diff != "" {
		t.Errorf("list --format csv (-want +got):\n%s", diff)
	}
	if got := must(t, env, "list", "--format", "csv", "--match", "none", "--columns", "state,version"); got != "state,version\n" {
		t.Errorf("list of nothing as CSV = %q, want the header", got)
	}

	all := mustJSON[listed](t, env, "list")
	for i, line := range strings.Split(strings.TrimSuffix(must(t, env, "list", "--format", "ndjson"), "\n"), "\n") {
		var got admin.OrganizationJSON
		if err := json.Unmarshal([]byte(line), &got); err != nil || got.ID != all.Organizations[i].ID || got.Name != all.Organizations[i].Name {
			t.Errorf("line %d of NDJSON = %s, %v, want %s", i, line, err, all.Organizations[i].ID)
		}
	}
	if got := must(t, env, "list", "--format", "ndjson", "--match", "none"); got != "" {
		t.Errorf("list of nothing as NDJSON = %q, want nothing", got)
	}
	if one, two := must(t, env, "list", "--json"), must(t, env, "list", "--format", "json"); one != two {
		t.Errorf("list --json = %q, want what --format json prints, %q", one, two)
	}

	// A streamed list is the JSON that other commands print.
	var indented strings.Builder
	if err := term.NewScreen(&indented, env.get).WriteJSON(all); err != nil || indented.String() != must(t, env, "list", "--json") {
		t.Errorf("list --json is not indented as JSON of other commands is: %v (-others +list):\n%s", err,
			cmp.Diff(indented.String(), must(t, env, "list", "--json")))
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	onBothStores(t, testFind)
}

func testFind(t *testing.T, env environment) {
	made := mustJSON[created](t, env, "create", "--name", "Northwind Video", "--billing-email", "pay@nw.example", "--label", "first")
	id := made.Organization.ID
	other := mustJSON[created](t, env, "create", "--name", "Southwind").Organization.ID
	revoked := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read", "--label", "CI of the web team")
	must(t, env, "keys", "revoke", id, revoked.ID)
	elsewhere := mustJSON[created](t, newStore(t), "create", "--name", "elsewhere").Key.Key
	unknown := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", other, "--permission", "read").Key
	must(t, env, "delete", other)

	for _, test := range []struct {
		what   string
		want   []string
		key    string // the identifier
		status string
	}{
		{"northWIND", []string{id}, "", ""},
		{"wind", []string{id, other}, "", ""},
		{"PAY@nw", []string{id}, "", ""},
		{id, []string{id}, "", ""},
		{other, []string{other}, "", ""},
		{made.Key.ID, []string{id}, made.Key.ID, "active"},
		{revoked.ID, []string{id}, revoked.ID, "revoked"},
	} {
		got := mustJSON[found](t, env, "find", test.what)
		var ids []string
		for _, f := range got.Found {
			ids = append(ids, f.Organization.ID)
			if (f.Key != nil) != (test.key != "") || f.Key != nil && (f.Key.ID != test.key || f.Key.Status != test.status) {
				t.Errorf("find %s has the key %+v, want %q, %s", test.what, f.Key, test.key, test.status)
			}
		}
		slices.Sort(ids)
		slices.Sort(test.want)
		if !slices.Equal(ids, test.want) || got.More {
			t.Errorf("find %s = %+v, want %q", test.what, got, test.want)
		}
	}
	for _, key := range []string{made.Key.Key, made.Key.Key + "\n", "  " + revoked.Key + "\r\nmore"} {
		r := withInput(t, env, strings.NewReader(key), "--json", "find", "-")
		got := decode[found](t, r.stdout)
		if r.code != exitOK || len(got.Found) != 1 || got.Found[0].Organization.ID != id || got.Found[0].Key == nil {
			t.Errorf("find - = %+v, want the organization and its key", r)
		}
	}
	r := withInput(t, env, strings.NewReader(revoked.Key), "find", "-")
	match(t, r.stdout, `^ORGANIZATION .* KEY +LABEL +PERMISSION  STATUS\n`+id+` .*  `+revoked.ID+`  CI of the web team  read        revoked\n$`)

	mistyped := made.Key.Key[:len(made.Key.Key)-1] + "!"
	for _, test := range []struct {
		key  string
		kind term.Kind
	}{
		{elsewhere, term.NotFound}, {mistyped, term.Usage}, {"", term.Usage}, {strings.Repeat("x", 1<<20), term.Usage},
	} {
		r := withInput(t, env, strings.NewReader(test.key), "--json", "find", "-")
		got := decode[struct{ Error term.Failure }](t, r.stderr).Error
		if got.Kind != test.kind || r.stdout != "" || test.key != "" && strings.Contains(r.stderr, test.key) {
			t.Errorf("find - = %+v, want a failure of kind %s that does not quote the key", r, test.kind)
		}
	}
	must(t, env, "delete", other, "--purge", "--yes")
	r = withInput(t, env, strings.NewReader(unknown), "--json", "find", "-")
	if got := decode[struct{ Error term.Failure }](t, r.stderr).Error; got.Kind != term.NotFound || strings.Contains(r.stderr, unknown) {
		t.Errorf("find - of a key of what is gone = %+v, want a failure of kind %s", r, term.NotFound)
	}
	for _, what := range []string{"nothing like it", "key_0123456789ABC", "org_0123456789ABC"} {
		if got := failed(t, env, "find", what); got.Kind != term.NotFound {
			t.Errorf("find %s = %+v, want a failure of kind %s", what, got, term.NotFound)
		}
	}
	if got := failed(t, env, "find", " "); got.Kind != term.Usage {
		t.Errorf("find of nothing = %+v, want a failure of kind %s", got, term.Usage)
	}
}

// TestFindMany shows some of many, and says that there are more.
func TestFindMany(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	for i := range 21 {
		must(t, env, "create", "--name", fmt.Sprint("many ", i))
	}
	if got := mustJSON[found](t, env, "find", "MANY"); len(got.Found) != 20 || !got.More {
		t.Errorf("find = %d, more %v, want 20 and more", len(got.Found), got.More)
	}
	match(t, must(t, env, "find", "many"), `More organizations match.*list --match TEXT`)
}

// TestKeysInArguments: every command refuses an API key among its arguments, and does not print it.
func TestKeysInArguments(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	made := mustJSON[created](t, env, "create", "--name", "A")
	id, key := made.Organization.ID, made.Key.Key
	secret := key[len(key)-38:]
	for _, args := range [][]string{
		{"find", key}, {"find", "--", key}, {"find", key[:len(key)-1]}, {key}, {"list", "--match", key}, {"list", "--match=" + key},
		{"keys", "revoke", id, key}, {"keys", "rotate", id, key}, {"keys", "expires", id, key, "never"}, {"show", key},
		{"update", id, "--name", key}, {"audit", id, "--before", key}, {"help", key}, {"keys", key}, {"--" + key},
	} {
		for _, more := range [][]string{nil, {"--json"}} {
			r := orgs(t, env, append(slices.Clone(args), more...)...)
			if r.code != exitUsage || r.stdout != "" || strings.Contains(r.stderr, secret[:20]) || !strings.Contains(r.stderr, "orgs find -") {
				t.Errorf("orgs %q = %+v, want %d and advice that does not quote the key", args, r, exitUsage)
			}
		}
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	onBothStores(t, testLabels)
}

func testLabels(t *testing.T, env environment) {
	const label = "Søren's laptop 🧪"
	made := mustJSON[created](t, env, "create", "--name", "A", "--label", label)
	id := made.Organization.ID
	plain := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read")
	issued := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read", "--label", "CI")
	kept := mustJSON[rotated](t, env, "keys", "rotate", id, made.Key.ID)
	renamed := mustJSON[rotated](t, env, "keys", "rotate", id, issued.ID, "--label", "CI 2")
	want := map[string]*string{
		made.Key.ID: new(label), plain.ID: nil, issued.ID: new("CI"), kept.Key.ID: new(label), renamed.Key.ID: new("CI 2"),
	}
	for _, k := range mustJSON[keyList](t, env, "keys", "list", id).Keys {
		if diff := cmp.Diff(want[k.ID], k.Label); diff != "" {
			t.Errorf("label of %s (-want +got):\n%s", k.ID, diff)
		}
		delete(want, k.ID)
	}
	if len(want) != 0 {
		t.Errorf("keys list lacks %v", want)
	}
	match(t, must(t, env, "keys", "list", id), `(?m)^`+made.Key.ID+`  `+label+` +admin `, `(?m)^`+plain.ID+`  - +read `)
	match(t, must(t, env, "audit", id, "--json"), `"label": "`+label+`"`, `"label": "CI 2"`)
	for _, bad := range []string{"", "a\nb", "\x1b[2J", strings.Repeat("é", 65), "\xff"} {
		got := failed(t, env, "keys", "issue", id, "--permission", "read", "--label", bad)
		if got.Kind != term.Usage || !strings.Contains(got.Message, "a label has 1 to 64 characters") {
			t.Errorf("keys issue --label %q = %+v, want a failure of kind %s", bad, got, term.Usage)
		}
	}
	mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read", "--label", strings.Repeat("é", 64))
}
