package template_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// accepts reports whether CloudFormation takes the value for the parameter, by its pattern, values and bounds.
func accepts(t *testing.T, declared object, value string) bool {
	t.Helper()
	if allowed := elements(declared["AllowedValues"]); len(allowed) > 0 {
		return slices.ContainsFunc(allowed, func(v any) bool { return text(v) == value })
	}
	if pattern, ok := declared["AllowedPattern"].(string); ok {
		// CloudFormation matches the whole value.
		return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(value)
	}
	number, err := strconv.ParseFloat(value, 64)
	if err != nil || declared["Type"] != "Number" {
		return declared["Type"] == "String"
	}
	least, err := strconv.ParseFloat(text(declared["MinValue"]), 64)
	return err == nil && number >= least
}

// TestParametersAreChecked: each parameter takes what AWS would take, and refuses what AWS would refuse when half of
// the stack is made.
func TestParametersAreChecked(t *testing.T) {
	t.Parallel()
	type values struct{ good, bad []string }
	long := strings.Repeat("a", 128)
	domain := values{
		good: []string{"", "api.example.com", "a.b-c.example.co", "xn--bcher-kva.example"},
		bad:  []string{"API.example.com", "https://api.example.com", "example", "api.example.com.", "-a.example.com", "a b.example.com"},
	}
	for file, parameters := range map[string]map[string]values{
		"template.yaml": {
			"Architecture": {good: []string{"arm64", "x86_64"}, bad: []string{"", "amd64"}},
			"Stage":        {good: []string{"$default", "v1", "a-b_C", long}, bad: []string{"", "a/b", "$x", "a b", "a.b", long + "a", "ä"}},
			"AllowedOrigins": {
				good: []string{"", "*", "https://*", "http://localhost:3000", "https://a.example.com,http://[::1]:8080"},
				bad: []string{"http://a, http://b", "https://a/", "https://A.example.com", "a.example.com", "ftp://a", ",", "https://a,",
					"https://user@a", "https://*.example.com", "https://a?b"},
			},
			"RateLimits":       {good: []string{"on", "off"}, bad: []string{"", "yes"}},
			"LogLevel":         {good: []string{"debug", "error"}, bad: []string{"", "INFO"}},
			"Tracing":          {good: []string{"Active"}, bad: []string{"", "Off"}},
			"LogRetentionDays": {good: []string{"1", "3653"}, bad: []string{"0", "2"}},
			"LogsOutliveStack": {good: []string{"on", "off"}, bad: []string{""}},
			"KmsKeyArn": {
				good: []string{"", keyArn, strings.Replace(keyArn, "aws", "aws-cn", 1), strings.Replace(keyArn, "key/0123", "key/mrk-", 1)},
				bad:  []string{"alias/mine", strings.Replace(keyArn, "key/", "alias/", 1), keyArn[len(keyArn)-36:]},
			},
			"ThrottleRate":         {good: []string{"1", "100000"}, bad: []string{"0", "-1"}},
			"ThrottleBurst":        {good: []string{"1"}, bad: []string{"0"}},
			"ReservedConcurrency":  {good: []string{"0", "1"}, bad: []string{"-1"}},
			"DeploymentPreference": {good: []string{"AllAtOnce"}, bad: []string{"", "Canary"}},
			"Emergency":            {good: []string{"on", "off"}, bad: []string{"", "1"}},
			"AlarmEmail":           {good: []string{"", "ops@example.com"}, bad: []string{"ops", "ops@example", "a@b.c,d@e.f", "a b@example.com"}},
			"AlarmTopicArn": {
				good: []string{"", topicArn, strings.Replace(topicArn, "aws", "aws-us-gov", 1)},
				bad:  []string{"notanarn", topicArn + ".fifo", strings.Replace(topicArn, ":sns:", ":sqs:", 1), " " + topicArn},
			},
			"LatencyAlarmMilliseconds": {good: []string{"1"}, bad: []string{"0"}},
			"Dashboard":                {good: []string{"on", "off"}, bad: []string{""}},
			"DomainName":               domain,
			"CertificateArn":           {good: []string{"", certificateArn}, bad: []string{"cert", topicArn}},
			"OriginKey":                {good: []string{"", originKey, long}, bad: []string{"short", originKey + "/", long + "a"}},
		},
		"edge.yaml": {
			"OriginDomain": {good: domain.good[1:], bad: append([]string{""}, domain.bad...)},
			"OriginKey":    {good: []string{originKey, long}, bad: []string{"", "short", originKey + "/"}},
			"DomainName":   domain,
			"CertificateArn": {
				good: []string{"", strings.Replace(certificateArn, "eu-central-1", "us-east-1", 1)}, bad: []string{certificateArn, "cert"},
			},
			"RequestsPerSource": {good: []string{"10", "3000"}, bad: []string{"9"}},
		},
	} {
		_, template := read(t, file)
		declared := members(template["Parameters"])
		if len(declared) != len(parameters) {
			t.Errorf("%s has %d parameters, and this test knows %d", file, len(declared), len(parameters))
		}
		for name, values := range parameters {
			for _, value := range values.good {
				if !accepts(t, members(declared[name]), value) {
					t.Errorf("%s: %s refuses %q", file, name, value)
				}
			}
			for _, value := range values.bad {
				if accepts(t, members(declared[name]), value) {
					t.Errorf("%s: %s takes %q", file, name, value)
				}
			}
			if initial, ok := members(declared[name])["Default"]; ok && !accepts(t, members(declared[name]), text(initial)) {
				t.Errorf("%s: %s refuses its default, %q", file, name, initial)
			}
		}
	}
	for name, set := range sets {
		_, template := read(t, "template.yaml")
		for parameter, value := range set {
			if !accepts(t, members(members(template["Parameters"])[parameter]), value) {
				t.Errorf("the set %s: %s refuses %q", name, parameter, value)
			}
		}
	}
}

