package linearizability

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
)

// gateway is one of the ways to the service.
type gateway struct {
	name string
	// send returns the answer, or an error where there was none.
	send func(ctx context.Context, method, key string, header http.Header, body []byte) (response, error)
}

type response struct {
	status int
	header http.Header
	body   []byte
}

const path = "/v1/organizations"

func newRequest(ctx context.Context, method, url, key string, header http.Header, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = header.Clone()
	request.Header.Set("Authorization", "Bearer "+key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// inProcess is a gateway in this process.
func inProcess(name string, handler http.Handler) gateway {
	return gateway{name, func(ctx context.Context, method, key string, header http.Header, body []byte) (response, error) {
		request, err := newRequest(ctx, method, path, key, header, body)
		if err != nil {
			return response{}, err
		}
		out := httptest.NewRecorder()
		handler.ServeHTTP(out, request)
		return response{out.Code, out.Header(), out.Body.Bytes()}, nil
	}}
}

// overNetwork is a gateway of another process.
func overNetwork(name, url string, client *http.Client) gateway {
	return gateway{name, func(ctx context.Context, method, key string, header http.Header, body []byte) (response, error) {
		request, err := newRequest(ctx, method, url+path, key, header, body)
		if err != nil {
			return response{}, err
		}
		answer, err := client.Do(request)
		if err != nil {
			return response{}, err
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		return response{answer.StatusCode, answer.Header, text}, err
	}}
}

// client is one who reads and changes an organization, one request after the other.
type client struct {
	number   int
	key      string
	gateways []gateway
	history  *history
	random   *rand.Rand

	seen    state  // what it saw last
	seenTag string // "" as long as it saw nothing
	older   string // a tag from before that
	before  state
	made    int // changes asked for
}

// request makes one request and notes it. The error says that an answer makes no sense.
func (c *client) request(ctx context.Context) error {
	a, header := c.choose()
	method, body := http.MethodGet, []byte(nil)
	if a.writes() {
		method, body = http.MethodPatch, c.body(a.change)
	}
	by := c.gateways[c.random.IntN(len(c.gateways))]
	call := c.history.now()
	got, err := by.send(ctx, method, c.key, header, body)
	answer, tag, wrong := c.understand(a, got, err)
	if wrong != nil {
		return fmt.Errorf("%s %s through %s: %w", method, body, by.name, wrong)
	}
	c.history.add(c.number, call, a, answer, tag)
	return nil
}

// choose returns what to ask for next: reads and changes of one field or both, often under a condition, at times under
// one that is out of date.
func (c *client) choose() (asked, http.Header) {
	var a asked
	header := http.Header{}
	if c.random.IntN(10) < 6 {
		c.made++
		value := fmt.Sprintf("%d-%d", c.number, c.made)
		which := c.random.IntN(3)
		if which != 0 {
			a.change.name = "name " + value
		}
		if which != 1 {
			a.change.email = "email-" + value + "@example.com"
		}
	}
	tag, of := c.seenTag, c.seen
	if c.random.IntN(4) == 0 {
		tag, of = c.older, c.before
	}
	if tag == "" {
		return a, header
	}
	switch c.random.IntN(5) {
	case 0, 1:
		a.ifMatch = &of
		header.Set("If-Match", tag)
	case 2:
		a.ifNoneMatch = &of
		header.Set("If-None-Match", `W/`+tag+`, "none"`)
	}
	return a, header
}

func (c *client) body(change state) []byte {
	fields := map[string]string{}
	if change.name != "" {
		fields["organization_name"] = change.name
	}
	if change.email != "" {
		fields["billing_email"] = change.email
	}
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err) // texts always encode
	}
	return text
}

// understand takes an answer by its word: what does not say that it is in doubt is not.
func (c *client) understand(a asked, got response, err error) (told, string, error) {
	text := string(got.body)
	switch {
	case err != nil: // no answer at all
		return inDoubt(a), "", nil
	case got.status == http.StatusOK:
		s, err := c.see(got)
		return told{shown, &s}, "", err
	case got.status == http.StatusNotModified && !a.writes():
		return told{verdict: unchanged}, "", nil
	case got.status == http.StatusPreconditionFailed:
		return told{verdict: mismatched}, got.header.Get("ETag"), nil
	case got.status < 500:
		return told{}, "", fmt.Errorf("the answer is %d %s", got.status, text)
	case strings.Contains(text, "may have taken effect") || !strings.Contains(text, `"success":false`):
		return inDoubt(a), "", nil // the service's own words, or a gateway's in its place
	case got.status == http.StatusServiceUnavailable && got.header.Get("Retry-After") == "":
		return told{}, "", fmt.Errorf("a 503 has no Retry-After: %s", text)
	default:
		return told{verdict: denied}, "", nil
	}
}

// inDoubt is the answer that tells nothing. A read that tells nothing is as good as none.
func inDoubt(a asked) told {
	if a.writes() {
		return told{verdict: doubtful}
	}
	return told{verdict: denied}
}

// see reads the state that an answer shows.
func (c *client) see(got response) (state, error) {
	var body struct {
		Name  string  `json:"organization_name"`
		Email *string `json:"billing_email"`
	}
	if err := json.Unmarshal(got.body, &body); err != nil {
		return state{}, fmt.Errorf("the answer is %q: %w", got.body, err)
	}
	s := state{name: body.Name}
	if body.Email != nil {
		s.email = *body.Email
	}
	tag := got.header.Get("ETag")
	c.history.learn(tag, s)
	if tag != c.seenTag {
		c.older, c.before = c.seenTag, c.seen
		c.seenTag, c.seen = tag, s
	}
	return s, nil
}
