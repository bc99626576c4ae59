package attacks

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"organizations-api/contracttests/bodies"
	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/sample"
)

var (
	fuzzed     = flag.Int("fuzzed", 0, "how many events to make up and send; 0: 5,000, or 1,000 with -short")
	fuzzedSeed = flag.Uint64("fuzzed.seed", 20260105, "the seed of the events")
)

// fuzzBlock is how many events are sent to one state of the store. A block is made and answered the same way each time.
const fuzzBlock = 100

func fuzzedEvents() int { return cmp.Or(*fuzzed, sample.Size(5_000, 1_000)) }

// eventSeed returns the seed of the events.
func eventSeed() uint64 { return sample.SeedOr(*fuzzedSeed) }

// TestFuzzedEvents sends made-up events. The functions must not panic, must not fail, and must answer as the document says.
func TestFuzzedEvents(t *testing.T) {
	t.Parallel()
	started := time.Now()
	blocks := make(chan int)
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		statuses = map[int]int{}
		refused  int
	)
	for range runtime.GOMAXPROCS(0) {
		w := newFuzzWorld(t)
		wg.Go(func() {
			for block := range blocks {
				fuzzOneBlock(t, w, block)
			}
			mu.Lock()
			defer mu.Unlock()
			for status, n := range w.counts {
				statuses[status] += n
			}
			refused += w.refused
		})
	}
	for block := 0; block*fuzzBlock < fuzzedEvents() && !t.Failed(); block++ {
		blocks <- block
	}
	close(blocks)
	wg.Wait()
	checkFuzzed(t, statuses, refused, time.Since(started))
}

func newEventMaker(w *fuzzWorld, seed uint64, number int) *eventMaker {
	bodies, err := bodies.UpdateGenerator()
	if err != nil {
		panic(err) // as above; other tests report it
	}
	return &eventMaker{random: rand.New(rand.NewPCG(seed, uint64(number))), world: w, bodies: bodies, seed: seed, number: number}
}

func fuzzOneBlock(t *testing.T, w *fuzzWorld, block int) {
	w.reset()
	for number := block * fuzzBlock; number < min(fuzzedEvents(), (block+1)*fuzzBlock); number++ {
		method, event := newEventMaker(w, eventSeed(), number).event()
		if err := w.try(method, event); err != nil {
			t.Errorf("event %d of seed %d, to the function of %s: %v\n%q", number, eventSeed(), method, err, judge.Clip(string(event), 4000))
			return
		}
	}
}

// checkFuzzed prints how the events were answered. It reports a status that no event was answered with.
func checkFuzzed(t *testing.T, statuses map[int]int, refused int, took time.Duration) {
	t.Helper()
	sum := refused
	var shares []string
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		sum += statuses[status]
		shares = append(shares, fmt.Sprintf("%d × %d", statuses[status], status))
	}
	verdict := "no panic, no 5xx, every answer valid"
	if t.Failed() {
		verdict = "and one that is reported"
	}
	t.Logf("seed %d: %d events and bodies in %.1f s, %.0f a second: %s; %d were no event; "+verdict, eventSeed(), sum, took.Seconds(), float64(sum)/took.Seconds(), strings.Join(shares, ", "), refused)
	if t.Failed() {
		return
	}
	if wanted := fuzzedEvents(); sum != wanted {
		t.Errorf("%d events were answered, want %d", sum, wanted)
	}
	for _, status := range []int{200, 304, 400, 401, 403, 404, 412, 422, 429} {
		if statuses[status] == 0 && fuzzedEvents() >= 5000 {
			t.Errorf("no event was answered with %d: the events show less than they are meant to", status)
		}
	}
}

