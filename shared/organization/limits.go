package organization

import "errors"

// Tier is the account's tier. It decides the monthly credits and the rate limits.
type Tier string

// The tiers of the contract's AccountTier.
const (
	Free       Tier = "free"
	Pro        Tier = "pro"
	Team       Tier = "team"
	Enterprise Tier = "enterprise"
)

// Tiers returns all tiers, from the smallest to the largest.
func Tiers() []Tier { return []Tier{Free, Pro, Team, Enterprise} }

// ParseTier returns the tier with the name s. It returns an error if there is no such tier.
func ParseTier(s string) (Tier, error) {
	for _, t := range Tiers() {
		if string(t) == s {
			return t, nil
		}
	}
	return "", errors.New("a tier is one of free, pro, team and enterprise")
}

// MonthlyCredits returns the credits that the tier gives each month. ok is false if they are agreed with each customer.
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

// Limits returns the tier's rate limits.
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

// Category is a kind of operation. Each category has a rate limit of its own.
type Category string

// The categories of the contract's BaseRateLimits.
const (
	Metadata Category = "metadata"
	Data     Category = "data"
	Search   Category = "search"
	Upload   Category = "upload"
	Compute  Category = "compute"
)

// Categories returns all categories, in the order of the contract.
func Categories() []Category { return []Category{Metadata, Data, Search, Upload, Compute} }

// RateLimits holds the number of requests a minute for each category. In an override, 0 means that the category keeps
// the limit of the tier, so the zero RateLimits overrides nothing.
type RateLimits struct {
	Metadata, Data, Search, Upload, Compute int
}

// Of returns a pointer to the category's limit. It returns nil for an unknown category.
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

// Overlay returns l with the limits of the override in place of its own. Where the override has 0, l keeps its limit.
func (l RateLimits) Overlay(override RateLimits) RateLimits {
	for _, c := range Categories() {
		if n := *override.Of(c); n != 0 {
			*l.Of(c) = n
		}
	}
	return l
}
