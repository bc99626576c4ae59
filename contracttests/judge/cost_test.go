package judge_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
	"organizations-api/shared/openapi"
)

// TestDeterministic: the same exchange always reads the same, from any Validator of the document.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	other, err := judge.New(openapi.YAML)
	if err != nil {
		t.Fatal(err)
	}
	other = other.With(harness.OrganizationRules()...)
	x := messy(t)
	want := lines(harness.Validator().Check(x))
	if n := strings.Count(want, "\n"); n < 20 {
		t.Fatalf("only %d violations:\n%s", n, want)
	}
	for range 50 {
		for _, v := range []*judge.Validator{harness.Validator(), other} {
			if diff := cmp.Diff(want, lines(v.Check(x))); diff != "" {
				t.Fatalf("Check (-first +later):\n%s", diff)
			}
		}
	}
}

// messy returns a response that is wrong in many ways at once.
func messy(t *testing.T) judge.Exchange {
	x := fixture.RightExchange(http.MethodGet, 200)
	extra := strings.Builder{}
	for i := range 10 {
		fmt.Fprintf(&extra, `"extra_%d":%d,`, i, i)
	}
	fixture.InOrder(
		fixture.WithBody(`{`+extra.String()+`"organization_id":1,"account_type":"x","rate_limits":{"data":0,"search":"1","x":1e400},`+
			`"credit_count":1e20,"billing_email":"x","users":[1,2,{"a":1,"a":2}],"created_at":"2026-01-05t09:30:60z"}`),
		fixture.WithHeader("ETag"), fixture.WithHeader("Server", "x"), fixture.WithHeader("X-Extra", "x"),
		fixture.WithHeader("Content-Length", "x"),
	)(t, &x)
	return x
}

// TestConcurrent: one Validator serves many goroutines, from its first use on. Meant for the race detector.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	fresh, err := judge.New(openapi.YAML)
	if err != nil {
		t.Fatal(err)
	}
	fresh = fresh.With(harness.OrganizationRules()...).WithRequest(harness.OrganizationRequestRules()...)
	exchanges := mixed(t)
	want := make([]string, len(exchanges))
	for i, x := range exchanges {
		want[i] = lines(harness.Validator().Check(x)) + lines(harness.Validator().CheckRequest(x))
	}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range exchanges {
				i = (i + worker*7) % len(exchanges)
				if got := lines(fresh.Check(exchanges[i])) + lines(fresh.CheckRequest(exchanges[i])); got != want[i] {
					t.Errorf("Check and CheckRequest = %s, want %s", got, want[i])
				}
			}
		})
	}
	group.Wait()
}

// mixed returns every right and every wrong exchange of the tables.
func mixed(t *testing.T) []judge.Exchange {
	var exchanges []judge.Exchange
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		for _, code := range fixture.DeclaredStatuses(method) {
			exchanges = append(exchanges, fixture.RightExchange(method, code))
		}
	}
	for _, c := range wrongCases() {
		x := fixture.RightExchange(http.MethodGet, c.status)
		c.change(t, &x)
		exchanges = append(exchanges, x)
	}
	for _, c := range append(rightRequests(), wrongRequests()...) {
		x := fixture.RightExchange(http.MethodPatch, 200)
		x.Request.Body = []byte(c.body)
		exchanges = append(exchanges, x)
	}
	for _, c := range append(rightPatches(), wrongPatches()...) {
		x := fixture.RightExchange(http.MethodPatch, 200)
		x.Request.Header.Set("Content-Type", harness.MergePatchType)
		x.Request.Body = []byte(c.body)
		exchanges = append(exchanges, x)
	}
	return exchanges
}

