package main

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

// TestTerminalObeysNoTenant puts control characters into what tenants may set. None of them may reach the terminal of
// an operator.
func TestTerminalObeysNoTenant(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	made := mustJSON[created](t, env, "create", "--name", "A")
	id := made.Organization.ID
	s, client := startServer(t, env), newClient(t)
	for _, text := range []string{
		`\u001b[2J\u001b]0;owned\u0007`, `a\norg_0000000000000  Forged`, `a\r\tb`, `\u202etxet\u202c`, `\u2066a\u2069`, `a\u200b\u2060\ufeffb`,
		`\u0000\u007f\u0085\u009b31m`, `a\u2028b\u2029c`,
	} {
		body := `{"organization_name":"` + text + `","logo_url":"` + text + `","metadata":{"a":"` + text + `"}}`
		if got := ask(t, client, "PATCH", s.url+organizations, made.Key.Key, body); got.status != 200 {
			t.Fatalf("PATCH %s = %d %s, want 200", body, got.status, got.body)
		}
		for _, args := range [][]string{
			{"show", id}, {"list"}, {"audit", id, "--limit", "1"}, {"keys", "list", id}, {"find", id},
			{"show", id, "--json"}, {"list", "--json"}, {"audit", id, "--limit", "1", "--json"},
			{"list", "--format", "ndjson"}, {"list", "--columns", "organization_name,logo_url"},
			{"update", id, "--clear", "logo_url", "--clear", "metadata", "--name", "B", "--dry-run"},
			{"update", id, "--clear", "logo_url", "--dry-run", "--json"},
		} {
			printed := must(t, env, args...)
			if printed == "" {
				t.Errorf("orgs %q prints nothing", args)
			}
			for _, c := range printed {
				if c != '\n' && !unicode.IsPrint(c) {
					t.Errorf("orgs %q prints %+q of the name %s: %+q", args, c, text, printed)
					break
				}
			}
			if args[0] == "list" && len(args) == 1 && strings.Count(printed, "\n") != 2 {
				t.Errorf("orgs list prints %+q of the name %s, want one line for it", printed, text)
			}
		}
	}
}

// TestSecretsStayIn runs every command that prints something of an organization. None may print a secret.
func TestSecretsStayIn(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	first := mustJSON[created](t, env, "create", "--name", "A")
	id := first.Organization.ID
	second := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read")
	var printed strings.Builder
	for _, args := range [][]string{
		{"show", id}, {"list"}, {"find", id}, {"find", first.Key.ID}, {"list", "--format", "ndjson"},
		{"update", id, "--tier", "pro"}, {"keys", "list", id}, {"keys", "revoke", id, second.ID}, {"keys", "list", id},
		{"keys", "expires", id, first.Key.ID, "30d"}, {"keys", "rotate", id, first.Key.ID}, {"keys", "list", id}, {"delete", id},
		{"keys", "issue", id, "--permission", "read"}, {"undelete", id}, {"audit", id},
	} {
		for _, format := range [][]string{nil, {"--json"}} {
			r := orgs(t, env, append(args, format...)...)
			printed.WriteString(r.stdout + r.stderr)
		}
	}
	for _, secret := range secrets(t, env, first, second) {
		if strings.Contains(printed.String(), secret) {
			t.Errorf("the command printed %s, want it kept; all it printed:\n%s", secret, &printed)
		}
	}
	if regexp.MustCompile(`\bint_|internal_id|"[a-z_]*(internal|hash|sha256)|sha256:`).MatchString(printed.String()) {
		t.Errorf("the command printed\n%s\nwant nothing of internal identifiers and hashes", &printed)
	}
}

// secrets returns what must never be printed again.
func secrets(t *testing.T, env environment, first created, second admin.IssuedKeyJSON) []string {
	t.Helper()
	s, err := backend.Open(t.Context(), backend.Choice(env[cli.StoreVariable]), env.get)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	o, _, err := s.Get(t.Context(), organization.ID(first.Organization.ID))
	if err != nil {
		t.Fatal(err)
	}
	all := []string{o.InternalID.Reveal()}
	stored, err := s.KeySecrets(t.Context())
	if err != nil || len(stored) == 0 {
		t.Fatalf("KeySecrets = %d, %v, want one", len(stored), err)
	}
	for _, secret := range stored {
		all = append(all, secret.Reveal())
	}
	for _, text := range []string{first.Key.Key, second.Key} {
		key, err := apikey.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text, key.Hash().Hex())
	}
	return all
}

// TestKeyIsPrintedOnce counts the keys in the output of commands that make one, as text and as JSON.
func TestKeyIsPrintedOnce(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	for _, args := range [][]string{
		{"create", "--name", "B"}, {"keys", "issue", id, "--permission", "read"}, {"keys", "rotate", id, ""},
	} {
		for _, format := range [][]string{nil, {"--json"}} {
			if args[1] == "rotate" {
				args[3] = mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read").ID
			}
			text := must(t, env, append(args, format...)...)
			if got := len(regexp.MustCompile(`sk_\w+`).FindAllString(text, -1)); got != 1 {
				t.Errorf("orgs %q %q prints %d keys, want 1:\n%s", args, format, got, text)
			}
		}
	}
}
