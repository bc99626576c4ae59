package checks

import (
	"encoding/json"
	"fmt"
	"strconv"

	"organizations-api/contracttests/harness"
)

// limits are requests a minute by category.
type limits map[string]int

func categories() []string { return []string{"metadata", "data", "search", "upload", "compute"} }

func tiers() []string { return []string{"free", "pro", "team", "enterprise"} }

// tierLimits are the limits that the tiers compute.
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

// overlaid returns the limits with those of an override in their places.
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
	var members []harness.Member
	for _, name := range categories() {
		if n, ok := l[name]; ok {
			members = append(members, harness.Member{Name: name, Value: strconv.Itoa(n)})
		}
	}
	return harness.Object(members...)
}

// wantLimits reports a record whose limits are not the given ones.
func wantLimits(s *harness.Session, now harness.Snapshot, want limits) {
	var got limits
	if err := json.Unmarshal(now.Members["rate_limits"], &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		s.FailExchange(now.Exchange, "the limits in force are %v, want %v", got, want)
	}
}

// limitLaws are about which limits an organization shows.
func limitLaws() []harness.Check {
	var all []harness.Check
	for _, tier := range tiers() {
		all = append(all,
			law("limits-of-tier-"+tier, harness.NeedProvision, func(s *harness.Session) { limitsOfTier(s, tier) }),
			law("limits-overlaid-"+tier, harness.NeedProvision, func(s *harness.Session) { limitsOverlaid(s, tier) }),
		)
	}
	return all
}

// override sends an override and checks the limits that it comes to. nil sends null.
func override(c harness.Caller, tier string, override limits) harness.Snapshot {
	value := "null"
	if override != nil {
		value = override.json()
	}
	now := c.Change(harness.Object(harness.Member{Name: "rate_limits", Value: value}))
	wantLimits(c.Session, now, tierLimits(tier).overlaid(override))
	return now
}

// limitsOfTier: without an override, the limits are those of the tier, and the record says which tier that is.
func limitsOfTier(s *harness.Session, tier string) {
	c := s.Caller(harness.TenantSpec{Tier: tier, Keys: []harness.KeyKind{}})
	if got := c.Read().Text("account_type"); got != tier {
		s.Failf("account_type is %q, want %q", got, tier)
	}
	now := override(c, tier, nil)
	c.Unchanged(now, "null for rate_limits")
	now = override(c, tier, limits{})
	c.Unchanged(now, "{} for rate_limits")
}

// limitsOverlaid: an override replaces the limits of its categories and no others.
func limitsOverlaid(s *harness.Session, tier string) {
	c := s.Caller(harness.TenantSpec{Tier: tier, Keys: []harness.KeyKind{}})
	for i, name := range categories() {
		override(c, tier, limits{name: 1_000 + i})
	}
	override(c, tier, limits{"metadata": 1_000_000, "data": 1, "search": 1_000_000, "upload": 1, "compute": 1_000_000})
	now := override(c, tier, limits{"metadata": 999_999, "compute": 1})
	c.Unchanged(now, "an override")
}

// rateLimitsReplace: an override that is sent takes the place of the whole one.
func rateLimitsReplace(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Tier: "team", Keys: []harness.KeyKind{}})
	before := override(c, "team", limits{"metadata": 7_000, "data": 7, "search": 8})
	now := override(c, "team", limits{"metadata": 7_000, "upload": 9})
	for _, name := range before.Differences(now, "rate_limits", "updated_at") {
		s.FailExchange(now.Exchange, "%s has changed and was not sent", name)
	}
	c.Unchanged(now, "an override")
}

// rateLimitsNull: null and nothing else takes the limits back to those of the tier.
func rateLimitsNull(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true, Tier: "enterprise", Keys: []harness.KeyKind{}})
	overridden := override(c, "enterprise", limits{"metadata": 7_000, "data": 7, "search": 8, "upload": 9, "compute": 10})
	c.Change(harness.Object(harness.Member{Name: "organization_name", Value: harness.JsonString(s.Fresh("Name"))}))
	wantLimits(s, c.Read(), limits{"metadata": 7_000, "data": 7, "search": 8, "upload": 9, "compute": 10})
	now := override(c, "enterprise", nil)
	for _, name := range overridden.Differences(now, "rate_limits", "updated_at", "organization_name") {
		s.FailExchange(now.Exchange, "%s has changed and was not sent", name)
	}
	c.Unchanged(now, "null for rate_limits")
}

// undeclaredLimits: categories that the document does not declare are ignored.
func undeclaredLimits(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Tier: "pro", Keys: []harness.KeyKind{}})
	before := override(c, "pro", limits{"metadata": 7_000, "search": 8})
	now := c.Change(`{"rate_limits":{"metadata":7000,"search":8,"bogus":5,"Search":9,"":1,"total":"x"}}`)
	if !now.SameBytes(before) {
		s.FailExchange(now.Exchange, "a limit that is not declared changed the record: %s", harness.DescribeChange(before, now))
	}
	c.Unchanged(now, "limits that are not declared")
}

// emptyLimits: an override that names no category replaces the one that is there, like any other.
func emptyLimits(s *harness.Session) {
	const tier = "team"
	c := s.Caller(harness.TenantSpec{Tier: tier, Keys: []harness.KeyKind{}})
	for _, before := range []limits{{"metadata": 7_000, "search": 8}, {"upload": 9}} {
		override(c, tier, before)
		now := override(c, tier, limits{})
		c.Unchanged(now, "{} for rate_limits")
	}
}
