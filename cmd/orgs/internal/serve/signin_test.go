package serve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRedeem(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC)
	clock := func() time.Time { return at }
	s := newSignIn("the key", clock)
	link := s.link("http://127.0.0.1:8080")
	token := strings.TrimPrefix(link, "http://127.0.0.1:8080/console#sign-in=")
	if len(token) != tokenLength {
		t.Fatalf("link = %q, want the console's address and a token", link)
	}
	for _, wrong := range []string{"", token[1:], token + "x", strings.ToUpper(token)} {
		if key, ok := s.redeem(wrong); ok || key != "" {
			t.Errorf("redeem(%q) = %q, %t, want nothing", wrong, key, ok)
		}
	}
	if key, ok := s.redeem(token); !ok || key != "the key" {
		t.Errorf("redeem = %q, %t, want the key", key, ok)
	}
	for _, again := range []string{token, ""} {
		if key, ok := s.redeem(again); ok || key != "" {
			t.Errorf("redeem(%q) after it was used = %q, %t, want nothing", again, key, ok)
		}
	}

	late := newSignIn("the key", clock)
	at = at.Add(signInLifetime)
	if key, ok := late.redeem(late.token); ok || key != "" {
		t.Errorf("redeem after %v = %q, %t, want nothing", signInLifetime, key, ok)
	}
}

// TestOpenBrowser stands in for xdg-open. The address must not be among the arguments of a process.
func TestOpenBrowser(t *testing.T) {
	folder := t.TempDir()
	out := filepath.Join(folder, "opened")
	const script = "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$OPENED\".new\ncat \"$1\" >> \"$OPENED\".new\nmv \"$OPENED\".new \"$OPENED\"\n"
	if err := os.WriteFile(filepath.Join(folder, "xdg-open"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("OPENED", out)
	remove, err := openBrowser(t.Context(), "http://127.0.0.1:1/console#sign-in=a&b")
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if text, err = os.ReadFile(out); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the browser was not opened")
		}
	}
	arguments, page, _ := strings.Cut(string(text), "\n")
	if strings.Contains(arguments, "sign-in") || !strings.Contains(page, "url=http://127.0.0.1:1/console#sign-in=a&amp;b\"") {
		t.Errorf("the browser got %q and the page\n%s\nwant a file that leads to the address", arguments, page)
	}
	if info, err := os.Stat(arguments); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v, want the mode 0600", info, err)
	}
	remove()
	if _, err := os.Stat(arguments); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}

	t.Setenv("PATH", t.TempDir())
	if remove, err := openBrowser(t.Context(), "http://127.0.0.1:1/"); err == nil {
		t.Error("without a command that opens files, openBrowser = nil, want an error")
	} else {
		remove()
	}
}
