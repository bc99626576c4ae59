// Package examples_test runs the example clients against a gateway of their own, and checks that what is generated in
// them is what their generators make of the contract today. The clients are modules of their own and import nothing of
// this one; nor does this test.
package examples_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// patience is for installing and compiling; the clients themselves take no time.
const patience = 5 * time.Minute

func TestGo(t *testing.T) {
	t.Parallel()
	const committed = "go/organizations/client.gen.go"
	generated := filepath.Join(t.TempDir(), "client.gen.go")
	output(t, nil, "../..", "go", "tool", "-modfile=tools/go.mod", "oapi-codegen",
		"-config", "docs/examples/go/oapi-codegen.yaml", "-o", generated, "shared/openapi/openapi.yaml")
	if diff := cmp.Diff(read(t, generated), read(t, committed)); diff != "" {
		t.Errorf("%s is not what the contract says; run make generate (-generated +committed):\n%s", committed, diff)
	}
	output(t, nil, "go", "go", "mod", "tidy", "-diff")
	output(t, nil, "go", "go", "vet", "./...")
	got := output(t, startGateway(t), "go", "go", "run", ".")
	if diff := cmp.Diff(spoken("Renamed by Go"), got); diff != "" {
		t.Errorf("the client said (-want +got):\n%s", diff)
	}
}

func TestTypeScript(t *testing.T) {
	t.Parallel()
	output(t, nil, "typescript", "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	output(t, nil, "typescript", "npm", "run", "--silent", "check") // is organizations.d.ts what the contract says?
	output(t, nil, "typescript", "npm", "run", "--silent", "build")
	got := output(t, startGateway(t), "typescript", "npm", "run", "--silent", "start")
	if diff := cmp.Diff(spoken("Renamed by TypeScript"), got); diff != "" {
		t.Errorf("the client said (-want +got):\n%s", diff)
	}
}

// spoken is what a client prints.
func spoken(name string) string {
	return `200 it is Demo Organization
422 the name will not do: String should have at least 1 character
200 it is ` + name + `
412 someone was faster; read it again: If-Match does not name the current version of the organization. Nothing was changed.
`
}

// startGateway runs orgs serve on a new store until the test ends, and returns the variables that the clients need.
func startGateway(t *testing.T) []string {
	t.Helper()
	folder := t.TempDir()
	binary := filepath.Join(folder, "orgs")
	output(t, nil, "../..", "go", "build", "-o", binary, "./cmd/orgs")
	ctx, interrupt := context.WithCancel(t.Context())
	command := exec.CommandContext(ctx, binary, "serve", "--addr", "127.0.0.1:0", "--json", "--store", "sqlite:"+folder+"/orgs.db")
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 30 * time.Second
	var log bytes.Buffer
	command.Stderr = &log
	stdout, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		interrupt()
		_, _ = io.Copy(io.Discard, stdout)
		if err := command.Wait(); err != nil && command.ProcessState.ExitCode() != 0 {
			t.Errorf("orgs serve: %v\n%s", err, &log)
		}
	})
	var welcome struct {
		URL  string `json:"url"`
		Demo struct {
			Keys []struct{ Key, Permission string } `json:"keys"`
		} `json:"demo"`
	}
	if err := json.NewDecoder(stdout).Decode(&welcome); err != nil || len(welcome.Demo.Keys) == 0 {
		t.Fatalf("orgs serve --json did not say where it is and which keys there are: %v", err)
	}
	return []string{"ORGANIZATIONS_URL=" + welcome.URL, "ORGANIZATIONS_KEY=" + welcome.Demo.Keys[0].Key}
}

// output runs a command in the folder and returns what it prints; it must succeed.
func output(t *testing.T, variables []string, folder, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = folder
	command.Env = append(os.Environ(), variables...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", command, err, stdout, &stderr)
	}
	return string(stdout)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
