package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"organizations-api/cmd/orgs/internal/admin"
)

func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	onBothStores(t, testConcurrentWriters)
}

const writers = 20

// changesPerWriter is how many changes each writer makes: 50, or 8 with -short.
func changesPerWriter() int {
	if testing.Short() {
		return 8
	}
	return 50
}

// outcome is the names that a writer tried to set.
type outcome struct {
	accepted []string // answered with 200
	unsure   []string // answered with 503: they may have taken effect all the same
}

// testConcurrentWriters has many writers change one record through two gateway processes on one store, and then looks
// for every accepted change in the audit trail.
func testConcurrentWriters(t *testing.T, env environment) {
	t.Helper()
	made := mustJSON[created](t, env, "create", "--name", "At first", "--tier", "pro")
	gateways := []*gatewayProcess{
		startProcess(t, env, "--rate-limits", "off"), startProcess(t, env, "--rate-limits", "off"),
	}
	client := newClient(t)

	var all sync.WaitGroup
	outcomes := make([]outcome, writers)
	for w := range writers {
		url := gateways[w%len(gateways)].url + organizations
		all.Go(func() { outcomes[w] = write(t, client, url, made.Key.Key, w) })
	}
	all.Wait()
	for _, g := range gateways {
		g.terminate(t)
	}
	if t.Failed() {
		return
	}
	id := made.Organization.ID
	entries := mustJSON[trail](t, env, "audit", id, "--limit", fmt.Sprint(10*writers*changesPerWriter())).Entries
	accepted, late := checkNames(t, checkTrail(t, entries), outcomes)
	if accepted != writers*changesPerWriter() {
		t.Errorf("%d changes were accepted, want %d", accepted, writers*changesPerWriter())
	}
	if got := mustJSON[shown](t, env, "show", id).Organization.Version; got != int64(accepted+late) {
		t.Errorf("version = %d, want %d, the number of changes", got, accepted+late)
	}
}

// write makes the changes of one writer, each with a new name. It retries a change that lost against other writers,
// again with a new name.
func write(t *testing.T, client *http.Client, url, key string, writer int) outcome {
	ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
	defer cancel()
	var o outcome
	for try := 0; len(o.accepted) < changesPerWriter(); try++ {
		name := fmt.Sprintf("Writer %d, change %d, try %d", writer, len(o.accepted), try)
		got, err := do(client, newRequest(ctx, "PATCH", url, key, renaming(name)))
		switch got.status {
		case http.StatusOK:
			o.accepted = append(o.accepted, name)
		case http.StatusServiceUnavailable:
			o.unsure = append(o.unsure, name)
		case http.StatusPreconditionFailed:
		default:
			t.Errorf("PATCH to %q = %d, %v, want 200, 412 or 503", name, got.status, err)
			return o
		}
	}
	return o
}

// renaming returns the body of a PATCH that sets the name.
func renaming(name string) string { return `{"organization_name": "` + name + `"}` }

// checkTrail checks entries, the newest first: the versions have no gap, and each change begins with the name that the
// change before it left. It returns how often each name was set.
func checkTrail(t *testing.T, entries []admin.EntryJSON) map[string]int {
	t.Helper()
	times := make(map[string]int)
	version, name := int64(len(entries)-1), ""
	for i, e := range entries {
		if e.Version != version {
			t.Fatalf("entry %d is of version %d, want %d", i, e.Version, version)
		}
		version--
		if e.Action != "organization.updated" {
			continue
		}
		before, after := decode[string](t, string(e.Changes[0].Before)), decode[string](t, string(e.Changes[0].After))
		if name != "" && after != name {
			t.Errorf("version %d left %q, and version %d found %q", e.Version, after, e.Version+1, name)
		}
		name = before
		times[after]++
	}
	if name != "At first" {
		t.Errorf("the first change found %q, want the first name", name)
	}
	return times
}

