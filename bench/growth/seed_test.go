package growth

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// seeder fills stores with the orgs command, as any operator does.
type seeder struct {
	orgs   string // the command
	folder string // for the stores and their keys
}

func buildOrgs(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orgs")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "organizations-api/cmd/orgs").CombinedOutput(); err != nil {
		t.Fatalf("building orgs: %v\n%s", err, text)
	}
	return path
}

func (s seeder) keys(engine string, n int) string {
	return filepath.Join(s.folder, fmt.Sprintf("%s-%d.keys", engine, n))
}

// seeded reports whether an earlier run has seeded the store to the end.
func (s seeder) seeded(engine string, n int) bool {
	_, err := os.Stat(s.keys(engine, n))
	return err == nil
}

// seed seeds an empty store. That it is complete is noted by done.
func (s seeder) seed(t *testing.T, engine string, n int, endpoint, choice string) {
	t.Helper()
	begin := time.Now()
	if err := os.RemoveAll(s.unfinished(engine, n)); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), s.orgs,
		"--store", choice, "seed", "--count", fmt.Sprint(n), "--keys", s.unfinished(engine, n))
	command.Env = append(os.Environ(), "AWS_ENDPOINT_URL_DYNAMODB="+endpoint)
	command.Stderr = os.Stderr
	if text, err := command.Output(); err != nil {
		t.Fatalf("seeding %s: %v\n%s", choice, err, text)
	}
	t.Logf("%s seeded with %d organizations in %v", choice, n, time.Since(begin).Round(time.Second))
}

// unfinished is where the keys are until the store is complete.
func (s seeder) unfinished(engine string, n int) string { return s.keys(engine, n) + ".new" }

// done gives the keys their name, which says that the store is complete.
func (s seeder) done(t *testing.T, engine string, n int) {
	t.Helper()
	if err := os.Rename(s.unfinished(engine, n), s.keys(engine, n)); err != nil {
		t.Fatal(err)
	}
}
