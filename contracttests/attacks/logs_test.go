package attacks

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// forged is a word that only an attacker can bring into a line of the log.
const forged = "forged7c1e"

// injections try to end a line, to move the cursor, to hide, or to make the rest of the line unreadable.
func injections() map[string]string {
	return map[string]string{
		"line feed":          "a\n{\"level\":\"INFO\",\"msg\":\"" + forged + "\"}\n",
		"carriage return":    "a\r{\"level\":\"INFO\",\"msg\":\"" + forged + "\"}\r",
		"both":               "a\r\n\r\n{\"msg\":\"" + forged + "\"}",
		"end of the string":  `a","msg":"` + forged + `","x":"`,
		"terminal":           "\x1b[2J\x1b]0;" + forged + "\x07\x1b[31m",
		"NUL":                "a\x00" + forged,
		"C1 controls":        "\u0085\u009b31m" + forged,
		"Unicode lines":      "\u2028\u2029" + forged,
		"right to left":      "\u202e" + forged,
		"not UTF-8":          "\xff\xfe" + forged,
		"very long":          strings.Repeat(forged, 100_000),
		"format":             "%s%n${jndi:ldap://" + forged + "}{{" + forged + "}}",
		"metric":             `{"_aws":{"CloudWatchMetrics":[{"Namespace":"` + forged + `"}]}}`,
		"surrogates in JSON": `\ud800` + forged,
	}
}

// entrances are the fields of an event that a caller fills.
func entrances() map[string]func(e *event, text string) {
	header := func(name string) func(*event, string) {
		return func(e *event, text string) { e.Headers[name] = text }
	}
	return map[string]func(e *event, text string){
		"user agent":         func(e *event, text string) { e.Headers["user-agent"], e.RequestContext.HTTP.UserAgent = text, text },
		"X-Request-Id":       header("x-request-id"),
		"trace":              header("x-amzn-trace-id"),
		"forwarded for":      header("x-forwarded-for"),
		"referrer":           header("referer"),
		"key":                header("authorization"),
		"key after Bearer":   func(e *event, text string) { e.Headers["authorization"] = "Bearer " + text },
		"condition":          header("if-match"),
		"name of a header":   func(e *event, text string) { e.Headers[text] = "1" },
		"path":               func(e *event, text string) { e.RawPath = "/" + text },
		"path with a prefix": func(e *event, text string) { e.RawPath = "/" + text + "/v1/organizations" },
		"query":              func(e *event, text string) { e.RawQueryString = text },
		"cookie":             func(e *event, text string) { e.Cookies = []string{text} },
		"method":             func(e *event, text string) { e.RequestContext.HTTP.Method = text },
		"protocol":           func(e *event, text string) { e.RequestContext.HTTP.Protocol = text },
		"address":            func(e *event, text string) { e.RequestContext.HTTP.SourceIP = text },
		"domain":             func(e *event, text string) { e.RequestContext.DomainName = text },
		"media type":         header("content-type"),
		"body":               func(e *event, text string) { e.Body = text },
		"member":             func(e *event, text string) { e.Body = jsonObject("organization_name", text) },
		"name of a member":   func(e *event, text string) { e.Body = jsonObject(text, "1") },
		"limit":              func(e *event, text string) { e.Body = `{"rate_limits":` + jsonObject(text, "1") + `}` },
	}
}

func jsonObject(name, value string) string {
	text, err := json.Marshal(map[string]string{name: value})
	if err != nil {
		panic(err) // strings always encode
	}
	return string(text)
}

// TestLogInjection: a request leaves one line of JSON in the log. The line contains no text of the caller, from any
// part of the request.
func TestLogInjection(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	made := w.tenant(t)
	texts, fields := injections(), entrances()
	for _, where := range slices.Sorted(maps.Keys(fields)) {
		for _, what := range slices.Sorted(maps.Keys(texts)) {
			for _, method := range []string{"GET", "PATCH"} {
				e := newEvent(method, made.admin.Reveal())
				fields[where](&e, texts[what])
				r := w.send(t, method, e)
				checkLine(t, method+" with "+what+" in the "+where, w.logs.Take(), r)
			}
		}
	}
}

func checkLine(t *testing.T, what, log string, r response) {
	t.Helper()
	const longest = 1000
	line, rest, _ := strings.Cut(log, "\n")
	if rest != "" || len(line) > longest {
		t.Errorf("%s: the log has %d lines in %d bytes, want one of at most %d bytes: %.2000s", what, strings.Count(log, "\n"), len(log), longest, log)
		return
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(line), &members); err != nil || members["msg"] != "request" || int(members["status"].(float64)) != r.StatusCode {
		t.Errorf("%s: the line is %s (%v), want the request's, with the status %d", what, line, err, r.StatusCode)
	}
	if strings.Contains(log, forged) || strings.ContainsFunc(line, func(c rune) bool { return c < ' ' || c > '~' }) {
		t.Errorf("%s: the line has what the caller sent: %s", what, line)
	}
	if id := r.Headers["X-Request-Id"]; id == "" || len(id) > 128 || strings.Contains(id, forged) || r.StatusCode >= 500 {
		t.Errorf("%s: %d with the request id %q, want one that a caller cannot choose, and no fault", what, r.StatusCode, id)
	}
}

// TestLinesOfLambdaItself: fields of the event that only the gateway sets are escaped or left out of the log, too.
func TestLinesOfLambdaItself(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	made := w.tenant(t)
	for what, text := range injections() {
		if what == "very long" {
			continue // who may invoke the function may fill its log
		}
		e := newEvent("GET", made.read.Reveal())
		e.Version, e.RequestContext.RequestID = text, text
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "invocation-1"})
		if _, err := w.functions["GET"].Handle(ctx, e); err != nil {
			t.Fatal(err)
		}
		log := w.logs.Take()
		for line := range strings.Lines(log) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: line %q is no JSON", what, line)
			}
		}
		if n := strings.Count(log, "\n"); n != 2 || strings.ContainsFunc(strings.ReplaceAll(log, "\n", ""), func(c rune) bool { return c < ' ' }) {
			t.Errorf("%s: %d lines, want a warning and the request's, without control characters: %q", what, n, log)
		}
	}
}
