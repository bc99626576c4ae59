package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"organizations-api/contracttests/harness/local"
	"organizations-api/shared/api"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/store/sqlite"
	"organizations-api/shared/telemetry"
)

// seeder fills stores with orgs seed, as an operator does. The file of a store's keys gets its final name when the
// store is complete.
type seeder struct {
	orgs   string // the command
	folder string // for the stores and their keys
}

// newSeeder builds the command. Without a folder, it takes one that the test removes.
func newSeeder(t *testing.T, folder string) seeder {
	t.Helper()
	if folder == "" {
		folder = t.TempDir()
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	orgs, err := local.BuildOrgs(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return seeder{orgs, folder}
}

// keys returns the file of the keys of a complete store.
func (s seeder) keys(engine string, n int) string {
	return filepath.Join(s.folder, fmt.Sprintf("%s-%d.keys", engine, n))
}

// unfinished returns the file of the keys while the store is not complete.
func (s seeder) unfinished(engine string, n int) string { return s.keys(engine, n) + ".new" }

// seeded reports whether an earlier run has completed the store.
func (s seeder) seeded(engine string, n int) bool {
	_, err := os.Stat(s.keys(engine, n))
	return err == nil
}

// seed seeds an empty store. The caller calls done when the store is safe on disk.
func (s seeder) seed(t *testing.T, engine string, n int, endpoint, choice string) {
	t.Helper()
	begin := time.Now()
	if err := os.RemoveAll(s.unfinished(engine, n)); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), s.orgs,
		"--store", choice, "seed", "--yes", "--count", fmt.Sprint(n), "--keys", s.unfinished(engine, n))
	command.Env = append(os.Environ(), "AWS_ENDPOINT_URL_DYNAMODB="+endpoint)
	command.Stderr = os.Stderr
	if text, err := command.Output(); err != nil {
		t.Fatalf("seeding %s: %v\n%s", choice, err, text)
	}
	t.Logf("%s seeded with %d organizations in %v", choice, n, time.Since(begin).Round(time.Second))
}

// done marks the store as complete.
func (s seeder) done(t *testing.T, engine string, n int) {
	t.Helper()
	if err := os.Rename(s.unfinished(engine, n), s.keys(engine, n)); err != nil {
		t.Fatal(err)
	}
}

// store returns the service's handlers on the store, without rate limits, and the keys of the organizations.
func (s seeder) store(t *testing.T, engine string, n int, records store.Records) growthStore {
	t.Helper()
	service, err := api.New(api.Options{
		Records: records, Now: time.Now, Observe: func(context.Context, telemetry.Request) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.keys(engine, n))
	if err != nil {
		t.Fatal(err)
	}
	keys := strings.Fields(string(text))
	if len(keys) != n {
		t.Fatalf("%s has %d keys, want %d; remove it and its store, and run again", s.keys(engine, n), len(keys), n)
	}
	return growthStore{n, service.GetOrganization().Handler, service.UpdateOrganization().Handler, keys}
}

func sqliteStores(t *testing.T, s seeder, sizes []int) []growthStore {
	t.Helper()
	var stores []growthStore
	for _, n := range sizes {
		path := filepath.Join(s.folder, fmt.Sprintf("sqlite-%d.db", n))
		if !s.seeded("sqlite", n) {
			for _, file := range []string{path, path + "-wal", path + "-shm"} { // of an interrupted run
				if err := os.RemoveAll(file); err != nil {
					t.Fatal(err)
				}
			}
			s.seed(t, "sqlite", n, "", "sqlite:"+path)
			s.done(t, "sqlite", n)
		}
		holdInMemory(t, path)
		engine, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := engine.Close(); err != nil {
				t.Error(err)
			}
		})
		stores = append(stores, s.store(t, "sqlite", n, engine))
	}
	return stores
}

