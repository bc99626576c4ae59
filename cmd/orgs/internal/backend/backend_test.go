package backend

import (
	"testing"
)

func TestShellQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"sqlite:a/b-c_d.db": "sqlite:a/b-c_d.db",
		"sqlite:a b":        "'sqlite:a b'",
		"sqlite:it's":       `'sqlite:it'\''s'`,
		"sqlite:$HOME":      "'sqlite:$HOME'",
	} {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
}
