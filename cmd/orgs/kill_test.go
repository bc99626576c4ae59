package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/cli"
)

var (
	kills    = flag.Int("kills", 10, "how often to kill the gateway while it writes to SQLite")
	killSeed = flag.Uint64("kills.seed", 20260105, "the seed of the moments at which the gateway is killed")
)

// writersPerLife is how many clients write through one life of the gateway.
const writersPerLife = 6

// TestKilledGateway kills the gateway while it writes, again and again on one file. Afterwards every acknowledged
// change is there, in order, the record agrees with its audit trail, and the file is intact.
func TestKilledGateway(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "orgs.db")
	env := environment{cli.StoreVariable: "sqlite:" + path}
	made := mustJSON[created](t, env, "create", "--name", "At first", "--tier", "pro")
	moments := rand.New(rand.NewPCG(*killSeed, 0))
	var outcomes []outcome
	for life := range *kills {
		busy := time.Duration(moments.Int64N(int64(150 * time.Millisecond)))
		outcomes = append(outcomes, liveOnce(t, env, made.Key.Key, life, busy)...)
		checkIntegrity(t, path)
		if t.Failed() {
			return
		}
	}
	id := made.Organization.ID
	entries := mustJSON[trail](t, env, "audit", id, "--limit", strconv.Itoa(1_000_000)).Entries
	accepted, late := checkNames(t, checkTrail(t, entries), outcomes)
	checkOrder(t, entries, outcomes)
	now := mustJSON[shown](t, env, "show", id).Organization
	if last := decode[string](t, string(entries[0].Changes[0].After)); now.Version != int64(accepted+late) || now.Name != last {
		t.Errorf("the record has version %d and the name %q, want %d and %q, by its audit trail", now.Version, now.Name, accepted+late, last)
	}
	unsure := 0
	for _, o := range outcomes {
		unsure += len(o.unsure)
	}
	if accepted < *kills || unsure < *kills {
		t.Errorf("%d changes were acknowledged and %d cut off: the gateway was not killed while it wrote", accepted, unsure)
	}
	t.Logf("killed %d times; %d changes acknowledged, lost 0; %d cut off, of which %d took effect; integrity_check ok each time",
		*kills, accepted, unsure, late)
}

// liveOnce starts the gateway, lets clients write through it, and kills it some time after the first change.
func liveOnce(t *testing.T, env environment, key string, life int, busy time.Duration) []outcome {
	t.Helper()
	p := startProcess(t, env, "--rate-limits", "off")
	client := newClient(t)
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all sync.WaitGroup
	outcomes := make([]outcome, writersPerLife)
	first := make(chan struct{}, writersPerLife)
	for w := range writersPerLife {
		all.Go(func() {
			outcomes[w] = writeUntilKilled(ctx, t, client, p.url+organizations, key, fmt.Sprintf("Life %d, writer %d", life, w), first)
		})
	}
	select {
	case <-first:
		time.Sleep(busy)
	case <-ctx.Done():
		t.Error("no change was acknowledged")
	}
	if err := p.command.Process.Kill(); err != nil {
		t.Errorf("killing the gateway: %v", err)
	}
	all.Wait()
	if err := p.command.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the gateway ended by itself: %v", err)
	}
	return outcomes
}

// writeUntilKilled changes the organization until no answer comes. After its first change it sends to first.
func writeUntilKilled(
	ctx context.Context, t *testing.T, client *http.Client, url, key, writer string, first chan<- struct{},
) outcome {
	var o outcome
	for change := 0; ; change++ {
		name := fmt.Sprintf("%s, change %d", writer, change)
		got, err := do(client, newRequest(ctx, "PATCH", url, key, renaming(name)))
		switch {
		case err != nil: // killed, before the change or after it
			o.unsure = append(o.unsure, name)
			return o
		case got.status == http.StatusOK:
			o.accepted = append(o.accepted, name)
		case got.status == http.StatusServiceUnavailable:
			o.unsure = append(o.unsure, name)
		default:
			t.Errorf("PATCH to %q = %d, want 200 or 503", name, got.status)
			return o
		}
		if len(o.accepted) == 1 {
			select {
			case first <- struct{}{}:
			default:
			}
		}
	}
}

func checkIntegrity(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check after a kill = %q, %v, want ok", verdict, err)
	}
}

// checkOrder checks that the audit trail has each writer's changes in the order in which they were acknowledged.
func checkOrder(t *testing.T, entries []admin.EntryJSON, outcomes []outcome) {
	t.Helper()
	version := map[string]int64{}
	for _, e := range entries {
		if len(e.Changes) == 1 {
			version[decode[string](t, string(e.Changes[0].After))] = e.Version
		}
	}
	for _, o := range outcomes {
		last := int64(0)
		for _, name := range o.accepted {
			if version[name] <= last {
				t.Errorf("%q is of version %d, and was acknowledged after version %d", name, version[name], last)
			}
			last = version[name]
		}
	}
}
