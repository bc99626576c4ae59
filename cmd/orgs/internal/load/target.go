package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"organizations-api/cmd/orgs/internal/term"
)

// reach sends a request without a key, which this API answers with 401. It returns a failure if no server answers at
// the URL, or if the answer is another one.
func (p Plan) reach(ctx context.Context) error {
	status, err := p.ask(ctx, "")
	switch {
	case err != nil:
		return err
	case status != http.StatusUnauthorized:
		return term.Fail(term.Failed, "the server at %s is not this API: it answers a request without a key with %d, not with 401",
			p.URL, status)
	default:
		return nil
	}
}

// try returns a failure if the gateway does not answer a GET with the first key with 200. The text says why, and what
// to do. store is the store that has the keys.
func (p Plan) try(ctx context.Context, store string) error {
	if len(p.Keys) == 0 {
		return term.Fail(term.Failed, "the file of keys is empty; make one with: orgs seed --count 64 --keys FILE")
	}
	status, err := p.ask(ctx, p.Keys[0])
	switch {
	case err != nil:
		return err
	case status == http.StatusUnauthorized:
		return term.Fail(term.Failed, "the gateway at %s does not know the keys, which are of %s; "+
			"give the store of the gateway with --store, or keys of that store with --keys", p.URL, store)
	case status == http.StatusTooManyRequests:
		return term.Fail(term.Failed, "the gateway at %s limits the rate of requests; start it with: orgs serve --rate-limits off",
			p.URL)
	case status != http.StatusOK:
		return term.Fail(term.Failed, "the gateway at %s answers a GET with %d, not with 200", p.URL, status)
	default:
		return nil
	}
}

// ask sends a GET and returns the status of the answer. "" sends no key.
func (p Plan) ask(ctx context.Context, key string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.address(), nil)
	if err != nil {
		return 0, err
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	client := newClient(ctx)
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL, which the text has already
		}
		return 0, term.Fail(term.Failed, "no gateway can be reached at %s (%v); start one with: orgs serve --rate-limits off, "+
			"or name another with --url", p.URL, err)
	}
	if err := response.Body.Close(); err != nil {
		return 0, fmt.Errorf("asking %s: %w", p.URL, err)
	}
	return response.StatusCode, nil
}

func (p Plan) address() string { return strings.TrimSuffix(p.URL, "/") + "/v1/organizations" }
