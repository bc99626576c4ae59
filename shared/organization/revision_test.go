package organization

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseAmount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Amount{
		"0": Exactly(0), "007": Exactly(7), "9223372036854775807": Exactly(math.MaxInt64),
		"+5": Adding(5), "+0": Adding(0), "-12": Adding(-12), "-9223372036854775808": Adding(math.MinInt64),
	} {
		if got, err := ParseAmount(text); got != want || err != nil {
			t.Errorf("ParseAmount(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "+", "-", "1.5", "1e3", " 1", "1_000", "++1", "9223372036854775808", "-9223372036854775809"} {
		if got, err := ParseAmount(text); err == nil {
			t.Errorf("ParseAmount(%q) = %+v, want an error", text, got)
		}
	}
}

// TestReviseEach sets each property that only the operator may set, clears it where it can be cleared, and checks that
// nothing else changes.
func TestReviseEach(t *testing.T) {
	t.Parallel()
	full := New("A", Free, nil, epoch)
	full.Users, full.AuthProviderOrgID, full.APIURL = new(`[{"id":1}]`), new("before"), new("https://before.example")
	full.Override = RateLimits{Search: 7, Data: 8}
	long := func(last string) string { return `[{"note":"` + strings.Repeat("x", maxAuditedUsers) + last + `"}]` }
	for _, test := range []struct {
		name     string
		revision Revision
		change   func(*Organization)
		want     Change
	}{
		{"tier", Revision{Tier: Set(Pro)}, func(o *Organization) { o.Tier = Pro }, Change{"account_type", `"free"`, `"pro"`}},
		{"credits", Revision{Credits: Exactly(5)}, func(o *Organization) { o.Credits = 5 }, Change{"credit_count", `1000`, `5`}},
		{"more credits", Revision{Credits: Adding(5)}, func(o *Organization) { o.Credits = 1005 }, Change{"credit_count", `1000`, `1005`}},
		{"all credits", Revision{Credits: Adding(-1000)}, func(o *Organization) { o.Credits = 0 }, Change{"credit_count", `1000`, `0`}},
		{"usage", Revision{Usage: Adding(9)}, func(o *Organization) { o.CurrentMonthUsage = 9 }, Change{"current_month_usage", `0`, `9`}},
		{"billing", Revision{AutoBilling: Set(true)}, func(o *Organization) { o.AutoBilling = true },
			Change{"auto_billing_enabled", `false`, `true`}},
		{"cycle", Revision{BillingCycleStart: Set(31)}, func(o *Organization) { o.BillingCycleStart = 31 },
			Change{"billing_cycle_start", `1`, `31`}},
		{"users", Revision{Users: Set(`[]`)}, func(o *Organization) { o.Users = new(`[]`) }, Change{"users", `[{"id":1}]`, `[]`}},
		{"no users", Revision{Users: Null[string]()}, func(o *Organization) { o.Users = nil }, Change{"users", `[{"id":1}]`, `null`}},
		{"many users", Revision{Users: Set(long(""))}, func(o *Organization) { o.Users = new(long("")) },
			Change{"users", `[{"id":1}]`, `"` + fingerprint(long("")) + `"`}},
		{"provider", Revision{AuthProviderOrgID: Set("x")}, func(o *Organization) { o.AuthProviderOrgID = new("x") },
			Change{"auth_provider_org_id", `"before"`, `"x"`}},
		{"no provider", Revision{AuthProviderOrgID: Null[string]()}, func(o *Organization) { o.AuthProviderOrgID = nil },
			Change{"auth_provider_org_id", `"before"`, `null`}},
		{"API URL", Revision{APIURL: Set("https://x.example")}, func(o *Organization) { o.APIURL = new("https://x.example") },
			Change{"api_url", `"https://before.example"`, `"https://x.example"`}},
		{"no API URL", Revision{APIURL: Null[string]()}, func(o *Organization) { o.APIURL = nil },
			Change{"api_url", `"https://before.example"`, `null`}},
		{"one limit", Revision{Limits: RateLimits{Upload: 3}}, func(o *Organization) { o.Override.Upload = 3 },
			Change{"rate_limits", `{"data":8,"search":7}`, `{"data":8,"search":7,"upload":3}`}},
		{"one limit back", Revision{ResetLimits: []Category{Search}}, func(o *Organization) { o.Override.Search = 0 },
			Change{"rate_limits", `{"data":8,"search":7}`, `{"data":8}`}},
		{"all limits back but one", Revision{Patch: Patch{RateLimits: Null[RateLimits]()}, Limits: RateLimits{Data: 9}},
			func(o *Organization) { o.Override = RateLimits{Data: 9} }, Change{"rate_limits", `{"data":8,"search":7}`, `{"data":9}`}},
		{"what a patch can", Revision{Patch: Patch{Name: Set("B")}}, func(o *Organization) { o.Name = "B" },
			Change{"organization_name", `"A"`, `"B"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, changes, err := full.Revise(test.revision, epoch)
			want := full
			test.change(&want)
			want.Version, want.UpdatedAt = full.Version+1, got.UpdatedAt
			if diff := cmp.Diff(want, got, compare()); diff != "" || err != nil || !got.UpdatedAt.After(full.UpdatedAt) {
				t.Errorf("Revise = %v, updated at %v (-want +got):\n%s", err, got.UpdatedAt, diff)
			}
			if diff := cmp.Diff([]Change{test.want}, changes); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			again, changes, err := got.Revise(test.revision, epoch)
			if !test.revision.Credits.Relative() && !test.revision.Usage.Relative() && (len(changes) != 0 || again.Version != got.Version || err != nil) {
				t.Errorf("the second Revise = version %d, %v, %v, want no change", again.Version, changes, err)
			}
		})
	}
}

// TestReviseRefuses checks that nothing at all changes when one number would leave its range.
func TestReviseRefuses(t *testing.T) {
	t.Parallel()
	before := New("A", Free, nil, epoch)
	before.CurrentMonthUsage = 3
	for _, test := range []struct {
		revision Revision
		want     RangeError
	}{
		{Revision{Credits: Adding(-1001)}, RangeError{"credit_count", 1000, -1001}},
		{Revision{Credits: Adding(math.MinInt64)}, RangeError{"credit_count", 1000, math.MinInt64}},
		{Revision{Credits: Adding(math.MaxInt64 - 999)}, RangeError{"credit_count", 1000, math.MaxInt64 - 999}},
		{Revision{Credits: Exactly(-1)}, RangeError{"credit_count", 1000, -1}},
		{Revision{Usage: Adding(-4)}, RangeError{"current_month_usage", 3, -4}},
	} {
		test.revision.Name, test.revision.Tier = Set("B"), Set(Pro)
		got, changes, err := before.Revise(test.revision, epoch)
		var rangeErr *RangeError
		if !errors.As(err, &rangeErr) || *rangeErr != test.want || len(changes) != 0 || !cmp.Equal(before, got, compare()) {
			t.Errorf("Revise(%+v) = %+v, %v, %v, want the record as it was and %+v", test.revision, got, changes, err, test.want)
		}
	}
	if got, _, err := before.Revise(Revision{Credits: Adding(math.MaxInt64 - 1000)}, epoch); err != nil || got.Credits != math.MaxInt64 {
		t.Errorf("Revise up to the largest number = %d, %v, want %d", got.Credits, err, int64(math.MaxInt64))
	}
}

// TestReviseAddsUp: relative amounts add up, even if other things change between them.
func TestReviseAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := records().Draw(t, "record")
		credits, usage, accepted := o.Credits, o.CurrentMonthUsage, o.Version
		for _, n := range rapid.SliceOf(rapid.Int64Range(-2_000, 2_000)).Draw(t, "amounts") {
			next, changes, err := o.Revise(Revision{Credits: Adding(n), Usage: Adding(2 * n)}, epoch)
			if refused := credits+n < 0 || usage+2*n < 0; refused != (err != nil) {
				t.Fatalf("adding %d to %d and %d to %d = %v", n, credits, 2*n, usage, err)
			}
			if err == nil {
				credits, usage = credits+n, usage+2*n
			}
			if len(changes) > 0 {
				accepted++
			}
			o = next
			o, changes = o.Apply(patches().Draw(t, "patch"), epoch)
			if len(changes) > 0 {
				accepted++
			}
		}
		if o.Credits != credits || o.CurrentMonthUsage != usage || o.Version != accepted {
			t.Fatalf("%d credits and %d used at version %d, want %d, %d and %d", o.Credits, o.CurrentMonthUsage, o.Version, credits, usage, accepted)
		}
	})
}

// TestReviseIsApply: a revision that is only a patch does what the patch does.
func TestReviseIsApply(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o, p := records().Draw(t, "record"), patches().Draw(t, "patch")
		want, wantChanges := o.Apply(p, epoch)
		got, changes, err := o.Revise(Revision{Patch: p}, epoch)
		if diff := cmp.Diff(want, got, compare()); diff != "" || err != nil || !cmp.Equal(wantChanges, changes) {
			t.Fatalf("Revise = %v, %v, want %v (-Apply +Revise):\n%s", changes, err, wantChanges, diff)
		}
	})
}

// TestTierMovesLimits: the limits of a new tier apply at once, except where they are overridden.
func TestTierMovesLimits(t *testing.T) {
	t.Parallel()
	o := New("A", Free, nil, epoch)
	o.Override = RateLimits{Search: 7}
	got, _, err := o.Revise(Revision{Tier: Set(Team)}, epoch)
	want := Team.Limits()
	want.Search = 7
	if got.Limits() != want || got.Credits != o.Credits || err != nil {
		t.Errorf("Revise = limits %+v, %d credits, %v, want %+v and %d", got.Limits(), got.Credits, err, want, o.Credits)
	}
}

func TestChecksOfTheOperator(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		check      func(string) error
		good, fail []string
	}{
		"CheckLogoURL": {CheckLogoURL, []string{"x", strings.Repeat("é", MaxURLLength)},
			[]string{"", "\xff", strings.Repeat("é", MaxURLLength+1)}},
		"CheckAPIURL": {CheckAPIURL, []string{"https://eu.api.example.com", "http://[::1]:8080/v1?a=b",
			"https://x.example/" + strings.Repeat("a", MaxURLLength-18)},
			[]string{"", "x", "//x.example", "ftp://x.example", "javascript:alert(1)", "https://", "https://x.example/ ",
				"https://x.example/é", "https://x.example/" + strings.Repeat("a", MaxURLLength-17)}},
		"CheckProviderID": {CheckProviderID, []string{"org_2abcDEF", strings.Repeat("~", MaxProviderIDLength)},
			[]string{"", " ", "é", "a\n", strings.Repeat("a", MaxProviderIDLength+1)}},
	} {
		for _, s := range test.good {
			if err := test.check(s); err != nil {
				t.Errorf("%s(%q) = %v, want no error", name, s, err)
			}
		}
		for _, s := range test.fail {
			if err := test.check(s); err == nil {
				t.Errorf("%s(%q) = nil, want an error", name, s)
			}
		}
	}
}
