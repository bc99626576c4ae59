package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestContentTypes: the service understands JSON in UTF-8 under every content type that RFC 9110 allows for it.
func TestContentTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	handler := w.handler(t, http.MethodPatch)
	const ok, refused = http.StatusOK, http.StatusBadRequest
	for _, test := range []struct {
		contentType string
		want        int
	}{
		{`application/json`, ok},
		{`APPLICATION/Json`, ok},
		{`application/json;charset=utf-8`, ok},
		{`application/json; charset=UTF-8`, ok},
		{`application/json; CharSet=UTF8`, ok},
		{`application/json; charset=utf8`, ok},
		{`application/json; charset=unicode-1-1-utf-8`, ok},
		{`application/json; charset=Unicode11UTF8`, ok},
		{`application/json; charset=unicode20utf8`, ok},
		{`application/json; charset=x-unicode20utf8`, ok},
		{`application/json; charset="utf-8"`, ok},
		{`application/json; charset="UTF8"`, ok},
		{"application/json; charset=\" utf-8\t\"", ok},
		{`application/json; charset="\u\t\f-8"`, ok},
		{"application/json \t;\t charset=utf-8 ", ok},
		{`application/json;`, ok},
		{`application/json; ;; charset=utf-8;`, ok},
		{`application/json; profile="a;b\"c"; charset=utf-8`, ok},
		{`application/json; odata=verbose`, ok},
		{`application/json; charset=utf-8; charset=UTF8`, ok},

		{``, refused},
		{`json`, refused},
		{`application`, refused},
		{`application/`, refused},
		{`/json`, refused},
		{`application/json/x`, refused},
		{`application/jsonx`, refused},
		{`text/json`, refused},
		{`application/json, application/json`, refused},
		{`application/json charset=utf-8`, refused},
		{`application/json; charset`, refused},
		{`application/json; charset=`, refused},
		{`application/json; charset=""`, refused},
		{`application/json; charset= utf-8`, refused},
		{`application/json; charset =utf-8`, refused},
		{`application/json; charset="utf-8`, refused},
		{`application/json; charset="utf-8\`, refused},
		{`application/json; charset="utf-8"x`, refused},
		{`application/json; charset=latin1`, refused},
		{`application/json; charset=utf-16`, refused},
		{`application/json; charset=utf-8; charset=latin1`, refused},
		{`application/json; =utf-8`, refused},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPatch, "/v1/organizations", strings.NewReader(`{}`))
		r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
		r.Header.Set("Content-Type", test.contentType)
		out := httptest.NewRecorder()
		handler.ServeHTTP(out, r)
		if out.Code != test.want || test.want == refused && !strings.Contains(out.Body.String(), `"media_type_unsupported"`) {
			t.Errorf("PATCH with Content-Type: %s = %d %s, want %d", test.contentType, out.Code, out.Body, test.want)
		}
	}
}

// TestContentEncodings: all lines and all elements of the list count.
func TestContentEncodings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	handler := w.handler(t, http.MethodPatch)
	for _, test := range []struct {
		lines []string
		want  int
	}{
		{nil, http.StatusOK},
		{[]string{""}, http.StatusOK},
		{[]string{"identity"}, http.StatusOK},
		{[]string{"Identity,\t, identity ,"}, http.StatusOK},
		{[]string{"identity", "identity"}, http.StatusOK},
		{[]string{"gzip"}, http.StatusBadRequest},
		{[]string{"identity, gzip"}, http.StatusBadRequest},
		{[]string{"identity", "gzip"}, http.StatusBadRequest},
		{[]string{"", "br"}, http.StatusBadRequest},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPatch, "/v1/organizations", strings.NewReader(`{}`))
		r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
		r.Header.Set("Content-Type", "application/json")
		r.Header["Content-Encoding"] = test.lines
		out := httptest.NewRecorder()
		handler.ServeHTTP(out, r)
		if out.Code != test.want {
			t.Errorf("PATCH with Content-Encoding: %q = %d %s, want %d", test.lines, out.Code, out.Body, test.want)
		}
	}
}

// TestConditionsInSeveralLines: header lines of one name are one list (RFC 9110, section 5.3).
func TestConditionsInSeveralLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	etag := w.get(t).Header().Get("ETag")
	for _, test := range []struct {
		header string
		lines  []string
		want   int
	}{
		{"If-Match", []string{`"x"`, etag}, http.StatusOK},
		{"If-Match", []string{"", etag}, http.StatusOK},
		{"If-Match", []string{`"x"`, "\"y\"\t,"}, http.StatusPreconditionFailed},
		{"If-Match", []string{""}, http.StatusPreconditionFailed},
		{"If-Match", []string{"*"}, http.StatusOK},
		{"If-Match", []string{"*", etag}, http.StatusUnprocessableEntity},
		{"If-Match", []string{"*", "*"}, http.StatusUnprocessableEntity},
		{"If-Match", []string{"W/" + etag}, http.StatusPreconditionFailed},
		{"If-None-Match", []string{`"x"`, etag}, http.StatusNotModified},
		{"If-None-Match", []string{"\"\xe9\"", "W/" + etag}, http.StatusNotModified},
		{"If-None-Match", []string{""}, http.StatusOK},
		{"If-None-Match", []string{"*", `"x"`}, http.StatusUnprocessableEntity},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/organizations", nil)
		r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
		r.Header[test.header] = test.lines
		out := httptest.NewRecorder()
		w.handler(t, http.MethodGet).ServeHTTP(out, r)
		if out.Code != test.want {
			t.Errorf("GET with %s: %q = %d %s, want %d", test.header, test.lines, out.Code, out.Body, test.want)
		}
	}
}

// TestByteOrderMarks: the answer names the byte order mark that an editor or a shell puts before the JSON.
func TestByteOrderMarks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	for body, want := range map[string]string{
		"\ufeff{}":                   "begins with a byte order mark",
		"\ufeff":                     "begins with a byte order mark",
		"\xff\xfe{\x00}\x00":         "is in UTF-16, not in UTF-8",
		"\xfe\xff\x00{\x00}":         "is in UTF-16, not in UTF-8",
		"\xff\xfe\x00\x00{\x00\x00":  "is in UTF-32, not in UTF-8",
		"\x00\x00\xfe\xff\x00\x00{}": "is in UTF-32, not in UTF-8",
	} {
		r := w.patch(t, body)
		if got := text(t, r); r.Code != http.StatusBadRequest || !strings.Contains(got, want) || !strings.Contains(got, "body_malformed") {
			t.Errorf("PATCH %q = %d %s, want 400 and that the text %s", body, r.Code, got, want)
		}
	}
}