// holdInMemory keeps the pages of a file in memory until the test ends. Some machines give up cached pages although
// they have free memory, and then the figures would show the machine and not the size of the store.
func holdInMemory(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(pages); err != nil {
			t.Error(err)
		}
	})
	if err := syscall.Mlock(pages); err != nil {
		if _, err := io.Copy(io.Discard, file); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s may leave the memory (%v); ulimit -l bounds what a process may hold there", path, err)
	}
}

// dynamoFile is where DynamoDB Local keeps all its tables.
const dynamoFile = "shared-local-instance.db"

// dynamoStores runs one DynamoDB Local for all stores. It waits for the disk after each write, so seeding would take
// days. Therefore it works on a copy of its file in memory, if the system has /dev/shm.
func dynamoStores(t *testing.T, s seeder, sizes []int) []growthStore {
	t.Helper()
	folder := t.TempDir()
	if inMemory, err := os.MkdirTemp("/dev/shm", "growth-"); err == nil {
		folder = inMemory
		t.Cleanup(func() {
			if err := os.RemoveAll(inMemory); err != nil {
				t.Error(err)
			}
		})
	}
	kept := filepath.Join(s.folder, "dynamodb.db")
	if _, err := os.Stat(kept); err == nil {
		if err := copyFile(kept, filepath.Join(folder, dynamoFile)); err != nil {
			t.Fatal(err)
		}
	}
	url, stop := runDynamo(t, folder)
	var missing []int
	for _, n := range sizes {
		if s.seeded("dynamodb", n) {
			continue
		}
		missing = append(missing, n)
		if err := openDynamo(t, url, n).CreateTables(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.seed(t, "dynamodb", n, url, fmt.Sprintf("dynamodb:growth-%d", n))
	}
	if missing != nil {
		stop()
		if err := copyFile(filepath.Join(folder, dynamoFile), kept); err != nil {
			t.Fatal(err)
		}
		for _, n := range missing {
			s.done(t, "dynamodb", n)
		}
		url, _ = runDynamo(t, folder)
	}
	var stores []growthStore
	for _, n := range sizes {
		stores = append(stores, s.store(t, "dynamodb", n, openDynamo(t, url, n)))
	}
	return stores
}

// runDynamo returns the URL of the server and a function that stops it. The end of the test stops it at the latest.
func runDynamo(t *testing.T, folder string) (string, func()) {
	t.Helper()
	const heap = 1500 // megabytes
	url, stop, err := dynamotest.Start(folder, heap)
	if err != nil {
		t.Fatalf("starting DynamoDB Local: %v", err)
	}
	stopOnce := sync.OnceFunc(func() {
		if err := stop(); err != nil {
			t.Errorf("stopping DynamoDB Local: %v", err)
		}
	})
	t.Cleanup(stopOnce)
	return url, stopOnce
}

func openDynamo(t *testing.T, url string, n int) *dynamo.Store {
	t.Helper()
	engine, err := dynamo.Open(dynamotest.SettingsOn(url, fmt.Sprintf("growth-%d", n)))
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// copyFile replaces the file "to" with a copy. With an error, the file is as it was.
func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.Create(to + ".new")
	if err != nil {
		return err
	}
	if _, err = io.Copy(target, source); err == nil {
		err = target.Sync()
	}
	if err := errors.Join(err, target.Close()); err != nil {
		return errors.Join(err, os.Remove(target.Name()))
	}
	return os.Rename(target.Name(), to)
}

// TestCopyFile copies a file, and then a folder, which can be opened but not read.
func TestCopyFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	from, to := filepath.Join(folder, "from"), filepath.Join(folder, "to")
	if err := os.WriteFile(from, []byte("whole"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := copyFile(from, to); err != nil {
		t.Fatal(err)
	}
	if err := copyFile(folder, to); err == nil {
		t.Error("copyFile of a folder = no error, want one")
	}
	if text, err := os.ReadFile(to); string(text) != "whole" {
		t.Errorf("after a failed copy, the file has %q, %v, want what it had before", text, err)
	}
	if _, err := os.Stat(to + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat of the failed copy = %v, want %v", err, fs.ErrNotExist)
	}
}
