package serve

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"organizations-api/cmd/orgs/web"
	"organizations-api/shared/base62"
)

// signInLifetime is how long a sign-in link works.
const signInLifetime = 10 * time.Minute

const tokenLength = 32

// signIn is a link that opens the console with a key, once. It is safe for concurrent use.
type signIn struct {
	now     func() time.Time
	expires time.Time

	mutex sync.Mutex
	token string // "": used
	key   string
}

func newSignIn(key string, now func() time.Time) *signIn {
	return &signIn{now: now, expires: now().Add(signInLifetime), token: base62.Random(tokenLength), key: key}
}

// link returns the address of the console with the token, which browsers keep to themselves.
func (s *signIn) link(base string) string {
	return base + web.ConsolePath + web.SignInFragment + s.token
}

// redeem returns the key for the token. It does so once, and not after the link has expired.
func (s *signIn) redeem(token string) (key string, ok bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.token == "" || !s.now().Before(s.expires) || subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) != 1 {
		return "", false
	}
	key = s.key
	s.token, s.key = "", ""
	return key, true
}

// redirect is a page that leads to an address.
const redirect = `<!doctype html>
<meta charset="utf-8"><title>Organizations API</title><meta http-equiv="refresh" content="0; url=%[1]s">
<p><a href="%[1]s">Open the console</a></p>
`

// openBrowser opens the address in the browser of this machine. Other users can read the arguments of processes, so the
// browser gets a file that only this user can read, and that leads to the address. remove deletes the file.
func openBrowser(ctx context.Context, address string) (remove func(), err error) {
	folder, err := os.MkdirTemp("", "orgs-")
	if err != nil {
		return func() {}, err
	}
	remove = func() { _ = os.RemoveAll(folder) } // the next start of the machine does, if not this
	path := filepath.Join(folder, "open.html")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return remove, err
	}
	_, err = fmt.Fprintf(file, redirect, html.EscapeString(address))
	if err = errors.Join(err, file.Close()); err != nil {
		return remove, err
	}
	name, args := opener()
	command := exec.CommandContext(context.WithoutCancel(ctx), name, append(args, path)...)
	if err := command.Start(); err != nil {
		return remove, fmt.Errorf("opening a browser: %w", err)
	}
	go func() { _ = command.Wait() }() // how it ends says nothing about the page
	return remove, nil
}

// opener returns the command that opens a file as a person would.
func opener() (name string, args []string) {
	switch runtime.GOOS {
	case "darwin":
		return "open", nil
	case "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler"}
	default:
		return "xdg-open", nil
	}
}
