package checks

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"organizations-api/contracttests/harness"
)

// limits are requests a minute by category.
type limits map[string]int

func categories() []string { return []string{"metadata", "data", "search", "upload", "compute"} }

func tiers() []string { return []string{"free", "pro", "team", "enterprise"} }

// tierLimits returns the limits of a tier.
func tierLimits(tier string) limits {
	switch tier {
	case "free":
		return limits{"metadata": 20, "data": 10, "search": 10, "upload": 5, "compute": 5}
	case "pro":
		return limits{"metadata": 100, "data": 60, "search": 60, "upload": 30, "compute": 30}
	default:
		return limits{"metadata": 200, "data": 100, "search": 100, "upload": 50, "compute": 50}
	}
}

// overlaid returns the limits of the tier, replaced by those of an override where it has one.
func (l limits) overlaid(override limits) limits {
	out := limits{}
	for _, name := range categories() {
		out[name] = l[name]
		if n, ok := override[name]; ok {
			out[name] = n
		}
	}
	return out
}

// json returns the limits in the order of the document.
func (l limits) json() string {
	var members []member
	for _, name := range categories() {
		if n, ok := l[name]; ok {
			members = append(members, member{name, strconv.Itoa(n)})
		}
	}
	return object(members...)
}

// wantLimits reports a record with other limits.
func wantLimits(s *harness.Session, now harness.Snapshot, want limits) {
	var got limits
	if err := json.Unmarshal(now.Members["rate_limits"], &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		s.FailExchange(now.Exchange, "the limits in force are %v, want %v", got, want)
	}
}

// setLimits sends an override and checks the resulting limits.
func setLimits(c harness.Caller, tier string, override limits) harness.Snapshot {
	now := c.Change(object(member{"rate_limits", override.json()}))
	wantLimits(c.Session, now, tierLimits(tier).overlaid(override))
	return now
}

// limitsOfTier: without an override, the limits are those of the tier in the record.
func limitsOfTier(s *harness.Session, tier string) {
	c := s.Caller(harness.TenantSpec{Tier: tier, Keys: []harness.KeyKind{}})
	if got := c.Read().Text("account_type"); got != tier {
		s.Failf("account_type is %q, want %q", got, tier)
	}
	now := setLimits(c, tier, limits{})
	c.WantUnchanged(now, "{} for rate_limits")
}

// limitsOverlaid: an override replaces the limits of the categories that it names, and no others.
func limitsOverlaid(s *harness.Session, tier string) {
	c := s.Caller(harness.TenantSpec{Tier: tier, Keys: []harness.KeyKind{}})
	for i, name := range categories() {
		setLimits(c, tier, limits{name: 1_000 + i})
	}
	setLimits(c, tier, limits{"metadata": harness.MaxLimit, "data": 1, "search": harness.MaxLimit, "upload": 1,
		"compute": harness.MaxLimit})
	now := setLimits(c, tier, limits{"metadata": 999_999, "compute": 1})
	c.WantUnchanged(now, "an override")
}

// rateLimitsReplace: an override that is sent replaces the whole override. Nothing is merged.
func rateLimitsReplace(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Tier: "team", Keys: []harness.KeyKind{}})
	before := setLimits(c, "team", limits{"metadata": 7_000, "data": 7, "search": 8})
	now := setLimits(c, "team", limits{"metadata": 7_000, "upload": 9})
	for _, name := range before.Differences(now, "rate_limits", "updated_at") {
		s.FailExchange(now.Exchange, "%s has changed and was not sent", name)
	}
	c.WantUnchanged(now, "an override")
}

// rateLimitsNull: null leaves the limits, as does a PATCH without rate_limits.
func rateLimitsNull(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true, Tier: "enterprise", Keys: []harness.KeyKind{}})
	overridden := setLimits(c, "enterprise", limits{"metadata": 7_000, "data": 7, "search": 8, "upload": 9,
		"compute": 10})
	for _, body := range []string{`{"rate_limits":null}`, `{"rate_limit_overrides":null}`,
		`{"rate_limits":null,"rate_limit_overrides":null}`} {
		s.WantSame(overridden, c.Change(body), "null is to leave the limits")
	}
	now := c.Change(newName(c))
	for _, name := range overridden.Differences(now, "updated_at", "organization_name") {
		s.FailExchange(now.Exchange, "%s has changed and was not sent", name)
	}
	c.WantUnchanged(now, "a PATCH without rate_limits")
}

// twoNamesOfLimits: rate_limit_overrides is another name of rate_limits. Both may be sent with the same value.
func twoNamesOfLimits(s *harness.Session) {
	const tier = "team"
	c := s.Caller(harness.TenantSpec{Tier: tier, Keys: []harness.KeyKind{}})
	for _, step := range []struct {
		body string
		want limits
	}{
		{`{"rate_limits":{"metadata":7000,"search":8}}`, limits{"metadata": 7_000, "search": 8}},
		{`{"rate_limit_overrides":{"metadata":7000,"upload":9}}`, limits{"metadata": 7_000, "upload": 9}},
		{`{"rate_limit_overrides":{"metadata":7000,"data":20},"rate_limits":{"data":2e1,"metadata":7000.0,"bogus":1}}`,
			limits{"metadata": 7_000, "data": 20}},
		{`{"rate_limit_overrides":null,"rate_limits":{"metadata":7000,"compute":4}}`,
			limits{"metadata": 7_000, "compute": 4}},
		{`{"rate_limit_overrides":{"metadata":7000,"compute":5},"rate_limits":null}`,
			limits{"metadata": 7_000, "compute": 5}},
	} {
		now := c.Change(step.body)
		wantLimits(s, now, tierLimits(tier).overlaid(step.want))
		c.WantUnchanged(now, step.body)
	}
	before := c.Read()
	for _, body := range []string{
		`{"rate_limit_overrides":{"metadata":7000,"compute":6},"rate_limits":{"metadata":7000,"compute":5}}`,
		`{"rate_limit_overrides":{"metadata":7000,"compute":5},"rate_limits":{"metadata":7000}}`,
		`{"rate_limit_overrides":{},"rate_limits":{"metadata":8000}}`,
	} {
		s.WantStatus(c.Patch(body), http.StatusUnprocessableEntity)
		c.WantUnchanged(before, "two values for the limits")
	}
}

// undeclaredLimits: a PATCH ignores categories that the document does not declare.
func undeclaredLimits(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Tier: "pro", Keys: []harness.KeyKind{}})
	before := setLimits(c, "pro", limits{"metadata": 7_000, "search": 8})
	now := c.Change(`{"rate_limits":{"metadata":7000,"search":8,"bogus":5,"Search":9,"":1,"total":"x"}}`)
	s.WantSame(before, now, "a limit that is not declared changed the record")
	c.WantUnchanged(now, "limits that are not declared")
}

// rateLimitsEmpty: an override without any category replaces the present override, like any other.
func rateLimitsEmpty(s *harness.Session) {
	const tier = "team"
	c := s.Caller(harness.TenantSpec{Tier: tier, Keys: []harness.KeyKind{}})
	for _, before := range []limits{{"metadata": 7_000, "search": 8}, {"upload": 9}} {
		setLimits(c, tier, before)
		now := setLimits(c, tier, limits{})
		c.WantUnchanged(now, "{} for rate_limits")
	}
}
