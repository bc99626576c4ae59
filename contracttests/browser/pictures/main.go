// Command pictures makes the pictures of the README from the running product: terminal.svg from what make run and curl
// print, console.png from the console in Chromium. The keys in them are cut short, and their store is removed.
//
//	go run ./pictures -orgs build/orgs -out docs/pictures
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

func main() {
	log.SetFlags(0)
	var p pictures
	flag.StringVar(&p.orgs, "orgs", "build/orgs", "the orgs command")
	flag.StringVar(&p.out, "out", "docs/pictures", "folder for the pictures")
	flag.StringVar(&p.addr, "addr", "127.0.0.1:8080", "where the gateway listens")
	flag.Parse()
	if err := p.make(); err != nil {
		log.Fatal(err)
	}
}

// patience is how long the gateway and Chromium may take for one thing.
const patience = time.Minute

type pictures struct{ orgs, out, addr string }

// make starts the gateway on a new store, makes the pictures, and ends the gateway.
func (p pictures) make() (err error) {
	folder, err := os.MkdirTemp("", "pictures-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	ctx, cancel := context.WithTimeout(context.Background(), 5*patience)
	defer cancel()
	g, err := p.start(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.end()) }()
	welcome := g.text()
	keys := keyPattern.FindAllString(welcome, -1)
	if len(keys) == 0 {
		return fmt.Errorf("the gateway shows no key:\n%s", welcome)
	}
	read, answer, err := ask(ctx, welcome)
	if err != nil {
		return err
	}
	screen := "$ make run\n" + strings.TrimSpace(welcome) + "\n\n$ " + read + "\n" + answer
	if err := os.WriteFile(filepath.Join(p.out, "terminal.svg"), terminal(cutKeys(screen)), 0o644); err != nil {
		return err
	}
	picture, err := console(ctx, "http://"+p.addr, keys[0])
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.out, "console.png"), picture, 0o644)
}

var keyPattern = regexp.MustCompile(`sk_(?:live|test)_[0-9A-Za-z]+_[0-9A-Za-z]+`)

// signInPattern finds the secret in a link that signs in.
var signInPattern = regexp.MustCompile(`#sign-in=[0-9A-Za-z]+`)

// cutKeys leaves only the beginning of each key, and nothing of the secret in a sign-in link.
func cutKeys(text string) string {
	text = signInPattern.ReplaceAllString(text, "#sign-in=…")
	return keyPattern.ReplaceAllStringFunc(text, func(key string) string { return key[:len("sk_live_")+4] + "…" })
}

// curlCommand finds a curl command, which may go on after a backslash at the end of a line.
var curlCommand = regexp.MustCompile(`curl -sS http(?:\\\n|[^\n])*`)

// ask runs the first curl command of the text. It returns the command and its output.
func ask(ctx context.Context, text string) (command, answer string, err error) {
	command = curlCommand.FindString(text)
	if command == "" {
		return "", "", fmt.Errorf("there is no curl command in:\n%s", text)
	}
	out, err := exec.CommandContext(ctx, "sh", "-c", command).CombinedOutput()
	if err != nil {
		return "", "", fmt.Errorf("curl: %w\n%s", err, out)
	}
	return command, string(out), nil
}

// gateway is orgs serve on a terminal.
type gateway struct {
	command *exec.Cmd

	mutex  sync.Mutex
	output bytes.Buffer
}

// start starts the gateway on a terminal of 116 columns, and returns when it has shown how to call it.
func (p pictures) start(ctx context.Context, folder string) (*gateway, error) {
	orgs, err := filepath.Abs(p.orgs)
	if err != nil {
		return nil, err
	}
	// script (util-linux) gives the command a terminal.
	line := fmt.Sprintf("stty cols %d && exec '%s' serve --addr %s", columns, orgs, p.addr)
	g := &gateway{command: exec.CommandContext(ctx, "script", "--quiet", "--flush", "--command", line, os.DevNull)}
	g.command.Dir = folder
	g.command.Env = append(os.Environ(), "TERM=xterm", "NO_COLOR=1", "ORGS_STORE=")
	// script ends when its input does.
	input, err := g.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	g.command.Cancel = input.Close
	g.command.Stdout, g.command.Stderr = g, g
	if err := g.command.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); !strings.Contains(g.text(), "curl -sS -X PATCH"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("the gateway shows no way to call it:\n%s", cutKeys(g.text())), g.end())
		}
	}
	return g, nil
}

// Write collects what the gateway prints.
func (g *gateway) Write(b []byte) (int, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.output.Write(b)
}

// text returns what the gateway has printed.
func (g *gateway) text() string {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return strings.ReplaceAll(g.output.String(), "\r\n", "\n")
}

// end ends the gateway.
func (g *gateway) end() error {
	if err := g.command.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	var exit *exec.ExitError
	if err := g.command.Wait(); err != nil && !errors.As(err, &exit) && !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	return nil
}