// FuzzEventBytes gives the functions any bytes for an event.
func FuzzEventBytes(f *testing.F) {
	w := newFuzzWorld(f)
	for number := range 60 {
		method, event := newEventMaker(w, eventSeed(), number).event()
		f.Add(method == http.MethodPatch, event)
	}
	f.Fuzz(func(t *testing.T, update bool, event []byte) {
		w := newFuzzWorld(t)
		if err := w.try(map[bool]string{false: "GET", true: "PATCH"}[update], event); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzEvent gives the functions events of any parts.
func FuzzEvent(f *testing.F) {
	f.Add("GET", "/v1/organizations", "$default", "", uint8(1), "", "*", "", "id", []byte(nil), false)
	f.Add("PATCH", "/prod/v1/organizations", "prod", "a=%zz", uint8(2), `"a", W/"b"`, "", "application/json", "a\r\nb", []byte(`{"metadata":{}}`), true)
	f.Add("PATCH", "/v1/organizations", "$default", "a=1", uint8(1), "*", `"x"`, "application/json; charset=utf-8", "", []byte(`{"organization_name":"A"}`), false)
	f.Add("HEAD", "//", "v1", "%", uint8(255), "x", "y", "text/plain", "é", []byte("\xff"), true)
	f.Fuzz(func(t *testing.T, method, path, stage, query string, key uint8, ifMatch, ifNoneMatch, contentType, id string, body []byte, isBase64 bool) {
		w := newFuzzWorld(t)
		e := newEventMaker(w, 0, 0).sound(method)
		e.RawPath, e.RequestContext.Stage, e.RawQueryString, e.RequestContext.RequestID = path, stage, query, id
		e.Body, e.IsBase64Encoded = string(body), isBase64
		e.Headers["authorization"] = "Bearer " + w.keys[int(key)%len(w.keys)]
		for name, value := range map[string]string{"if-match": ifMatch, "if-none-match": ifNoneMatch, "content-type": contentType} {
			if value != "" {
				e.Headers[name] = value
			}
		}
		tryEvent(t, w, e)
	})
}

// FuzzAuthorization gives the functions any Authorization header.
func FuzzAuthorization(f *testing.F) {
	w := newFuzzWorld(f)
	for _, key := range w.keys {
		f.Add("Bearer " + key)
	}
	for _, text := range []string{"", "Bearer", "basic YTpi", "Bearer sk_live_", "Bearer sk_live_0123456789abc_" + strings.Repeat("0", 38)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, authorization string) {
		w := newFuzzWorld(t)
		e := newEventMaker(w, 0, 0).sound(http.MethodGet)
		e.Headers["authorization"] = authorization
		tryEvent(t, w, e)
		if n := w.counts[200]; n > 0 {
			t.Errorf("a key that was never issued in this world is answered with 200: %q", authorization)
		}
	})
}

// FuzzBody gives the function of PATCH any body. The status must be what the oracle says about the body.
func FuzzBody(f *testing.F) {
	w := newFuzzWorld(f)
	for number := range 60 {
		f.Add(newEventMaker(w, eventSeed(), number).body())
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w := newFuzzWorld(t)
		m := newEventMaker(w, 0, 0)
		e := m.sound(http.MethodPatch)
		e.Body = string(body)
		tryEvent(t, w, e)
		request := harness.NewRequest(http.MethodPatch, w.keys[1], []byte(arrived(e.Body)))
		request.Header.Set("Content-Type", "application/json")
		want := map[bodies.Belief]int{bodies.Valid: 200, bodies.Invalid: 422, bodies.Unreadable: 400}[bodies.OracleVerdict(harness.Validator(), request).Belief]
		if w.counts[want] != 1 {
			t.Errorf("the body is answered with %v, want %d by the document: %q", w.counts, want, body)
		}
	})
}

// arrived returns a text as JSON carries it: each byte that is not UTF-8 is replaced.
func arrived(text string) string { return string([]rune(text)) }

func tryEvent(t *testing.T, w *fuzzWorld, e events.APIGatewayV2HTTPRequest) {
	t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	method := e.RequestContext.HTTP.Method
	if w.functions[method] == nil {
		method = http.MethodGet
	}
	if err := w.try(method, text); err != nil {
		t.Fatal(err)
	}
}
