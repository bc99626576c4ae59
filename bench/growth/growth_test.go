package growth

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"organizations-api/shared/api"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/store/sqlite"
	"organizations-api/shared/telemetry"
)

var (
	counts        = flag.String("growth.counts", "20 200", "how many organizations the stores have, ascending")
	data          = flag.String("growth.data", "", "folder that keeps the stores for the next run (default one for this run alone)")
	out           = flag.String("growth.out", "", "folder for growth.json and growth.svg (default nowhere)")
	sqliteSamples = flag.Int("growth.sqlite", 50, "requests of each operation to each SQLite store; 0 leaves them out")
	dynamoSamples = flag.Int("growth.dynamodb", 20, "requests of each operation to each DynamoDB store; 0 leaves them out")
)

// TestGrowth measures, prints and draws. It fails where something does not work, never for what it measures.
func TestGrowth(t *testing.T) {
	sizes := parseCounts(t, *counts)
	folder := *data
	if folder == "" {
		folder = t.TempDir()
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	orgs := buildOrgs(t)
	var figures []Figure
	engines := 0
	for _, engine := range []struct {
		name    string
		samples int
		stores  func(*testing.T, seeder, []int) []Store
	}{
		{"SQLite", *sqliteSamples, sqliteStores},
		{"DynamoDB Local", *dynamoSamples, dynamoStores},
	} {
		if engine.samples == 0 {
			continue
		}
		engines++
		stores := engine.stores(t, seeder{orgs, folder}, sizes)
		begin := time.Now()
		measured, err := Measure(engine.name, stores, engine.samples)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s measured in %v", engine.name, time.Since(begin).Round(time.Second))
		figures = append(figures, measured...)
	}
	if want := engines * 2 * len(sizes); len(figures) != want {
		t.Errorf("measured %d figures, want %d", len(figures), want)
	}
	fmt.Print(Table(figures))
	write(t, figures)
}

func parseCounts(t *testing.T, text string) []int {
	t.Helper()
	var sizes []int
	for field := range strings.FieldsSeq(text) {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 {
			t.Fatalf("-growth.counts has %q, want whole numbers", field)
		}
		sizes = append(sizes, n)
	}
	return sizes
}

// write writes the figures and the chart.
func write(t *testing.T, figures []Figure) {
	t.Helper()
	text, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	chart := string(Chart(figures))
	if lines := strings.Count(chart, " p99<"); lines != len(figures)/len(parseCounts(t, *counts)) {
		t.Errorf("the chart has %d lines of p99, want one for each engine and operation:\n%s", lines, chart)
	}
	if *out == "" {
		return
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"growth.json": string(text) + "\n", "growth.svg": chart} {
		if err := os.WriteFile(filepath.Join(*out, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func sqliteStores(t *testing.T, s seeder, sizes []int) []Store {
	t.Helper()
	var stores []Store
	for _, n := range sizes {
		path := filepath.Join(s.folder, fmt.Sprintf("sqlite-%d.db", n))
		if !s.seeded("sqlite", n) {
			for _, file := range []string{path, path + "-wal", path + "-shm"} { // what an interrupted run left
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

// holdInMemory keeps a file's pages in memory, so that it is the cost of its size that is measured, and not that of a system
// which, on some machines, gives up what it has cached though it has memory to spare.
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

// dynamoStores runs one DynamoDB Local for all stores, on a copy of its file in memory where the system has such a folder: it
// waits for the disk after each write, which would take the seeding days.
func dynamoStores(t *testing.T, s seeder, sizes []int) []Store {
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
	var stores []Store
	for _, n := range sizes {
		stores = append(stores, s.store(t, "dynamodb", n, openDynamo(t, url, n)))
	}
	return stores
}

// runDynamo returns the server's URL and what stops it, which happens at the latest when the test ends.
func runDynamo(t *testing.T, folder string) (string, func()) {
	t.Helper()
	const heap = 1500 // megabytes
	url, stop, err := dynamotest.Kept(folder, heap)
	if err != nil {
		t.Fatalf("starting DynamoDB Local: %v", err)
	}
	stopped := false
	stopOnce := func() {
		if stopped {
			return
		}
		stopped = true
		if err := stop(); err != nil {
			t.Errorf("stopping DynamoDB Local: %v", err)
		}
	}
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

// copyFile puts a copy in the place of to. Unless all of it is on disk, what was there stays.
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

// TestCopyFile copies a file, and then what can be opened and not read: a folder.
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
		t.Errorf("after a copy that failed, the file has %q, %v, want what it had before", text, err)
	}
	if _, err := os.Stat(to + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a copy that failed, Stat = %v, want nothing to be left", err)
	}
}

// store returns what is measured of an engine: the service without rate limits, and the keys of the organizations.
func (s seeder) store(t *testing.T, engine string, n int, records store.Records) Store {
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
	return Store{
		Organizations: n, Get: service.GetOrganization().Handler, Patch: service.UpdateOrganization().Handler, Keys: keys,
	}
}
