package bodies

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/judge"
)

// fewBodies are enough to see how a run goes about an organization.
var fewBodies = Generation{Seed: GenerationSeed, Bodies: 150, Every: 7}

// TestGeneratedOnGiven: on an organization that is not the suite's own, both checks show the same and leave it as it
// was.
func TestGeneratedOnGiven(t *testing.T) {
	t.Parallel()
	subject := local.New(t, local.NewMemory(), local.Options{Unlimited: true})
	tenant, err := subject.Provision(t.Context(), harness.TenantSpec{})
	if err != nil {
		t.Fatal(err)
	}
	subject.Provision, subject.Given = nil, tenant
	key := tenant.Keys[harness.KeyAdmin]
	send := func(r judge.Request) map[string]any {
		response, err := subject.Target.Send(t.Context(), r)
		if err != nil || response.Status != http.StatusOK {
			t.Fatalf("%s = %d, %v", r.Method, response.Status, err)
		}
		value, err := decoded(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		record := value.(map[string]any)
		delete(record, "updated_at")
		return record
	}
	before := send(harness.NewRequest("PATCH", key, []byte(`{"metadata":{"a":[1e300]},"logo_url":"x","rate_limits":{"search":7},"default_llm_credentials":{"a":"b"}}`)))
	count := countStatuses(subject)
	for _, check := range fewBodies.Checks() {
		for _, failure := range harness.Run(t.Context(), subject, check) {
			t.Error(failure)
		}
	}
	if after := send(harness.NewRequest("GET", key, nil)); !equalJSON(before, after) {
		t.Errorf("the organization was %s and is %s", jsonText(before), jsonText(after))
	}
	if count(200) < 50 || count(422) < 50 || count(400) < 50 {
		t.Errorf("%d bodies were accepted, %d invalid, %d unreadable", count(200), count(422), count(400))
	}
}

// TestGeneratedRateLimited: bodies that change the limits of requests have the service refuse the next ones, which says
// nothing about those.
func TestGeneratedRateLimited(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	subject := local.New(t, local.NewMemory(), local.Options{Unlimited: true})
	right := subject.Target
	subject.Target = harness.TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) {
		if requests.Add(1)%30 == 0 {
			return fixture.RightExchange(r.Method, http.StatusTooManyRequests).Response, nil
		}
		return right.Send(ctx, r)
	})
	for _, check := range fewBodies.Checks() {
		for _, failure := range harness.Run(t.Context(), subject, check) {
			t.Error(failure)
		}
	}
	subject.Target = harness.TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) {
		if r.Method == http.MethodPatch {
			return fixture.RightExchange(r.Method, http.StatusTooManyRequests).Response, nil
		}
		return right.Send(ctx, r)
	})
	found := harness.Run(t.Context(), subject, All()[0])
	if len(found) == 0 || !strings.Contains(found[0].Message, "status is 429") {
		t.Errorf("a service that always refuses is shown as %v", found)
	}
}
