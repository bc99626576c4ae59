package lambda_test

import (
	"strings"
	"testing"
	"time"

	"organizations-api/local/lambda"
)

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	type set = lambda.Settings
	variables := func(name, value string) func(*set) {
		return func(s *set) { s.Variables = map[string]string{name: value} }
	}
	tests := []struct {
		name  string
		spoil func(*set)
		want  string // part of the error
	}{
		{"no bootstrap", func(s *set) { s.Bootstrap = "" }, "needs a bootstrap"},
		{"missing bootstrap", func(s *set) { s.Bootstrap = "testdata/missing" }, "no such file"},
		{"bootstrap is a folder", func(s *set) { s.Bootstrap = "testdata" }, "not an executable"},
		{"bootstrap is not executable", func(s *set) { s.Bootstrap = "settings.go" }, "not an executable"},
		{"no name", func(s *set) { s.Name = "" }, "needs a name"},
		{"no region", func(s *set) { s.Region = "" }, "needs a region"},
		{"little memory", func(s *set) { s.Memory = 127 }, "127 MB"},
		{"much memory", func(s *set) { s.Memory = 10241 }, "10241 MB"},
		{"negative timeout", func(s *set) { s.Timeout = -1 }, "-1ns"},
		{"long timeout", func(s *set) { s.Timeout = 16 * time.Minute }, "16m"},
		{"negative init timeout", func(s *set) { s.InitTimeout = -1 }, "init timeout"},
		{"reserved variable", variables("AWS_REGION", "x"), "AWS_REGION is reserved"},
		{"trace variable", variables("_X_AMZN_TRACE_ID", "x"), "_X_AMZN_TRACE_ID is reserved"},
		{"no name of a variable", variables("A-B", "x"), `"A-B"`},
		{"short name of a variable", variables("A", "x"), `"A"`},
		{"large variables", variables("LARGE", strings.Repeat("x", 4092)), "4097 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := settings(t, "function")
			test.spoil(&s)
			if _, err := lambda.Start(t.Context(), s); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Start() = %v, want an error with %q", err, test.want)
			}
			if _, err := lambda.NewFunction(s, 1); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("NewFunction() = %v, want an error with %q", err, test.want)
			}
		})
	}
	if _, err := lambda.NewFunction(settings(t, "function"), 0); err == nil {
		t.Error("NewFunction(concurrency 0) = nil, want an error")
	}
}