// checkNames checks that every accepted name was set once, every unsure name at most once, and no other name. It
// returns how many accepted and how many unsure names were set.
func checkNames(t *testing.T, times map[string]int, outcomes []outcome) (accepted, late int) {
	t.Helper()
	for writer, o := range outcomes {
		for _, name := range o.accepted {
			if times[name] != 1 {
				t.Errorf("%q of writer %d was set %d times, want once", name, writer, times[name])
			}
			delete(times, name)
			accepted++
		}
		for _, name := range o.unsure {
			if times[name] > 1 {
				t.Errorf("%q of writer %d was set %d times, want once at most", name, writer, times[name])
			}
			late += times[name]
			delete(times, name)
		}
	}
	if len(times) != 0 {
		t.Errorf("these changes were made by nobody: %v", times)
	}
	return accepted, late
}

func TestRateLimitIsExactSQLite(t *testing.T) {
	testRateLimitIsExact(t, newStore(t))
}

func TestRateLimitIsExactDynamoDB(t *testing.T) {
	env := newTables(t)
	must(t, env, "tables", "create")
	testRateLimitIsExact(t, env)
}

const (
	freeLimit = 20 // requests a minute of the tier free
	burst     = 200
	atOnce    = 8 // few enough for a busy machine to count each within the time that a request has for it
)

// testRateLimitIsExact sends many requests at once through two gateway processes on one store. In each minute exactly
// as many pass as the limit allows.
func testRateLimitIsExact(t *testing.T, env environment) {
	t.Helper()
	key := mustJSON[created](t, env, "create", "--name", "Northwind Video", "--tier", "free").Key.Key
	gateways := []*gatewayProcess{startProcess(t, env), startProcess(t, env)}
	client := newClient(t)
	// The first burst opens connections and compiles code, which takes time. It is another organization's.
	other := mustJSON[created](t, env, "create", "--name", "Fabrikam", "--tier", "free").Key.Key
	sendBurst(t, client, gateways, other)
	answers := sendBurst(t, client, gateways, key)
	for _, g := range gateways {
		g.terminate(t)
	}
	minutes := make(map[string][]answer) // by their end; mostly one, and on a busy machine several
	for _, a := range answers {
		reset := a.header.Get("X-RateLimit-Reset")
		minutes[reset] = append(minutes[reset], a)
	}
	for reset, answers := range minutes {
		if end, err := strconv.ParseInt(reset, 10, 64); err != nil || end%60 != 0 {
			t.Errorf("X-RateLimit-Reset = %q, want the end of a minute", reset)
		}
		checkAnswers(t, answers)
	}
}

// sendBurst reads the key's organization many times, atOnce requests at any time, through all gateways in turn.
func sendBurst(t *testing.T, client *http.Client, gateways []*gatewayProcess, key string) []answer {
	t.Helper()
	answers := make([]answer, burst)
	var all sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for i := range answers {
		url := gateways[i%len(gateways)].url + organizations
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			var err error
			if answers[i], err = do(client, newRequest(t.Context(), "GET", url, key, "")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	return answers
}

// checkAnswers counts the answers of one minute and reads the headers of each.
func checkAnswers(t *testing.T, answers []answer) {
	t.Helper()
	statuses := map[int]int{}
	remaining := map[string]int{} // of those that passed
	for _, a := range answers {
		statuses[a.status]++
		h := a.header
		if h.Get("X-RateLimit-Limit") != strconv.Itoa(freeLimit) {
			t.Errorf("a %d has the headers %v, want the limit %d", a.status, h, freeLimit)
		}
		if a.status == http.StatusOK {
			remaining[h.Get("X-RateLimit-Remaining")]++
			continue
		}
		seconds, err := strconv.Atoi(h.Get("Retry-After"))
		if err != nil || seconds < 1 || seconds > 60 || h.Get("X-RateLimit-Remaining") != "0" {
			t.Errorf("a %d has the headers %v, want Retry-After within the minute and nothing remaining", a.status, h)
		}
	}
	passed := min(freeLimit, len(answers))
	if statuses[http.StatusOK] != passed || statuses[http.StatusTooManyRequests] != len(answers)-passed {
		t.Errorf("statuses = %v, want %d × 200 and %d × 429", statuses, passed, len(answers)-passed)
	}
	for n := freeLimit - passed; n < freeLimit; n++ {
		if remaining[strconv.Itoa(n)] != 1 {
			t.Errorf("%d answers say that %d requests remain, want one", remaining[strconv.Itoa(n)], n)
		}
	}
}