// TestNoLeak judges some thousand pairs: neither goroutines nor the heap grow. It does not run in parallel with other
// tests, whose goroutines and heap it would count.
func TestNoLeak(t *testing.T) {
	exchanges := mixed(t)
	pairs := 0
	round := func(times int) {
		for range times {
			for _, x := range exchanges {
				harness.Validator().Check(x)
				harness.Validator().CheckRequest(x)
				pairs++
			}
		}
	}
	round(2) // warm
	goroutines, heap := runtime.NumGoroutine(), heapInUse()
	round(20)
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if now := heapInUse(); now > heap+1<<20 {
		t.Errorf("%d bytes of heap, %d before", now, heap)
	}
	t.Logf("%d pairs", pairs)
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // the first leaves what pools still hold
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// BenchmarkPair judges both halves of one warm pair, by the document and the rules of the service, and by the document
// alone.
func BenchmarkPair(b *testing.B) {
	alone, err := judge.New(openapi.YAML)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("document", func(b *testing.B) { benchmarkPair(b, alone) })
	b.Run("service", func(b *testing.B) { benchmarkPair(b, harness.Validator()) })
}

func benchmarkPair(b *testing.B, v *judge.Validator) {
	wrong := fixture.RightExchange(http.MethodPatch, 200)
	wrong.Response.Body = []byte(strings.Replace(string(wrong.Response.Body), `"pro"`, `"Pro","internal_id":1`, 1))
	wrong.Request.Body = []byte(`{"rate_limits":{"search":0}}`)
	for name, x := range map[string]judge.Exchange{
		"PATCH 200": fixture.RightExchange(http.MethodPatch, 200),
		"GET 304":   fixture.RightExchange(http.MethodGet, 304),
		"PATCH 422": fixture.RightExchange(http.MethodPatch, 422),
		"wrong":     wrong,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v.Check(x)
				v.CheckRequest(x)
			}
		})
	}
}

// BenchmarkNew makes a Validator of the service's document.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := judge.New(openapi.YAML); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLarge reads a document of 300 KB, here and in the library alone. live-MB is what the reader holds
// afterwards.
func BenchmarkLarge(b *testing.B) {
	text := largeDocument()
	readers := map[string]func() (any, error){
		"judge": func() (any, error) { return judge.New(text) },
		"library": func() (any, error) {
			document, err := libopenapi.NewDocument(bytes.Clone(text))
			if err != nil {
				return nil, err
			}
			v, errs := validator.NewValidator(document, config.WithFormatAssertions())
			return v, errors.Join(errs...)
		},
	}
	for name, read := range readers {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := heapInUse()
			var last any
			for b.Loop() {
				var err error
				if last, err = read(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(heapInUse()-before)/1e6, "live-MB")
			runtime.KeepAlive(last)
		})
	}
}

// largeDocument returns a document of some 300 KB: 60 operations, and 300 components that refer to each other.
func largeDocument() []byte {
	var out strings.Builder
	out.WriteString("openapi: 3.1.0\ninfo: {title: Large, version: '1'}\npaths:\n")
	for i := range 60 {
		fmt.Fprintf(&out, `  /things%d/{id}:
    post:
      operationId: change%d
      parameters: [{name: id, in: path, required: true, schema: {type: string, maxLength: 40}}]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Thing%d'}}}}
      responses:
        '200': {description: It was changed., content: {application/json: {schema: {$ref: '#/components/schemas/Thing%d'}}}}
        '404': {description: There is none., content: {application/json: {schema: {type: object, properties: {error: {type: string}}}}}}
`, i, i, i, i+60)
	}
	out.WriteString("components:\n  schemas:\n")
	for i := range 300 {
		fmt.Fprintf(&out, "    Thing%d:\n      type: object\n      description: One of many things that refer to "+
			"another one.\n      required: [id, name]\n      properties:\n", i)
		for _, name := range []string{"id", "name", "owner", "region", "state"} {
			fmt.Fprintf(&out, "        %s: {type: string, minLength: 1, maxLength: %d, description: 'What it is, in "+
				"a few words that people write.'}\n", name, 50+i)
		}
		fmt.Fprintf(&out, "        size: {type: integer, format: int64, minimum: 0}\n        made_at: {type: "+
			"string, format: date-time}\n")
		fmt.Fprintf(&out, "        next: {anyOf: [{$ref: '#/components/schemas/Thing%d'}, {type: 'null'}]}\n",
			(i*7+1)%300)
	}
	return []byte(out.String())
}
