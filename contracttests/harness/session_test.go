package harness

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/judge"
)

// TestSecretsAreFound: a secret is found in every form, in headers and body, unless the caller sent it.
func TestSecretsAreFound(t *testing.T) {
	t.Parallel()
	const internal, key = "int_0123456789ABCDEFGHIJK", "sk_live_0123456789ABC_abcdefghijklmnopqrstuvwxyz012345678901"
	tenant := Tenant{Keys: map[KeyKind]string{KeyRead: key}, Secrets: []string{internal, strings.Repeat("0a1b", 16)}}
	hash := strings.Repeat("\x0a\x1b", 16)
	for name, test := range map[string]struct {
		sent, body, header string
		found              bool
	}{
		"nothing":        {body: `{"organization_id":"org_1"}`},
		"as it is":       {body: `{"x":"` + internal + `"}`, found: true},
		"in capitals":    {body: strings.ToUpper(internal), found: true},
		"without prefix": {body: internal[4:], found: true},
		"in Base64":      {body: base64.StdEncoding.EncodeToString([]byte(internal)), found: true},
		"escaped":        {body: `{"x":"\u0069nt_0123456789\u0041BCDEFGHIJK"}`, found: true},
		"escaped name":   {body: `[{"int_0123456789ABCDEFGHIJ\u004b":1}]`, found: true},
		"in a header":    {header: "x " + internal, found: true},
		"hash":           {body: strings.Repeat("0a1b", 16), found: true},
		"hash in Base64": {body: base64.StdEncoding.EncodeToString([]byte(hash)), found: true},
		"key":            {body: key, found: true},
		"end of key":     {body: key[22:], found: true},
		"cause":          {body: "oops: " + FaultText, found: true},
		"sent by caller": {sent: `{"metadata":{"a":"` + internal + `"}}`, body: `{"metadata":{"a":"` + internal +
			`"}}`},
		"public part":     {body: "org_0123456789ABC"},
		"sent other than": {sent: `{}`, body: key, found: true},
	} {
		s := newSession(t.Context(), nil, "secrets")
		s.guard(tenant)
		s.scan(judge.Exchange{Request: judge.Request{Method: "PATCH", Body: []byte(test.sent)},
			Response: judge.Response{Status: 200, Header: http.Header{"X": {test.header}}, Body: []byte(test.body)}})
		if s.Failed() != test.found {
			t.Errorf("%s: found = %v, want %v", name, s.Failed(), test.found)
		}
		for _, f := range s.failures {
			if text := f.String(); strings.Contains(text, internal) && !strings.Contains(test.sent, internal) ||
				strings.Contains(text, key) {
				t.Errorf("%s: the failure tells the secret: %s", name, text)
			}
		}
	}
}

// TestCurl lets a shell split the command. The words must be those of the request.
func TestCurl(t *testing.T) {
	t.Parallel()
	auth := func(value string) http.Header { return http.Header{"Authorization": {value}} }
	for _, test := range []struct {
		request judge.Request
		want    []string
	}{
		{judge.Request{Method: "GET", URL: "/v1/organizations"}, []string{"-X", "GET", "http://x/v1/organizations"}},
		{judge.Request{Method: "GET", URL: "/v1/a?b=%zz&c=$d'e"}, []string{"-X", "GET", "http://x/v1/a?b=%zz&c=$d'e"}},
		{judge.Request{Method: "GET", URL: "https://y/$URL"}, []string{"-X", "GET", "https://y/$URL"}},
		{judge.Request{Method: "GET", URL: "/a", Header: auth("Bearer sk_live_x")},
			[]string{"-X", "GET", "http://x/a", "-H", "Authorization: Bearer k"}},
		{judge.Request{Method: "GET", URL: "/a", Header: auth("Basic sk_live_x")},
			[]string{"-X", "GET", "http://x/a", "-H", "Authorization: Basic k"}},
		{judge.Request{Method: "GET", URL: "/a", Header: auth("sk_live_x")},
			[]string{"-X", "GET", "http://x/a", "-H", "Authorization: k"}},
		{judge.Request{Method: "GET", URL: "/a", Header: auth("")},
			[]string{"-X", "GET", "http://x/a", "-H", "Authorization;"}},
		{
			judge.Request{Method: "PATCH", URL: "/a", Header: http.Header{"If-Match": {`"it's"`}},
				Body: []byte("{\"a\":\n\"$b'\"}")},
			[]string{"-X", "PATCH", "http://x/a", "-H", `If-Match: "it's"`, "--data-binary", "{\"a\":\n\"$b'\"}"},
		},
		{judge.Request{Method: "PATCH", URL: "/a", Body: []byte("\xff")},
			[]string{"-X", "PATCH", "http://x/a", "--data-binary", "@BODY"}},
	} {
		line, ok := strings.CutPrefix(judge.Curl(test.request), "curl -i ")
		if !ok {
			t.Errorf("Curl(%+v) = %s", test.request, line)
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", `URL=http://x KEY=k; printf '%s\0' `+line).Output()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")); diff != "" {
			t.Errorf("words of %s (-want +got):\n%s", line, diff)
		}
	}
}

// TestHonourRetryAfter: a request that was answered with 429 is repeated after the wait, a few times at most. Other
// answers are returned at once.
func TestHonourRetryAfter(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		statuses []int
		wait     string
		want     int
		tries    int
	}{
		{[]int{200}, "0", 200, 1},
		{[]int{429, 200}, "0", 200, 2},
		{[]int{429, 429, 429, 200}, "0", 429, 3},
		{[]int{429, 200}, "soon", 429, 1},
		{[]int{503, 200}, "0", 503, 1},
	} {
		tries := 0
		target := HonourRetryAfter(TargetFunc(func(context.Context, judge.Request) (judge.Response, error) {
			tries++
			return judge.Response{Status: test.statuses[tries-1], Header: http.Header{"retry-after": {test.wait}}}, nil
		}))
		if got, err := target.Send(t.Context(), judge.Request{}); got.Status != test.want || tries != test.tries ||
			err != nil {
			t.Errorf("after %v with Retry-After %s: %d in %d tries, %v, want %d in %d",
				test.statuses, test.wait, got.Status, tries, err, test.want, test.tries)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	_, err := HonourRetryAfter(TargetFunc(func(context.Context, judge.Request) (judge.Response, error) {
		cancel(enough)
		return judge.Response{Status: 429, Header: http.Header{"Retry-After": {"60"}}}, nil
	})).Send(ctx, judge.Request{})
	if !errors.Is(err, enough) {
		t.Errorf("waiting when told to stop = %v, want %v", err, enough)
	}
}

func TestURLTarget(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "localhost:8080", "ftp://x", "http://", "http://x?a=b", "http://x#a", "%"} {
		if _, err := URLTarget(bad); err == nil {
			t.Errorf("URLTarget(%q) = no error", bad)
		}
	}
}
