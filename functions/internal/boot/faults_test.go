package boot

import (
	"strings"
	"testing"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// TestMistypedKeyMakesNoCall: a key that cannot be one is refused without asking the store.
func TestMistypedKeyMakesNoCall(t *testing.T) {
	t.Parallel()
	p := dynamotest.StartProxy(t, "", dynamotest.Always(dynamotest.Refuse(500, "InternalServerError")))
	w := worldAt(t, p.URL)
	key := apikey.New(organization.NewID(), apikey.Live).Reveal()
	for _, mistyped := range []string{swapLast(key), key[1:], key + "0", "", "sk_live_abc123def456"} {
		for _, method := range []string{"GET", "PATCH"} {
			if got := w.send(t, request{method: method, key: mistyped, body: `{}`}); got.StatusCode != 401 {
				t.Errorf("%s with a mistyped key = %d, want 401", method, got.StatusCode)
			}
		}
	}
	if n := p.Calls(""); n != 0 {
		t.Errorf("mistyped keys made %d calls, want 0", n)
	}
	w.send(t, request{method: "GET", key: key})
	if p.Calls("") == 0 {
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
