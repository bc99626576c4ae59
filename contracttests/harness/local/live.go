package local

import (
	"errors"
	"testing"

	"organizations-api/contracttests/harness"
)

func Report(t *testing.T, failures []harness.Failure) {
	t.Helper()
	for _, failure := range failures {
		t.Error(failure)
	}
}

// AtURL returns the service at a URL, of which there is nothing but keys. All but the first key may be "".
func AtURL(t *testing.T, url, admin, read, other string) *harness.Subject {
	t.Helper()
	reached, err := harness.URLTarget(url)
	validator, errJudge := GatewayValidator()
	if err := errors.Join(err, errJudge); err != nil {
		t.Fatal(err)
	}
	if admin == "" {
		t.Fatal("a target needs an -admin-key")
	}
	subject := &harness.Subject{
		Name:      "at-url",
		Target:    harness.Patient(harness.Uninterrupted(reached)),
		Validator: validator,
		Given:     harness.Tenant{Keys: map[harness.KeyKind]string{harness.KeyAdmin: admin}},
	}
	if read != "" {
		subject.Given.Keys[harness.KeyRead] = read
	}
	if other != "" {
		subject.Other = &harness.Tenant{Keys: map[harness.KeyKind]string{harness.KeyAdmin: other}}
	}
	return subject
}
