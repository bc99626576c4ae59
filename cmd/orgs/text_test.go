package main

import (
	"strings"
	"testing"
	"unicode"
)

// TestTerminalObeysNoTenant: what tenants put into names moves no cursor, ends no line and turns no text around where an
// operator looks at it.
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
		for _, args := range [][]string{{"show", id}, {"list"}, {"audit", id, "--limit", "1"}, {"keys", "list", id}} {
			printed := must(t, env, args...)
			for _, c := range printed {
				if c != '\n' && !unicode.IsPrint(c) {
					t.Errorf("orgs %q prints %+q of the name %s: %+q", args, c, text, printed)
					break
				}
			}
			if args[0] == "list" && strings.Count(printed, "\n") != 2 {
				t.Errorf("orgs list prints %+q of the name %s, want one line for it", printed, text)
			}
		}
	}
}

func TestShellQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"sqlite:a/b-c_d.db": "sqlite:a/b-c_d.db",
		"sqlite:a b":        "'sqlite:a b'",
		"sqlite:it's":       `'sqlite:it'\''s'`,
		"sqlite:$HOME":      "'sqlite:$HOME'",
	} {
		if got := shellQuote(in); got != want {
			t.Errorf("shellQuote(%q) = %s, want %s", in, got, want)
		}
	}
}
