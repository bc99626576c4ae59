package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/font/gofont/goregular"

	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/openapi"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/sqlite"
	"organizations-api/shared/telemetry"
)

// world is the pages on a new SQLite file, with one organization and two keys of it.
type world struct {
	store       *sqlite.Store
	org         organization.Organization
	admin, read apikey.Key
	log         bytes.Buffer
	options     Options
}

var now = time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orgs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &world{store: s}
	w.org, w.admin = w.create(t, "Northwind Video", organization.Pro)
	w.read = w.newKey(t, w.org.ID)
	e := store.Entry{ID: store.NewEntryID(now.Add(time.Second)), Action: store.KeyIssued, Actor: store.OperatorActor}
	if err := s.AddKey(t.Context(), w.org.ID, apikey.NewRecord(w.read, apikey.Read, now, nil), e); err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(&w.log, nil))
	service, err := api.New(api.Options{Records: s, Now: func() time.Time { return now }, Observe: telemetry.Log(logger, nil)})
	if err != nil {
		t.Fatal(err)
	}
	w.options = Options{
		Contract: openapi.YAML, Service: service, Trail: s, Logger: logger, Loopback: true,
		State: func(context.Context) (State, error) {
			return State{Store: "sqlite:a", RateLimits: true, Organization: &w.org, IssueKey: "orgs keys issue", List: "orgs list"}, nil
		},
	}
	return w
}

// newKey returns a key that the store would issue.
func (w *world) newKey(t *testing.T, id organization.ID) apikey.Key {
	t.Helper()
	secrets, err := w.store.KeySecrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return apikey.New(id, apikey.Live, secrets[0])
}

// create stores an organization with an admin key.
func (w *world) create(t *testing.T, name string, tier organization.Tier) (organization.Organization, apikey.Key) {
	t.Helper()
	o := organization.New(name, tier, nil, now)
	key := w.newKey(t, o.ID)
	e := store.Entry{ID: store.NewEntryID(now), Action: store.Created, Actor: store.OperatorActor,
		Changes: []organization.Change{{Field: "organization", Before: "null", After: `{"n":12345678901234567890}`}}}
	if err := w.store.Create(t.Context(), o, apikey.NewRecord(key, apikey.Admin, now, nil), e); err != nil {
		t.Fatal(err)
	}
	return o, key
}

// ask sends a request to the pages, before a handler that answers 418. Headers are given as name, value, name, value.
func (w *world) ask(t *testing.T, method, path string, headers ...string) *http.Response {
	t.Helper()
	pages, err := New(w.options)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	r.Host = "127.0.0.1:8080"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	out := httptest.NewRecorder()
	teapot := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	pages.Before(teapot).ServeHTTP(out, r)
	return out.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		method, path string
		want         int
		mediaType    string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"POST", "/", 405, "text/plain; charset=utf-8"},
		{"GET", "/docs", 200, "text/html; charset=utf-8"},
		{"GET", "/docs/", 308, "text/html; charset=utf-8"},
		{"GET", "/docs/x", 404, "text/plain; charset=utf-8"},
		{"GET", "/console", 200, "text/html; charset=utf-8"},
		{"HEAD", "/console", 200, "text/html; charset=utf-8"},
		{"PATCH", "/console", 405, "text/plain; charset=utf-8"},
		{"GET", "/console/", 308, "text/html; charset=utf-8"},
		{"GET", "/console/data", 404, "text/plain; charset=utf-8"},
		{"POST", "/console/data/audit", 405, "text/plain; charset=utf-8"},
		{"GET", "/openapi.yaml", 200, "application/yaml"},
		{"GET", "/openapi.json", 200, "application/json"},
		{"DELETE", "/openapi.json", 405, "text/plain; charset=utf-8"},
		{"GET", "/assets/site.css", 200, "text/css; charset=utf-8"},
		{"GET", "/assets/console.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/assets/favicon.svg", 200, "image/svg+xml"},
		{"GET", "/assets/go-mono.ttf", 200, "font/ttf"},
		{"GET", "/assets/welcome.html", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/console.html", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/layout.html", 404, "text/plain; charset=utf-8"},
		{"GET", "/console/sign-in", 405, "text/plain; charset=utf-8"},
		{"GET", "/assets/", 404, "text/plain; charset=utf-8"},
		{"GET", "/v1/organizations", 418, ""},
		{"GET", "/elsewhere", 418, ""},
		{"GET", "/docs.html", 418, ""},
	} {
		got := w.ask(t, test.method, test.path)
		if got.StatusCode != test.want || got.Header.Get("Content-Type") != test.mediaType {
			t.Errorf("%s %s = %d %s, want %d %s", test.method, test.path, got.StatusCode, got.Header.Get("Content-Type"), test.want, test.mediaType)
		}
		if body := text(t, got); test.method == "HEAD" && body != "" {
			// httptest keeps what net/http would drop; http.ServeContent writes none itself.
			t.Errorf("HEAD %s has a body of %d bytes, want none", test.path, len(body))
		}
		allow := "GET, HEAD"
		if test.path == "/console/sign-in" {
			allow = "POST"
		}
		if test.want == 405 && got.Header.Get("Allow") != allow {
			t.Errorf("%s %s allows %q, want %s", test.method, test.path, got.Header.Get("Allow"), allow)
		}
		if test.want != 418 {
			checkHeaders(t, test.path, got.Header)
		}
	}
}

