package function

import (
	"net/http"
	"strings"
	"testing"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

func TestFaultsOfTheStore(t *testing.T) {
	t.Parallel()
	drop := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	garbage := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"Item":{"PK":{"S":"x"}}}`)) }
	for _, fault := range []struct {
		name    string
		handler http.HandlerFunc
		status  int
		kind    string
		code    string
	}{
		{"throttled", apiError(400, "ThrottlingException"), 503, "ServiceUnavailableError", "store_unavailable"},
		{"over throughput", apiError(400, "ProvisionedThroughputExceededException"), 503, "ServiceUnavailableError", "store_unavailable"},
		{"failing", apiError(500, "InternalServerError"), 503, "ServiceUnavailableError", "store_unavailable"},
		{"dropping connections", drop, 503, "ServiceUnavailableError", "store_unavailable"},
		{"not permitted", apiError(400, "AccessDeniedException"), 500, "InternalServerError", "internal"},
		{"without tables", apiError(400, "ResourceNotFoundException"), 500, "InternalServerError", "internal"},
		{"with a broken item", garbage, 500, "InternalServerError", "internal"},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			endpoint, calls := faulty(t, fault.handler)
			w := worldAt(t, endpoint)
			key := apikey.New(organization.NewID(), apikey.Live)
			for _, method := range []string{"GET", "PATCH"} {
				r := row{method, request{method: method, key: key.Reveal(), body: `{}`}, fault.status, fault.kind, fault.code}
				r.check(t, w.send(t, r.send))
			}
			if calls() == 0 {
				t.Error("the store was never called")
			}
			logs := w.logs.String()
			if n := strings.Count(logs, `"level":"ERROR"`); n != 2 {
				t.Errorf("%d errors logged, want one for each request:\n%s", n, logs)
			}
			if logged := w.checkLogs(t, key.Reveal(), key.Hash().Hex()); !logged[fault.status] {
				t.Errorf("no line of a %d:\n%s", fault.status, logs)
			}
		})
	}
}

// TestMistypedKeyMakesNoCall: a key that cannot be one is refused without asking the store.
func TestMistypedKeyMakesNoCall(t *testing.T) {
	t.Parallel()
	endpoint, calls := faulty(t, apiError(500, "InternalServerError"))
	w := worldAt(t, endpoint)
	key := apikey.New(organization.NewID(), apikey.Live).Reveal()
	for _, mistyped := range []string{swapLast(key), key[1:], key + "0", "", "sk_live_abc123def456"} {
		for _, method := range []string{"GET", "PATCH"} {
			if got := w.send(t, request{method: method, key: mistyped, body: `{}`}); got.StatusCode != 401 {
				t.Errorf("%s with a mistyped key = %d, want 401", method, got.StatusCode)
			}
		}
	}
	if n := calls(); n != 0 {
		t.Errorf("mistyped keys made %d calls, want 0", n)
	}
	w.send(t, request{method: "GET", key: key})
	if calls() == 0 {
		t.Error("a key that may be one made no call; the count proves nothing")
	}
}

// TestConfiguration: a function that lacks something says so at once, and everything at once.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	complete := map[string]string{
		envOrganizationsTable: "o", envCountersTable: "c", envRegion: "r", envFunction: "f", envAccessKeyID: "a", envSecretAccessKey: "s",
	}
	with := func(name, value string) func(string) string {
		return func(asked string) string {
			if asked == name {
				return value
			}
			return complete[asked]
		}
	}
	if c, err := readConfig(with("", "")); err != nil || !c.rateLimits {
		t.Errorf("readConfig(complete) = %+v, %v, want no error and rate limits on", c, err)
	}
	if c, err := readConfig(with(envRateLimits, "off")); err != nil || c.rateLimits {
		t.Errorf("readConfig(rate limits off) = %+v, %v", c, err)
	}
	for name := range complete {
		if _, err := readConfig(with(name, "")); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("readConfig without %s = %v, want an error that names it", name, err)
		}
	}
	for name, value := range map[string]string{envRateLimits: "maybe", envLogLevel: "loud"} {
		if _, err := readConfig(with(name, value)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("readConfig with %s=%s = %v, want an error that names it", name, value, err)
		}
	}
	if _, err := readConfig(func(string) string { return "" }); strings.Count(err.Error(), "is not set") != len(complete) {
		t.Errorf("readConfig of nothing = %v, want all %d variables named", err, len(complete))
	}
}
