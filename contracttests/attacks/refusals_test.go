package attacks

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/harness/local"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/telemetry/telemetrytest"
)

// TestNothingTellsWhichOrganizationsExist: an unknown key of an organization that exists is answered like a key of an
// organization that does not exist.
func TestNothingTellsWhichOrganizationsExist(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, w *world) {
		made, deleted, purged := w.tenant(t), w.tenant(t), w.tenant(t)
		if err := w.store.Delete(t.Context(), deleted.ID, time.Now(), entry(store.Deleted)); err != nil {
			t.Fatal(err)
		}
		if err := w.store.Purge(t.Context(), purged.ID); err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{"GET", "PATCH"} {
			want := w.send(t, method, newEvent(method, apikey.New(organization.NewID(), apikey.Live, made.store).Reveal()))
			if want.StatusCode != 401 || !strings.Contains(want.Body, "api_key_invalid") {
				t.Fatalf("%s with a key of no organization = %s, want 401 api_key_invalid", method, everything(want))
			}
			for what, key := range map[string]string{
				"an organization that exists": apikey.New(made.ID, apikey.Live, made.store).Reveal(),
				"one that exists, test mode":  apikey.New(made.ID, apikey.Test, made.store).Reveal(),
				"a deleted one":               apikey.New(deleted.ID, apikey.Live, made.store).Reveal(),
				"a purged one, its own key":   purged.admin.Reveal(),
				"one that exists, forged":     apikey.New(made.ID, apikey.Live, apikey.NewSecret()).Reveal(),
				"another's secret":            partsOf(deleted, deleted.admin).sealed("live", made.ID.PublicPart(), partsOf(deleted, deleted.admin).secret),
			} {
				got := w.send(t, method, newEvent(method, key))
				if got.StatusCode != want.StatusCode || got.Body != want.Body || !cmp.Equal(headers(want), headers(got)) {
					t.Errorf("%s with an unknown key of %s = %s\nwant it as of no organization: %s", method, what, everything(got), everything(want))
				}
			}
		}
	})
}

// BenchmarkRefusals measures how long a refusal takes, alternately for a key of an existing organization and for a key
// of an unknown one. It shows how well the two can be told apart. t is Welch's t of the trimmed samples: beyond about
// 5, that many requests are enough to tell them apart.
func BenchmarkRefusals(b *testing.B) {
	for name, w := range map[string]*world{"SQLite": onSQLite(b), "DynamoDB": newWorld(b, local.DynamoDB(b))} {
		made := w.tenant(b)
		b.Run(name, func(b *testing.B) {
			events := [2]event{
				newEvent("GET", apikey.New(made.ID, apikey.Live, made.store).Reveal()),
				newEvent("GET", apikey.New(organization.NewID(), apikey.Live, made.store).Reveal()),
			}
			var samples [2][]float64
			for b.Loop() {
				for i, e := range events {
					start := time.Now()
					w.send(b, "GET", e)
					samples[i] = append(samples[i], float64(time.Since(start)))
				}
			}
			known, unknown := summed(samples[0]), summed(samples[1])
			b.ReportMetric(known.median, "ns/existing")
			b.ReportMetric(unknown.median, "ns/none")
			b.ReportMetric(math.Abs(known.mean-unknown.mean)/math.Sqrt(known.variance/known.n+unknown.variance/unknown.n), "t")
		})
	}
}

type sum struct{ n, mean, median, variance float64 }

// summed returns the figures of the faster nine tenths. The others were disturbed by other work of the machine.
func summed(samples []float64) sum {
	slices.Sort(samples)
	kept := samples[:max(1, len(samples)*9/10)]
	s := sum{n: float64(len(kept)), median: kept[len(kept)/2]}
	for _, x := range kept {
		s.mean += x / s.n
	}
	for _, x := range kept {
		s.variance += (x - s.mean) * (x - s.mean) / max(1, s.n-1)
	}
	return s
}

// TestNoKeyIsStored: the database file, and all that the service sends to DynamoDB, contain no key in plain text.
func TestNoKeyIsStored(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "orgs.db")
		keys := useKeys(t, newWorld(t, local.OpenSQLite(t, path)))
		files, err := filepath.Glob(path + "*") // the log of writes is one of them
		if err != nil || len(files) < 2 {
			t.Fatalf("files = %q, %v, want the database and its log", files, err)
		}
		var content strings.Builder
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			content.Write(text)
		}
		wantHashesOnly(t, content.String(), keys)
	})
	t.Run("DynamoDB", func(t *testing.T) {
		t.Parallel()
		settings := dynamotest.Settings(t, dynamotest.Prefix())
		heard := new(telemetrytest.Log)
		settings.Endpoint = eavesdropper(t, settings.Endpoint, heard)
		wantHashesOnly(t, heard.Take(), useKeys(t, newWorld(t, local.NewTables(t, settings))), heard)
	})
}

// useKeys makes an organization and uses its keys.
func useKeys(t *testing.T, w *world) []apikey.Key {
	t.Helper()
	made := w.tenant(t)
	for _, key := range []apikey.Key{made.admin, made.read} {
		if r := w.send(t, "GET", newEvent("GET", key.Reveal())); r.StatusCode != 200 {
			t.Fatalf("GET = %d, want 200", r.StatusCode)
		}
	}
	e := newEvent("PATCH", made.admin.Reveal())
	e.Body = `{"organization_name":"B"}`
	w.send(t, "PATCH", e)
	return []apikey.Key{made.admin, made.read}
}

func wantHashesOnly(t *testing.T, content string, keys []apikey.Key, more ...*telemetrytest.Log) {
	t.Helper()
	for _, heard := range more {
		content += heard.Take()
	}
	for _, key := range keys {
		text := key.Reveal()
		if !strings.Contains(content, key.Hash().Hex()) {
			t.Error("the hash of a key is nowhere; what was searched is not what is stored")
		}
		if secret := text[len(text)-30:]; strings.Contains(content, text) || strings.Contains(content, secret) {
			t.Errorf("a key, or most of its secret, is stored or sent in plain text")
		}
	}
}

// eavesdropper returns the address of a proxy that writes down all bodies, both ways.
func eavesdropper(t *testing.T, behind string, heard io.Writer) string {
	t.Helper()
	target, err := url.Parse(behind)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, heard), r.Body}
		return nil
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(heard, r.Header)
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, heard), r.Body}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestRevokedAtOnce: every request that begins after a revocation was acknowledged is refused, however many come.
func TestRevokedAtOnce(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, w *world) {
		made := w.tenant(t)
		_, keys, err := w.store.Get(t.Context(), made.ID)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		var done sync.WaitGroup
		for range 4 {
			done.Go(func() {
				for {
					select {
					case <-ended:
						if r := w.send(t, "GET", newEvent("GET", made.admin.Reveal())); r.StatusCode != 401 || !strings.Contains(r.Body, "api_key_revoked") {
							t.Errorf("GET after the key was revoked = %d, want 401 api_key_revoked", r.StatusCode)
						}
						return
					default:
						w.send(t, "GET", newEvent("GET", made.admin.Reveal()))
					}
				}
			})
		}
		for _, key := range keys {
			if err := w.store.RevokeKey(t.Context(), made.ID, key.ID, time.Now(), entry(store.KeyRevoked)); err != nil {
				t.Error(err)
			}
		}
		close(ended)
		done.Wait()
	})
}
