package attacks

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"organizations-api/contracttests/bodies"
	"organizations-api/contracttests/harness"
)

// eventMaker makes events that are wrong in every way. The same seed and number make the same event.
type eventMaker struct {
	random *rand.Rand
	world  *fuzzWorld
	bodies *bodies.Generator
	seed   uint64
	number int
}

// event returns an event and the method of the function that gets it. Half of the events are sound except for the body,
// a third have strange parts, the others are strange as JSON.
func (m *eventMaker) event() (method string, event []byte) {
	switch m.random.IntN(6) {
	case 0, 1, 2:
		return m.encode(m.withBody(m.sound(http.MethodPatch), m.body()))
	case 3, 4:
		return m.encode(m.strange(m.sound(m.pick("GET", "PATCH"))))
	default:
		method, text := m.encode(m.withBody(m.sound(m.pick("GET", "PATCH")), m.body()))
		if m.chance(2) {
			return method, m.mutated(text)
		}
		return method, m.confused(text)
	}
}

func (m *eventMaker) encode(e events.APIGatewayV2HTTPRequest) (string, []byte) {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings always encode
	}
	method := e.RequestContext.HTTP.Method
	if m.world.functions[method] == nil || m.chance(50) {
		method = m.pick("GET", "PATCH") // as no gateway would send it
	}
	return method, text
}

func (m *eventMaker) chance(n int) bool { return m.random.IntN(n) == 0 }

func (m *eventMaker) pick(of ...string) string { return of[m.random.IntN(len(of))] }

// sound returns an event as the gateway makes it, with an admin key.
func (m *eventMaker) sound(method string) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: method + " " + harness.Path, RawPath: harness.Path,
		Headers: map[string]string{"authorization": "Bearer " + m.world.keys[1], "host": "api.example", "accept": "*/*"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: method + " " + harness.Path, Stage: "$default", RequestID: "JKJaXmPLvHcESHA=", DomainName: "api.example",
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: method, Path: harness.Path, Protocol: "HTTP/1.1", SourceIP: "192.0.2.7", UserAgent: "curl/8.5.0",
			},
		},
	}
	if method == http.MethodPatch {
		e.Headers["content-type"] = "application/json"
	}
	return e
}

func (m *eventMaker) withBody(e events.APIGatewayV2HTTPRequest, body []byte) events.APIGatewayV2HTTPRequest {
	e.Body = string(body)
	if m.chance(3) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return e
}

// body returns a body from the document's generator, which in half of the cases is changed somewhere.
func (m *eventMaker) body() []byte {
	body := m.bodies.Combination(m.seed, m.number).Body
	if m.chance(2) {
		return m.mutated(body)
	}
	return body
}