// TestDefaultsAreWithinQuotas: in the regions with the smallest quotas, an account's gateways take 2,500 requests a
// second and bursts of 1,250 ("Quotas for HTTP APIs" in "Amazon API Gateway endpoints and quotas" of the AWS General
// Reference).
func TestDefaultsAreWithinQuotas(t *testing.T) {
	t.Parallel()
	_, template := read(t, "template.yaml")
	for name, most := range map[string]float64{"ThrottleRate": 2500, "ThrottleBurst": 1250, "ReservedConcurrency": 0} {
		initial, err := strconv.ParseFloat(text(members(members(template["Parameters"])[name])["Default"]), 64)
		if err != nil || initial > most {
			t.Errorf("the default of %s is %v, %v, want %v at most", name, initial, err, most)
		}
	}
}

// TestRules: parameters that do not fit together are refused before anything is made.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file  string
		given map[string]string
		want  string // part of the one sentence; "" where the rules hold
	}{
		{"template.yaml", nil, ""},
		{"template.yaml", map[string]string{"DomainName": "api.example.com"}, "needs a CertificateArn"},
		{"template.yaml", map[string]string{"CertificateArn": certificateArn}, "of a DomainName"},
		{"template.yaml", map[string]string{"DomainName": "api.example.com", "CertificateArn": certificateArn}, ""},
		{"template.yaml", map[string]string{"OriginKey": originKey}, "needs a DomainName"},
		{"template.yaml", map[string]string{"AlarmEmail": "a@b.cd", "AlarmTopicArn": topicArn}, "not both"},
		{"template.yaml", map[string]string{"AlarmTopicArn": topicArn}, ""},
		{"edge.yaml", nil, ""},
		{"edge.yaml", map[string]string{"DomainName": "api.example.com"}, "needs a CertificateArn"},
		{"edge.yaml", map[string]string{"CertificateArn": certificateArn}, "of a DomainName"},
	} {
		_, template := read(t, test.file)
		got := newStack(template, test.given).broken()
		if (len(got) > 0) != (test.want != "") || len(got) > 1 || len(got) == 1 && !strings.Contains(got[0], test.want) {
			t.Errorf("%s with %v breaks %q, want %q", test.file, test.given, got, test.want)
		}
	}
}
