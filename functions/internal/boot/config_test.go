package boot

import (
	"strings"
	"testing"
)

// TestConfiguration: the error of a wrong configuration names every variable that is missing or wrong.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	complete := map[string]string{
		envOrganizationsTable: "o", envCountersTable: "c", envRegion: "r", envFunction: "f", envVersion: "1", envAccessKeyID: "a", envSecretAccessKey: "s",
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

// TestEndpoint: the variables with an endpoint have the order of the AWS SDKs and Tools Reference Guide, and an error
// names the wrong variable.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	const own, all = "http://127.0.0.1:8000", "https://aws.example/emulated"
	type variables = map[string]string
	for _, test := range []struct {
		set  variables
		want string
		err  string // the variable that it names; "" for none
	}{
		{variables{}, "", ""},
		{variables{envEndpoint: own}, own, ""},
		{variables{envAllEndpoints: all}, all, ""},
		{variables{envEndpoint: own, envAllEndpoints: all}, own, ""},
		{variables{envEndpoint: "", envAllEndpoints: all}, all, ""},
		{variables{envEndpoint: own, envAllEndpoints: "no URL, and not used"}, own, ""},
		{variables{envEndpoint: own, envIgnoreEndpoints: "false"}, own, ""},
		{variables{envEndpoint: own, envAllEndpoints: all, envIgnoreEndpoints: "True"}, "", ""},
		{variables{envEndpoint: own, envIgnoreEndpoints: "1"}, "", envIgnoreEndpoints},
		{variables{envEndpoint: "127.0.0.1:8000"}, "", envEndpoint},
		{variables{envEndpoint: own + " "}, "", envEndpoint},
		{variables{envAllEndpoints: "localhost"}, "", envAllEndpoints + " "},
	} {
		got, err := findEndpoint(func(name string) string { return test.set[name] })
		if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.HasPrefix(err.Error(), test.err) {
			t.Errorf("findEndpoint with %v = %q, %v, want %q and an error about %q", test.set, got, err, test.want, test.err)
		}
		if _, all := readConfig(func(name string) string { return test.set[name] }); err != nil && !strings.Contains(all.Error(), err.Error()) {
			t.Errorf("readConfig with %v = %v, want it to say %v", test.set, all, err)
		}
	}
}
