package attacks

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"organizations-api/shared/api"
)

// bomb is a body that is meant to cost more than it is long.
type bomb struct {
	name   string
	body   func(size int) string
	status int
}

// filled returns a function that repeats a text between two others up to a size. A verb in the text gets the number of
// the repetition.
func filled(before, text, between, after string) func(size int) string {
	return func(size int) string {
		var out strings.Builder
		out.WriteString(before)
		for i := 0; ; i++ {
			next := text
			if strings.Contains(text, "%") {
				next = fmt.Sprintf(text, i)
			}
			if i > 0 {
				next = between + next
			}
			if out.Len()+len(next)+len(after) > size {
				return out.String() + after
			}
			out.WriteString(next)
		}
	}
}

func nested(open, inside, end string) func(size int) string {
	return func(size int) string {
		n := (size - len(inside) - 16) / (len(open) + len(end))
		return `{"metadata":` + strings.Repeat(open, n) + inside + strings.Repeat(end, n) + "}"
	}
}

func bombs() []bomb {
	return []bomb{
		{"deep lists", nested("[", "", "]"), 400},
		{"deep objects", nested(`{"a":`, "1", "}"), 400},
		{"deep and never closed", filled(`{"metadata":`, "[", "", ""), 400},
		{"deep in a member that is not declared", nested(`{"b":[`, "", "]}"), 400},
		{"many members", filled(`{"metadata":{`, `"m%d":0`, ",", "}}"), 422},
		{"many members that are not declared", filled("{", `"m%d":0`, ",", "}"), 200},
		{"many objects", filled(`{"metadata":{"a":[`, "{}", ",", "]}}"), 422},
		{"many credentials of the wrong type", filled(`{"default_llm_credentials":{`, `"m%d":0`, ",", "}}"), 422},
		{"many limits", filled(`{"rate_limits":{`, `"m%d":0`, ",", "}}"), 200},
		{"one name over and over", filled(`{"metadata":{`, `"m":0`, ",", "}}"), 400},
		{"the last name twice", filled(`{"metadata":{`, `"m%d":0`, ",", `,"m0":0}}`), 400},
		{"one name in many spellings", filled(`{"metadata":{"m":0,`, `"n%d":0`, ",", `,"\u006d":0}}`), 400},
		{"number of many digits", filled(`{"rate_limits":{"search":1`, "0", "", "}}"), 422},
		{"fraction of many digits", filled(`{"rate_limits":{"search":1.`, "0", "", "}}"), 200},
		{"vast exponent", filled(`{"rate_limits":{"search":1e`, "9", "", "}}"), 422},
		{"vast negative exponent", filled(`{"rate_limits":{"search":1e-`, "9", "", "}}"), 422},
		{"vast numbers that are kept", filled(`{"metadata":{"n":1`, "0", "", "}}"), 422},
		{"long string", filled(`{"organization_name":"`, "x", "", `"}`), 422},
		{"long string of escapes", filled(`{"organization_name":"`, `\u0000`, "", `"}`), 422},
		{"long string of surrogates", filled(`{"organization_name":"`, `\ud83d\ude00`, "", `"}`), 422},
		{"long email", filled(`{"billing_email":"`, "a.", "", `a@example.com"}`), 422},
		{"email of many @", filled(`{"billing_email":"`, "@", "", `"}`), 422},
		{"long name", filled(`{"`, "x", "", `":1}`), 200},
		{"white space", filled("{", " ", "", "}"), 200},
		{"white space inside", filled(`{"metadata":{"a":[`, "  1", ",", "]}}"), 422},
		{"backslashes", filled(`{"organization_name":"`, `\\`, "", `"}`), 422},
		{"one byte too many", func(size int) string { return `{"x":"` + strings.Repeat("x", size-7) + `"}` }, 400},
	}
}

// TestJSONBombs sends bodies of the largest size that is read. Each may take no more memory than its size
// allows. The test is not parallel, because it counts what the process allocates. BenchmarkJSONBombs measures the time.
func TestJSONBombs(t *testing.T) {
	const (
		most = 192 // bytes allocated for each byte of the body, all in all; deep nesting costs most
		// longestRefusal leaves room for a hundred problems.
		longestRefusal = 32 << 10
	)
	w := onSQLite(t)
	made := w.tenant(t)
	for _, b := range bombs() {
		body := b.body(api.MaxBodySize)
		if n := len(body); b.status != 400 && n > api.MaxBodySize || n < api.MaxBodySize-100 {
			t.Fatalf("%s: the body has %d bytes, want nearly %d", b.name, n, api.MaxBodySize)
		}
		e := newEvent("PATCH", made.admin.Reveal())
		e.Body = body
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := w.send(t, "PATCH", e)
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		t.Logf("%-40s %d  %4.1f bytes for each byte", b.name, r.StatusCode, float64(allocated)/float64(len(body)))
		if r.StatusCode != b.status {
			t.Errorf("%s: PATCH = %d %.300s, want %d", b.name, r.StatusCode, r.Body, b.status)
		}
		if r.StatusCode != 200 && len(r.Body) > longestRefusal {
			t.Errorf("%s: the refusal has %d bytes, want at most %d", b.name, len(r.Body), longestRefusal)
		}
		if allocated > most*uint64(len(body)) {
			t.Errorf("%s: a body of %d bytes took %d bytes, want at most %d", b.name, len(body), allocated, most*len(body))
		}
	}
}

// BenchmarkJSONBombs measures each body at the largest size that is read, and at a quarter of it. "times" is how much
// longer the large one takes: about 4 if reading takes time in proportion to the size, and 16 if it is quadratic.
func BenchmarkJSONBombs(b *testing.B) {
	w := onSQLite(b)
	made := w.tenant(b)
	for _, bomb := range bombs() {
		b.Run(bomb.name, func(b *testing.B) {
			var took [2]time.Duration
			for i, size := range []int{api.MaxBodySize / 4, api.MaxBodySize} {
				e := newEvent("PATCH", made.admin.Reveal())
				e.Body = bomb.body(size)
				began := time.Now()
				for range b.N {
					w.send(b, "PATCH", e)
				}
				took[i] = time.Since(began)
			}
			b.ReportMetric(float64(took[1])/float64(took[0]), "times")
		})
	}
}
