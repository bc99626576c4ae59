package organization

import "fmt"

// Tier is the account's tier. It sets the monthly credits and the rate limits that apply where no override does.
type Tier string

// The tiers of the contract's AccountTier.
const (
	Free       Tier = "free"
	Pro        Tier = "pro"
	Team       Tier = "team"
	Enterprise Tier = "enterprise"
)

// Tiers returns all tiers, the smallest first.
func Tiers() []Tier { return []Tier{Free, Pro, Team, Enterprise} }

// ParseTier checks that s names a tier.
func ParseTier(s string) (Tier, error) {
	for _, t := range Tiers() {
		if string(t) == s {
			return t, nil
		}
	}
	return "", fmt.Errorf("a tier is one of free, pro, team and enterprise")
}

// MonthlyCredits returns the credits that come with the tier each month; ok is false where they are agreed individually.
func (t Tier) MonthlyCredits() (credits int64, ok bool) {
	switch t {
	case Pro:
		return 100_000, true
	case Team:
		return 1_000_000, true
	case Enterprise:
		return 0, false
	default:
		return 1_000, true
	}
}

// Limits returns the limits that the tier computes.
func (t Tier) Limits() RateLimits {
	switch t {
	case Pro:
		return RateLimits{Metadata: 100, Data: 60, Search: 60, Upload: 30, Compute: 30}
	case Team, Enterprise:
		return RateLimits{Metadata: 200, Data: 100, Search: 100, Upload: 50, Compute: 50}
	default:
		return RateLimits{Metadata: 20, Data: 10, Search: 10, Upload: 5, Compute: 5}
	}
}

// The bounds of one limit, in requests a minute.
const (
	MinLimit = 1
	MaxLimit = 1_000_000
)

// Category is a kind of operation that is limited on its own.
type Category string

// The categories of the contract's BaseRateLimits.
const (
	Metadata Category = "metadata"
	Data     Category = "data"
	Search   Category = "search"
	Upload   Category = "upload"
	Compute  Category = "compute"
)

// Categories returns all categories in the order of the contract.
func Categories() []Category { return []Category{Metadata, Data, Search, Upload, Compute} }

// RateLimits holds a number of requests a minute for each category.
type RateLimits struct {
	Metadata, Data, Search, Upload, Compute int
}

// Override replaces the limits of some categories. 0 leaves a category as the tier computes it; the zero Override
// overrides nothing.
type Override RateLimits

// Of returns a pointer to the category's limit, or nil for an unknown category.
func (l *RateLimits) Of(c Category) *int {
	switch c {
	case Metadata:
		return &l.Metadata
	case Data:
		return &l.Data
	case Search:
		return &l.Search
	case Upload:
		return &l.Upload
	case Compute:
		return &l.Compute
	default:
		return nil
	}
}

// Of returns a pointer to the category's override, or nil for an unknown category.
func (o *Override) Of(c Category) *int { return (*RateLimits)(o).Of(c) }

// Overlay returns the limits with the override's categories in their places.
func (l RateLimits) Overlay(o Override) RateLimits {
	for _, c := range Categories() {
		if n := *o.Of(c); n != 0 {
			*l.Of(c) = n
		}
	}
	return l
}