// checkHeaders wants what every answer has: nothing from elsewhere, nothing written into the page, no guessing of types.
func checkHeaders(t *testing.T, path string, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s has %s: %s, want %s", path, name, got, want)
		}
	}
	csp := h.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("%s has the policy %q, want %s in it", path, csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") || !strings.Contains(csp, "require-trusted-types-for 'script'") {
		t.Errorf("%s has the policy %q, want trusted types and nothing unsafe", path, csp)
	}
	elsewhere := strings.Contains(strings.Replace(csp, "img-src 'self' https:;", "", 1), "http")
	if pictures := strings.Contains(csp, "img-src 'self' https:;"); elsewhere || pictures && path != "/console" {
		t.Errorf("%s has the policy %q, want nothing from elsewhere but pictures in the console", path, csp)
	}
	if h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%s may be read by other origins", path)
	}
}

func TestCaching(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/openapi.json", "/assets/site.css", "/assets/go-regular.ttf"} {
		first := w.ask(t, "GET", path)
		etag := first.Header.Get("ETag")
		if first.Header.Get("Cache-Control") != "no-cache" || etag == "" {
			t.Errorf("%s has %v, want it to be kept and asked about", path, first.Header)
		}
		if again := w.ask(t, "GET", path, "If-None-Match", etag); again.StatusCode != 304 || text(t, again) != "" {
			t.Errorf("%s again = %d, want 304 without a body", path, again.StatusCode)
		}
	}
	for _, path := range []string{"/", "/docs", "/console", "/console/data/account", "/nothing-of/", "/assets/nothing"} {
		if got := w.ask(t, "GET", path); got.StatusCode != 418 && got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s has Cache-Control %q, want no-store", path, got.Header.Get("Cache-Control"))
		}
	}
	const bundle = "/assets/go-regular.ttf"
	zipped := w.ask(t, "GET", bundle, "Accept-Encoding", "br, gzip")
	plain := w.ask(t, "GET", bundle)
	if zipped.Header.Get("Content-Encoding") != "gzip" || plain.Header.Get("Content-Encoding") != "" {
		t.Errorf("%s has the encodings %q and %q, want gzip where it is accepted and none elsewhere",
			bundle, zipped.Header.Get("Content-Encoding"), plain.Header.Get("Content-Encoding"))
	}
	small, large := len(text(t, zipped)), len(text(t, plain))
	if large != len(goregular.TTF) || small > large*3/4 {
		t.Errorf("%s has %d bytes in gzip and %d without, want %d without and clearly fewer in gzip", bundle, small, large, len(goregular.TTF))
	}
	if zipped.Header.Get("ETag") == plain.Header.Get("ETag") {
		t.Errorf("%s has the tag %s compressed and plain, want two tags", bundle, plain.Header.Get("ETag"))
	}
	for accepts, want := range map[string]string{
		"": "", "gzip": "gzip", "GZIP": "gzip", "x-gzip": "gzip", "br;q=1.0,\tgzip;q=0.001": "gzip", "*": "gzip", "br, *;q=0.1": "gzip", "gzip ; Q=1": "gzip",
		"gzip;q=0": "", "gzip;q=0.000, *": "", "*;q=0": "", "br": "", "gzipped": "", "identity": "", "gzip;q=x": "", ", ,": "",
	} {
		got := w.ask(t, "GET", bundle, "Accept-Encoding", accepts)
		if encoding := got.Header.Get("Content-Encoding"); encoding != want || got.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s with Accept-Encoding: %s has the encoding %q and Vary %q, want %q", bundle, accepts, encoding, got.Header.Get("Vary"), want)
		}
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for host, want := range map[string]int{
		"127.0.0.1:8080": 200, "127.0.0.1": 200, "127.8.9.1:80": 200, "localhost:8080": 200, "LOCALHOST": 200, "orgs.localhost:1": 200,
		"[::1]:8080": 200, "[::1]": 200,
		"evil.example": 421, "evil.example:8080": 421, "127.0.0.1.evil.example": 421, "localhost.evil.example": 421,
		"192.168.0.7:8080": 421, "[fe80::1]:8080": 421, "": 421, "notlocalhost": 421,
	} {
		for _, path := range []string{"/", "/console", "/console/data/audit", "/openapi.json", "/assets/site.css"} {
			got := w.ask(t, "GET", path, "Host", host, "Authorization", "Bearer "+w.admin.Reveal())
			if got.StatusCode != want {
				t.Errorf("GET %s of the host %q = %d, want %d", path, host, got.StatusCode, want)
			}
		}
	}
	w.options.Loopback = false
	if got := w.ask(t, "GET", "/", "Host", "gateway.example"); got.StatusCode != 200 {
		t.Errorf("GET / of an open address = %d, want 200", got.StatusCode)
	}
}

