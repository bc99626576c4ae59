package contracttests

import (
	"encoding/json"
	"fmt"
	"strconv"
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
	var members []member
	for _, name := range categories() {
		if n, ok := l[name]; ok {
			members = append(members, member{name, strconv.Itoa(n)})
		}
	}
	return object(members...)
}

// wantLimits reports a record whose limits are not the given ones.
func (s *Session) wantLimits(now snapshot, want limits) {
	var got limits
	if err := json.Unmarshal(now.members["rate_limits"], &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		s.FailExchange(now.x, "the limits in force are %v, want %v", got, want)
	}
}

// limitLaws are about which limits an organization shows.
func limitLaws() []Check {
	var all []Check
	for _, tier := range tiers() {
		all = append(all,
			law("limits-of-tier-"+tier, NeedProvision, func(s *Session) { limitsOfTier(s, tier) }),
			law("limits-overlaid-"+tier, NeedProvision, func(s *Session) { limitsOverlaid(s, tier) }),
		)
	}
	return all
}

// override sends an override and checks the limits that it comes to. nil sends null.
func (c caller) override(tier string, override limits) snapshot {
	value := "null"
	if override != nil {
		value = override.json()
	}
	now := c.change(object(member{"rate_limits", value}))
	c.s.wantLimits(now, tierLimits(tier).overlaid(override))
	return now
}

// limitsOfTier: without an override, the limits are those of the tier, and the record says which tier that is.
func limitsOfTier(s *Session, tier string) {
	c := s.caller(TenantSpec{Tier: tier, Keys: []KeyKind{}})
	if got := c.read().text("account_type"); got != tier {
		s.Failf("account_type is %q, want %q", got, tier)
	}
	now := c.override(tier, nil)
	c.unchanged(now, "null for rate_limits")
	now = c.override(tier, limits{})
	c.unchanged(now, "{} for rate_limits")
}

// limitsOverlaid: an override replaces the limits of its categories and no others.
func limitsOverlaid(s *Session, tier string) {
	c := s.caller(TenantSpec{Tier: tier, Keys: []KeyKind{}})
	for i, name := range categories() {
		c.override(tier, limits{name: 1_000 + i})
	}
	c.override(tier, limits{"metadata": 1_000_000, "data": 1, "search": 1_000_000, "upload": 1, "compute": 1_000_000})
	now := c.override(tier, limits{"metadata": 999_999, "compute": 1})
	c.unchanged(now, "an override")
}

// rateLimitsReplace: an override that is sent takes the place of the whole one.
func rateLimitsReplace(s *Session) {
	c := s.caller(TenantSpec{Tier: "team", Keys: []KeyKind{}})
	before := c.override("team", limits{"metadata": 7_000, "data": 7, "search": 8})
	now := c.override("team", limits{"metadata": 7_000, "upload": 9})
	for _, name := range before.differences(now, "rate_limits", "updated_at") {
		s.FailExchange(now.x, "%s has changed and was not sent", name)
	}
	c.unchanged(now, "an override")
}

// rateLimitsNull: null and nothing else takes the limits back to those of the tier.
func rateLimitsNull(s *Session) {
	c := s.caller(TenantSpec{Full: true, Tier: "enterprise", Keys: []KeyKind{}})
	overridden := c.override("enterprise", limits{"metadata": 7_000, "data": 7, "search": 8, "upload": 9, "compute": 10})
	c.change(object(member{"organization_name", jsonString(s.fresh("Name"))}))
	s.wantLimits(c.read(), limits{"metadata": 7_000, "data": 7, "search": 8, "upload": 9, "compute": 10})
	now := c.override("enterprise", nil)
	for _, name := range overridden.differences(now, "rate_limits", "updated_at", "organization_name") {
		s.FailExchange(now.x, "%s has changed and was not sent", name)
	}
	c.unchanged(now, "null for rate_limits")
}

// undeclaredLimits: categories that the document does not declare are ignored.
func undeclaredLimits(s *Session) {
	c := s.caller(TenantSpec{Tier: "pro", Keys: []KeyKind{}})
	before := c.override("pro", limits{"metadata": 7_000, "search": 8})
	now := c.change(`{"rate_limits":{"metadata":7000,"search":8,"bogus":5,"Search":9,"":1,"total":"x"}}`)
	if !now.sameBytes(before) {
		s.FailExchange(now.x, "a limit that is not declared changed the record: %s", describeChange(before, now))
	}
	c.unchanged(now, "limits that are not declared")
}
