package linearizability

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// client reads and changes an organization, one request after the other.
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

// request makes one request and records it. It returns an error if the answer makes no sense.
func (c *client) request(ctx context.Context) error {
	a, headers := c.choose()
	method, body := http.MethodGet, []byte(nil)
	if a.writes() {
		method, body = http.MethodPatch, c.body(a.change)
	}
	by := c.gateways[c.random.IntN(len(c.gateways))]
	call := c.history.now()
	got, err := by.Send(ctx, harness.NewRequest(method, c.key, body, headers...))
	if err != nil && by.inProcess {
		return fmt.Errorf("%s %s through %s: %w", method, body, by.name, err)
	}
	answer, tag, wrong := c.understand(a, got, err)
	if wrong != nil {
		return fmt.Errorf("%s %s through %s: %w", method, body, by.name, wrong)
	}
	c.history.add(c.number, call, a, answer, tag)
	return nil
}

// choose returns what to ask for next and the headers for it: a read, or a change of one field or both. Many requests
// have a condition, which may be out of date.
func (c *client) choose() (a asked, headers []string) {
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
		return a, nil
	}
	switch c.random.IntN(5) {
	case 0, 1:
		a.ifMatch = &of
		headers = []string{"If-Match", tag}
	case 2:
		a.ifNoneMatch = &of
		headers = []string{"If-None-Match", `W/` + tag + `, "none"`}
	}
	return a, headers
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

// understand returns what an answer says, and its ETag. A change counts as in doubt only if the answer says so.
func (c *client) understand(a asked, got judge.Response, err error) (told, string, error) {
	text := string(got.Body)
	switch {
	case err != nil: // no answer at all
		return inDoubt(a), "", nil
	case got.Status == http.StatusOK:
		s, err := c.see(got)
		return told{shown, &s}, "", err
	case got.Status == http.StatusNotModified && !a.writes():
		return told{verdict: unchanged}, "", nil
	case got.Status == http.StatusPreconditionFailed:
		return told{verdict: mismatched}, got.Header.Get("ETag"), nil
	case got.Status < 500:
		return told{}, "", fmt.Errorf("the answer is %d %s", got.Status, text)
	case strings.Contains(text, "may have taken effect") || !strings.Contains(text, `"success":false`):
		return inDoubt(a), "", nil // the service's own words, or a gateway's in its place
	case got.Status == http.StatusServiceUnavailable && got.Header.Get("Retry-After") == "":
		return told{}, "", fmt.Errorf("a 503 has no Retry-After: %s", text)
	default:
		return told{verdict: denied}, "", nil
	}
}

// inDoubt is what an answer that says nothing tells. A read that says nothing is ignored.
func inDoubt(a asked) told {
	if a.writes() {
		return told{verdict: doubtful}
	}
	return told{verdict: denied}
}

// see reads the state that an answer shows.
func (c *client) see(got judge.Response) (state, error) {
	var body struct {
		Name  string  `json:"organization_name"`
		Email *string `json:"billing_email"`
	}
	if err := json.Unmarshal(got.Body, &body); err != nil {
		return state{}, fmt.Errorf("the answer is %q: %w", got.Body, err)
	}
	s := state{name: body.Name}
	if body.Email != nil {
		s.email = *body.Email
	}
	tag := got.Header.Get("ETag")
	c.history.learn(tag, s)
	if tag != c.seenTag {
		c.older, c.before = c.seenTag, c.seen
		c.seenTag, c.seen = tag, s
	}
	return s, nil
}
