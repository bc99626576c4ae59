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