// TestPagesForBrowsers: a browser gets a page for an error, and for an address that nothing has. Clients get what they got.
func TestPagesForBrowsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const html = "text/html,application/xhtml+xml,*/*;q=0.8"
	for _, test := range []struct {
		method, path, host, accept string
		want                       int
		page                       bool
	}{
		{"GET", "/elsewhere", "127.0.0.1", html, 404, true},
		{"HEAD", "/elsewhere", "127.0.0.1", html, 404, true},
		{"GET", "/docs/x", "127.0.0.1", html, 404, true},
		{"GET", "/elsewhere", "evil.example", html, 421, true},
		{"POST", "/docs", "127.0.0.1", html, 405, true},
		{"GET", "/v1/organizations", "127.0.0.1", html, 418, false},
		{"GET", "/v1/elsewhere", "127.0.0.1", html, 418, false},
		{"POST", "/elsewhere", "127.0.0.1", html, 418, false},
		{"GET", "/elsewhere", "127.0.0.1", "*/*", 418, false},
		{"GET", "/docs/x", "127.0.0.1", "", 404, false},
	} {
		got := w.ask(t, test.method, test.path, "Host", test.host, "Accept", test.accept)
		body := text(t, got)
		if got.StatusCode != test.want || strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") != test.page {
			t.Errorf("%s %s of %s for %q = %d %s, want %d, a page: %t", test.method, test.path, test.host, test.accept,
				got.StatusCode, got.Header.Get("Content-Type"), test.want, test.page)
		}
		if test.page && (strings.Contains(body, "<h1>") != (test.method != "HEAD") || got.Header.Get("Vary") != "Accept") {
			t.Errorf("%s %s has Vary %q and the body\n%s", test.method, test.path, got.Header.Get("Vary"), body)
		}
		if test.page {
			checkHeaders(t, test.path, got.Header)
		}
	}
}

// TestSignIn exchanges the token of a link for a key, for this machine and the console's own page alone.
func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.options.SignIn = func(token string) (string, bool) { return "the key", token == "right" }
	pages, err := New(w.options)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		body, from, site, host string
		want                   int
	}{
		"the right token":         {`{"token": "right"}`, "127.0.0.1:50000", "same-origin", "127.0.0.1:8080", 200},
		"over IPv6":               {`{"token": "right"}`, "[::1]:50000", "same-origin", "localhost:8080", 200},
		"another token":           {`{"token": "wrong"}`, "127.0.0.1:50000", "same-origin", "127.0.0.1:8080", 403},
		"no token":                {`{}`, "127.0.0.1:50000", "same-origin", "127.0.0.1:8080", 400},
		"no JSON":                 {`token`, "127.0.0.1:50000", "same-origin", "127.0.0.1:8080", 400},
		"more than a token":       {`{"token": "` + strings.Repeat("x", 2000) + `"}`, "127.0.0.1:50000", "same-origin", "127.0.0.1:8080", 400},
		"another machine":         {`{"token": "right"}`, "192.168.0.7:50000", "same-origin", "127.0.0.1:8080", 403},
		"another site":            {`{"token": "right"}`, "127.0.0.1:50000", "cross-site", "127.0.0.1:8080", 403},
		"a name of another site":  {`{"token": "right"}`, "127.0.0.1:50000", "same-origin", "evil.example", 421},
		"an address without port": {`{"token": "right"}`, "127.0.0.1", "same-origin", "127.0.0.1:8080", 403},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/console/sign-in", strings.NewReader(test.body))
		r.Host, r.RemoteAddr = test.host, test.from
		r.Header.Set("Sec-Fetch-Site", test.site)
		out := httptest.NewRecorder()
		pages.Before(http.NotFoundHandler()).ServeHTTP(out, r)
		if out.Code != test.want || (out.Body.String() == `{"key":"the key"}`) != (test.want == 200) {
			t.Errorf("%s: %d %s, want %d", name, out.Code, out.Body, test.want)
		}
		if out.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q, want no-store", name, out.Header().Get("Cache-Control"))
		}
	}
	if strings.Contains(w.log.String(), "right") {
		t.Errorf("the log has the token:\n%s", &w.log)
	}
}