// strange changes one to four parts of an event.
func (m *eventMaker) strange(e events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPRequest {
	if e.RequestContext.HTTP.Method == http.MethodPatch {
		e = m.withBody(e, m.body())
	}
	for range 1 + m.random.IntN(4) {
		m.part(&e)
	}
	return e
}

func (m *eventMaker) part(e *events.APIGatewayV2HTTPRequest) {
	about := &e.RequestContext
	switch m.random.IntN(14) {
	case 0:
		about.HTTP.Method = m.pick("", "get", "PATCH ", "HEAD", "POST", "OPTIONS", "CONNECT", m.text())
	case 1:
		e.RawPath = m.pick("", "/", "/v1/organizations/", "//v1//organizations", "/prod/v1/organizations", "/v1/organizations/..",
			"/V1/Organizations", "/v1/organizations%00", "/x"+m.text()+"/v1/organizations", m.text())
	case 2:
		about.Stage = m.pick("", "prod", "v1", "/", "$default/", m.text())
	case 3:
		e.RawQueryString = m.pick("a=1", "%", "%zz", "a=%ff&a", ";", "+%2B", "?"+m.text(), m.text())
	case 4, 5:
		e.Headers[m.pick("authorization", "Authorization", "AUTHORIZATION")] = m.authorization()
	case 6, 7:
		e.Headers[m.pick("if-match", "if-none-match", "If-Match", "If-None-Match")] = m.condition()
	case 8:
		e.Headers["content-type"] = m.pick("", "application/json; charset=utf-8", "application/json;charset=latin1", "APPLICATION/JSON",
			"application/json, text/plain", "text/plain", "application/json;", "application/merge-patch+json", m.text())
	case 9:
		e.Headers[m.pick("content-encoding", "transfer-encoding", "content-length", "expect", "host")] = m.pick("gzip", "identity", "-1", "chunked", m.text())
	case 10:
		e.Headers[m.text()] = m.text()
	case 11:
		about.RequestID = m.pick("", " ", "a\r\nX-Evil: 1", strings.Repeat("r", 200), m.text())
		e.Headers["x-request-id"] = m.text()
	case 12:
		e.Body, e.IsBase64Encoded = m.pick("", "%%%", "e30", "e30=", m.text()), !e.IsBase64Encoded
	default:
		about.HTTP.SourceIP, about.DomainName, e.Version, e.Cookies = m.text(), m.text(), m.pick("1.0", "", m.text()), []string{m.text(), m.text()}
	}
}

func (m *eventMaker) authorization() string {
	key := m.world.keys[m.random.IntN(len(m.world.keys))]
	switch m.random.IntN(8) {
	case 0:
		return m.pick("", " ", "Bearer", "Bearer ", "Basic YTpi", "Bearer "+key+", Bearer "+key, key, m.text())
	case 1:
		return "Bearer " + string(m.mutated([]byte(key)))
	case 2:
		return m.pick("bearer ", "BEARER  ", "Bearer\t", "Bearer\u00a0") + key + m.pick("", " ", "\n", "\x00")
	default:
		return "Bearer " + key
	}
}

func (m *eventMaker) condition() string {
	return m.pick("*", `"a"`, `W/"a"`, `"a", W/"b,c"`, "", `"`, `""`, "a", `"a" "b"`, `"a",`, `*, "a"`, strings.Repeat(`"a",`, 1200)+`"a"`,
		strings.Repeat("x", 5000), `"`+m.text()+`"`, m.text())
}

// text returns a short text of any characters, and at times a long one.
func (m *eventMaker) text() string {
	alphabets := []string{
		"abcdefghijklmnopqrstuvwxyz0123456789-_", " \t\r\n\x00\x1b\x7f\"\\'<>&%;,=:", "éß中文😀\u202e\u0000\ufffe\U0010ffff", "\xff\xc0\x80\xed\xa0\x80",
	}
	length := m.random.IntN(12)
	if m.chance(60) {
		length = m.random.IntN(9000)
	}
	alphabet := alphabets[m.random.IntN(len(alphabets))]
	var out strings.Builder
	for range length {
		at := m.random.IntN(len(alphabet))
		out.WriteByte(alphabet[at])
	}
	return out.String()
}

// mutated returns the text with one to five changes of bytes.
func (m *eventMaker) mutated(text []byte) []byte {
	out := slices.Clone(text)
	for range 1 + m.random.IntN(5) {
		if len(out) == 0 {
			return []byte(m.text())
		}
		from := m.random.IntN(len(out))
		to := min(len(out), from+1+m.random.IntN(8))
		switch m.random.IntN(7) {
		case 0:
			out[from] ^= 1 << m.random.IntN(8)
		case 1:
			out = slices.Delete(out, from, to)
		case 2:
			out = slices.Insert(out, from, slices.Clone(out[from:to])...)
		case 3:
			out = slices.Insert(out, from, []byte(m.text())...)
		case 4:
			out = out[:from]
		case 5:
			out = slices.Insert(out, from, []byte(m.pick(`"`, `\`, "{", "}", "[", "]", ",", ":", "null", "1e400", "-", "\x00", `\ud800`, strings.Repeat("[", 200)))...)
		default:
			out[from] = byte(m.random.IntN(256))
		}
	}
	return out
}

// confused returns a JSON object in which one value somewhere has another type.
func (m *eventMaker) confused(text []byte) []byte {
	var event map[string]any
	if err := json.Unmarshal(text, &event); err != nil {
		panic(fmt.Errorf("reading an event of our own: %w", err))
	}
	values := []any{nil, true, 1.5, "", "text", []any{}, []any{"a", 1}, map[string]any{}, map[string]any{"a": map[string]any{}}}
	for object := event; ; {
		names := slices.Sorted(maps.Keys(object))
		if len(names) == 0 {
			break
		}
		name := names[m.random.IntN(len(names))]
		if inner, ok := object[name].(map[string]any); ok && m.chance(2) {
			object = inner
			continue
		}
		object[name] = values[m.random.IntN(len(values))]
		break
	}
	out, err := json.Marshal(event)
	if err != nil {
		panic(err) // it was JSON before
	}
	return out
}
