package linearizability

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"organizations-api/contracttests/sample"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

var (
	wanted = flag.Int("histories.operations", 0, "how many requests to make of each store; 0: 1,000, or 200 with -short")
	seed   = flag.Uint64("histories.seed", 20260105, "the seed of requests and faults")
)

const (
	perOrganization = 125 // requests of all clients of one organization
	clientsOfOne    = 4   // of one organization, at the same time
	atOnce          = 16  // organizations at the same time
)

func operations() int { return cmp.Or(*wanted, sample.Size(1_000, 200)) }

// TestHistoriesSQLite runs clients on a file that other programs lock and write. Some clients leave early.
func TestHistoriesSQLite(t *testing.T) {
	t.Parallel()
	run(t, onSQLite(t, *seed), operations()).check(t, "SQLite")
}

// TestHistoriesDynamoDB runs clients on a DynamoDB that loses calls and replies. Some clients leave early.
func TestHistoriesDynamoDB(t *testing.T) {
	t.Parallel()
	run(t, onDynamoDB(t, *seed), operations()).check(t, "DynamoDB")
}

// figures is the result of a run.
type figures struct {
	operations int
	answers    map[verdict]int
	faults     map[string]int
	lost       []string // acknowledged, and not in the audit trail
	doubled    []string // twice in it
	falsified  []string // denied, and in it
	late       int      // in doubt, and in it
	results    map[porcupine.CheckResult]int
	clashes    []string // tags that stand for two states
	torn       []string // records that are not what their audit trails say
	story      string   // the first history that nothing explains
	took       time.Duration
}

// run runs the clients of many organizations, some organizations at a time, and judges their histories.
func run(t *testing.T, w *world, operations int) *figures {
	t.Helper()
	started := time.Now()
	ctx, calm := context.WithCancel(t.Context())
	defer calm()
	f := &figures{answers: map[verdict]int{}, results: map[porcupine.CheckResult]int{}}
	all := make([]*organizationRun, max(1, operations/perOrganization))
	for i := range all { // before anything disturbs the store: creating is not what is tested
		o, key := w.tenant(t)
		all[i] = &organizationRun{world: w, organization: o, key: key, history: newHistory(state{name: o.Name}), number: uint64(i)}
	}
	var disturbance sync.WaitGroup
	if w.disturb != nil {
		disturbance.Go(func() { w.disturb(ctx) })
	}
	var turn sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i := range all {
		places <- struct{}{}
		turn.Go(func() {
			defer func() { <-places }()
			all[i].work(t)
		})
	}
	turn.Wait()
	calm()
	disturbance.Wait()
	w.settle()
	for _, o := range all {
		o.end(t, f)
	}
	f.faults, f.took = w.faults(), time.Since(started)
	return f
}

// organizationRun is one organization and its clients.
type organizationRun struct {
	world        *world
	organization organization.Organization
	key          string
	history      *history
	number       uint64
}

func (r *organizationRun) client(number int, gateways []gateway) *client {
	return &client{
		number: number, key: r.key, gateways: gateways, history: r.history,
		random: rand.New(rand.NewPCG(*seed+r.number, uint64(number))),
	}
}

