package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// facts are what a few requests say of a target before the run.
type facts struct {
	admin harness.Snapshot
	limit int // requests a minute of the organization; 0 if the answers name none
}

// ask finds out whether the run can begin: the target answers, the keys are what they are said to be, and the other key
// is another organization's. It changes nothing.
func (r Run) ask(ctx context.Context) (facts, error) {
	var f facts
	var err error
	keys := r.Subject.Given.Keys
	if f.admin, err = r.reads(ctx, "admin", keys[harness.KeyAdmin]); err != nil {
		return f, err
	}
	limit := judge.Canonical(f.admin.Exchange.Response.Header).Get("X-RateLimit-Limit")
	if n, err := strconv.Atoi(limit); err == nil && n > 0 {
		f.limit = n
	}
	switch status, err := r.changes(ctx, keys[harness.KeyAdmin]); {
	case err != nil:
		return f, err
	case status == http.StatusForbidden:
		return f, errors.New("the admin key may not change the organization (403): give one with the permission admin")
	}
	if key := keys[harness.KeyRead]; key != "" {
		read, err := r.reads(ctx, "read", key)
		if err != nil {
			return f, err
		}
		if read.Text("organization_id") != f.admin.Text("organization_id") {
			return f, errors.New("the read key is of another organization than the admin key")
		}
		switch status, err := r.changes(ctx, key); {
		case err != nil:
			return f, err
		case status == http.StatusOK:
			return f, errors.New("the read key may change the organization: give one that can only read")
		}
	}
	if r.Subject.Other == nil {
		return f, nil
	}
	other, err := r.reads(ctx, "other", r.Subject.Other.Keys[harness.KeyAdmin])
	if err == nil && other.Text("organization_id") == f.admin.Text("organization_id") {
		err = errors.New("the other key is of the same organization as the admin key: give one of a second " +
			"organization")
	}
	return f, err
}

// askOperated finds out whether the service knows an organization that the operator makes.
func (r Run) askOperated(ctx context.Context) error {
	made, err := r.Subject.Provision(ctx, harness.TenantSpec{Keys: []harness.KeyKind{}})
	if err != nil {
		return err
	}
	if _, err = r.reads(ctx, "admin", made.Keys[harness.KeyAdmin]); err != nil {
		return fmt.Errorf("the service does not show an organization that was made in the store, perhaps because it "+
			"works "+
			"on another one: %w", err)
	}
	return nil
}

// reads reads the organization of a key. The error says what is wrong, in the words of who gave the key.
func (r Run) reads(ctx context.Context, name, key string) (harness.Snapshot, error) {
	request := harness.NewRequest(http.MethodGet, key, nil)
	response, err := r.Subject.Target.Send(ctx, request)
	if err != nil {
		return harness.Snapshot{}, fmt.Errorf("%s cannot be reached: %w", r.Target, err)
	}
	shown, ok := harness.NewSnapshot(judge.Exchange{Request: request, Response: response})
	if ok {
		return shown, nil
	}
	where := "GET " + r.Target + harness.Path
	switch response.Status {
	case http.StatusUnauthorized:
		return shown, fmt.Errorf("the service does not know the %s key: %s answers 401", name, where)
	case http.StatusForbidden:
		return shown, fmt.Errorf("the %s key may not read: %s answers 403", name, where)
	case http.StatusNotFound:
		return shown, fmt.Errorf("%s answers 404: the URL is not that of the API, or the organization of the %s key "+
			"was "+
			"deleted", where, name)
	default:
		return shown, fmt.Errorf("%s with the %s key shows no organization. The answer is\n%s", where, name,
			judge.Show(response))
	}
}

// changes sends a PATCH that asks for nothing, and returns the status.
func (r Run) changes(ctx context.Context, key string) (int, error) {
	response, err := r.Subject.Target.Send(ctx, harness.NewRequest(http.MethodPatch, key, []byte("{}")))
	if err != nil {
		return 0, fmt.Errorf("%s cannot be reached: %w", r.Target, err)
	}
	return response.Status, nil
}

func (f facts) who() string {
	return fmt.Sprintf("organization %s (%s)", judge.Clip(f.admin.Text("organization_id"), judge.MaxValue),
		judge.Clip(f.admin.Text("organization_name"), judge.MaxValue))
}

// requestsOfAll is what a run with all three keys makes. TestServedAtURL compares it with what a run really makes.
const requestsOfAll = 1580

// estimate returns about how many requests the shown checks make.
func estimate(shown, all []harness.Check) int {
	const operators = harness.NeedProvision | harness.NeedFaults | harness.NeedRevoke // beyond what keys can show
	withKeys := 0
	for _, check := range all {
		if check.Needs&operators == 0 {
			withKeys++
		}
	}
	return requestsOfAll * len(shown) / max(1, withKeys)
}

// advice says how long a run of so many requests takes under the organization's limit, and what would make it shorter.
// Once the limit is used up, the run waits as the service's Retry-After says.
func (f facts) advice(requests int) string {
	if f.limit == 0 {
		return fmt.Sprintf("The answers name no limit of requests. The run makes about %d.", requests)
	}
	windows := (requests - 1) / f.limit
	if windows <= 0 {
		return fmt.Sprintf("The limit of %d requests a minute is enough for this run, which makes about %d.", f.limit,
			requests)
	}
	return fmt.Sprintf(
		"The limit is %d requests a minute, and the run makes about %d: it waits when the limit is used up, "+
			"and takes about %d minutes.\n"+
			"To be done in less than one, let the operator raise it first, and put it back afterwards:\n"+
			"    orgs update %s --rate-limit metadata=%d\n"+
			"    orgs update %[4]s --clear rate_limits.metadata  # or --rate-limit metadata=%[1]d, if that was its own",
		f.limit, requests, windows+1, judge.Clip(f.admin.Text("organization_id"), judge.MaxValue), 2*requestsOfAll)
}