// TestOpenAddress wants nothing about organizations where other machines can ask.
func TestOpenAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.options.Loopback = false
	welcome := text(t, w.ask(t, "GET", "/", "Host", "10.0.0.1"))
	if strings.Contains(welcome, w.org.Name) || strings.Contains(welcome, string(w.org.ID)) || strings.Contains(welcome, `href="/console"`) {
		t.Errorf("the welcome page of an open address tells of the organization or the console:\n%s", welcome)
	}
	if !strings.Contains(welcome, "it has no TLS") {
		t.Error("the welcome page of an open address does not warn")
	}
	if got := w.ask(t, "GET", "/docs"); got.StatusCode != 200 {
		t.Errorf("GET /docs of an open address = %d, want 200", got.StatusCode)
	}
	for _, path := range []string{"/console", "/console/", "/console/data/audit", "/console/data/account"} {
		got := w.ask(t, "GET", path, "Authorization", "Bearer "+w.admin.Reveal())
		if got.StatusCode != 404 {
			t.Errorf("GET %s of an open address = %d, want 404", path, got.StatusCode)
		}
		if body := text(t, got); path == "/console" && !strings.Contains(body, "127.0.0.1:8080") {
			t.Errorf("GET %s says %q, want how to get a console", path, body)
		}
	}
}

func TestWelcome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.org.Name = `<script>alert("x")</script>`
	w.org.CurrentMonthUsage = 4200
	page := text(t, w.ask(t, "GET", "/"))
	for _, want := range []string{"&lt;script&gt;", string(w.org.ID), "4,200", "of 100,000", "YOUR_API_KEY", "http://127.0.0.1:8080/v1/organizations"} {
		if !strings.Contains(page, want) {
			t.Errorf("the welcome page lacks %q", want)
		}
	}
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "sk_") {
		t.Error("the welcome page has markup of a tenant, or a key")
	}
	w.options.State = func(context.Context) (State, error) { return State{Store: "dynamodb:prod", List: "orgs list"}, nil }
	if page := text(t, w.ask(t, "GET", "/")); !strings.Contains(page, "dynamodb:prod") || !strings.Contains(page, "orgs list") {
		t.Errorf("without an organization, the welcome page is\n%s\nwant the store and how to list it", page)
	}
	w.options.State = func(context.Context) (State, error) { return State{}, errors.New("the disk is on fire") }
	page = text(t, w.ask(t, "GET", "/"))
	if !strings.Contains(page, "cannot be read") || strings.Contains(page, "on fire") || !strings.Contains(w.log.String(), "on fire") {
		t.Errorf("without a store, the page is\n%s\nand the log\n%s\nwant the cause in the log alone", page, &w.log)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Options){
		"no state":    func(o *Options) { o.State = nil },
		"no service":  func(o *Options) { o.Service = nil },
		"no trail":    func(o *Options) { o.Trail = nil },
		"no logger":   func(o *Options) { o.Logger = nil },
		"no contract": func(o *Options) { o.Contract = nil },
		"bad YAML":    func(o *Options) { o.Contract = []byte("a: [") },
	} {
		o := newWorld(t).options
		spoil(&o)
		if _, err := New(o); err == nil {
			t.Errorf("New with %s = nil error, want one", name)
		}
	}
}

func decode[T any](t *testing.T, r *http.Response) T {
	t.Helper()
	var v T
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("decoding the answer: %v", err)
	}
	return v
}