func (r *organizationRun) work(t *testing.T) {
	var clients sync.WaitGroup
	for number := range clientsOfOne {
		c := r.client(number, r.world.gateways)
		clients.Go(func() {
			for range perOrganization / clientsOfOne {
				if err := c.request(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
}

// end reads the record once more, through a service that meets no faults, and judges the history.
func (r *organizationRun) end(t *testing.T, f *figures) {
	t.Helper()
	last := r.client(clientsOfOne, []gateway{throughEvents(t, "direct", r.world.direct)})
	for range 3 {
		if err := last.request(t.Context()); err != nil {
			t.Error(err)
		}
	}
	f.clashes = append(f.clashes, r.history.clashes...)
	for answer, n := range r.history.counts() {
		f.answers[answer] += n
		f.operations += n
	}
	times := r.count(t, f)
	made := func(change state) bool { return times[change.name]+times[change.email] > 0 }
	result := r.history.linearizable(made)
	f.results[result]++
	if result != porcupine.Ok && f.story == "" {
		f.story = fmt.Sprintf("the history of %s is %s: %s", r.organization.ID, result, r.history.story())
	}
}

// count compares the answers to the clients with the audit trail. It returns how often each value is in the trail.
func (r *organizationRun) count(t *testing.T, f *figures) map[string]int {
	t.Helper()
	entries, _, err := r.world.direct.Audit(t.Context(), r.organization.ID, "", 100_000)
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	version := int64(len(entries) - 1) // the first entry is of the creation
	for _, e := range entries {
		if e.Version != version {
			f.torn = append(f.torn, fmt.Sprintf("an entry of %s is of version %d, want %d", r.organization.ID, e.Version, version))
		}
		version--
		for _, c := range e.Changes {
			times[textOf(t, c.After)]++
		}
	}
	for _, value := range r.history.values(shown) {
		if times[value] == 0 {
			f.lost = append(f.lost, value)
		}
	}
	for _, value := range r.history.values(doubtful) {
		f.late += min(1, times[value])
	}
	for _, value := range r.history.values(denied, mismatched) {
		if times[value] > 0 {
			f.falsified = append(f.falsified, value)
		}
	}
	for value, n := range times {
		if n > 1 {
			f.doubled = append(f.doubled, value)
		}
	}
	r.checkRecord(t, entries, f)
	return times
}

// checkRecord compares the record with the newest entries of its audit trail.
func (r *organizationRun) checkRecord(t *testing.T, entries []store.Entry, f *figures) {
	t.Helper()
	now, _, err := r.world.direct.Get(t.Context(), r.organization.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := state{name: r.organization.Name}
	for _, e := range slices.Backward(entries) {
		for _, c := range e.Changes {
			if c.Field == "organization_name" {
				want.name = textOf(t, c.After)
			} else {
				want.email = textOf(t, c.After)
			}
		}
	}
	got := state{name: now.Name}
	if now.BillingEmail != nil {
		got.email = *now.BillingEmail
	}
	if got != want || now.Version != int64(len(entries)-1) {
		f.torn = append(f.torn, fmt.Sprintf("a record is %v of version %d, its audit trail says %v of version %d",
			got, now.Version, want, len(entries)-1))
	}
}

func textOf(t *testing.T, encoded string) string {
	t.Helper()
	var text string
	if err := json.Unmarshal([]byte(encoded), &text); err != nil {
		t.Fatalf("an audit trail has the value %q: %v", encoded, err)
	}
	return text
}

// sound reports whether the service kept all promises.
func (f *figures) sound() bool {
	return len(f.lost)+len(f.doubled)+len(f.falsified)+len(f.clashes)+len(f.torn) == 0 && f.results[porcupine.Ok] > 0 && len(f.results) == 1
}

// manyOperations is how many requests show every kind of answer. The rarest kinds depend on when a lock ends.
const manyOperations = 10_000

// check prints the figures. It reports broken promises, a run without faults, and kinds of answers that never came in a
// long run, such as that of `make faults`.
func (f *figures) check(t *testing.T, engine string) {
	t.Helper()
	t.Logf("%s, seed %d: %d operations in %.1f s\n%s", engine, *seed, f.operations, f.took.Seconds(), f)
	if !f.sound() {
		t.Errorf("lost %q, doubled %q, denied and made %q, tags of two states %q, torn %q\n%s",
			f.lost, f.doubled, f.falsified, f.clashes, f.torn, f.story)
	}
	for v := shown; v <= verdictsEnd; v++ {
		if f.answers[v] == 0 && f.operations >= manyOperations {
			t.Errorf("no answer was %q: the run shows less than it is meant to", v)
		}
	}
	if len(f.faults) == 0 {
		t.Error("there was no fault")
	}
}

func (f *figures) String() string {
	var b strings.Builder
	b.WriteString("  answers:")
	for v := shown; v <= verdictsEnd; v++ {
		fmt.Fprintf(&b, " %d %v,", f.answers[v], v)
	}
	sum := 0
	for _, n := range f.faults {
		sum += n
	}
	fmt.Fprintf(&b, "\n  faults: %d\n", sum)
	for _, name := range slices.Sorted(maps.Keys(f.faults)) {
		fmt.Fprintf(&b, "    %6d %s\n", f.faults[name], name)
	}
	fmt.Fprintf(&b, "  lost %d, doubled %d, denied and made %d; in doubt and made %d values\n", len(f.lost), len(f.doubled), len(f.falsified), f.late)
	fmt.Fprintf(&b, "  linearizable: %d of %d organizations", f.results[porcupine.Ok], f.results[porcupine.Ok]+f.results[porcupine.Illegal]+f.results[porcupine.Unknown])
	return b.String()
}
