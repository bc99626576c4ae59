package organization

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Revision is a change that the operator asks for. It can change what a Patch can, and the properties that no caller of
// the API may change. An absent field leaves the property as it is. The comment at each field says what null does.
// Values must be within the bounds of this package.
type Revision struct {
	Patch

	Tier              Field[Tier]   // null leaves the tier as it is; the limits of the new tier are in force at once
	Credits           Amount        // Tier does not change them
	AutoBilling       Field[bool]   // null leaves it as it is
	BillingCycleStart Field[int]    // MinCycleDay to MaxCycleDay; null leaves it as it is
	Usage             Amount        // of the current month
	Users             Field[string] // the text of a JSON array of objects; null clears it
	AuthProviderOrgID Field[string] // null clears it
	APIURL            Field[string] // null clears it

	// ResetLimits names the categories that get the limit of the tier again. Limits are the limits of single
	// categories; 0 leaves a category as it is. Both come after Patch.RateLimits, which replaces the whole override.
	ResetLimits []Category
	Limits      RateLimits
}

// Amount is a new value for a number, or what to add to it. The zero Amount leaves the number as it is.
type Amount struct {
	kind amountKind
	n    int64
}

type amountKind uint8

const (
	untouched amountKind = iota
	exact
	relative
)

// Exactly returns the Amount that sets a number to n, which must not be negative.
func Exactly(n int64) Amount { return Amount{exact, n} }

// Adding returns the Amount that adds n to a number. n may be negative.
func Adding(n int64) Amount { return Amount{relative, n} }

// Relative reports whether the amount is added to the present value. If you make such a change twice, it adds twice.
func (a Amount) Relative() bool { return a.kind == relative }

// ParseAmount reads a number as the new value, and a number after a sign, + or -, as what to add.
func ParseAmount(s string) (Amount, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return Amount{}, errors.New("an amount is a whole number, or +N or -N to add to what there is")
	}
	if s[0] == '+' || s[0] == '-' {
		return Adding(n), nil
	}
	return Exactly(n), nil
}

// RangeError says that a number would become negative, or larger than 64 bits can hold.
type RangeError struct {
	Field      string // the name in the contract
	Before, By int64  // what there is, and what was to be added
}

func (e *RangeError) Error() string {
	if e.By > 0 {
		return fmt.Sprintf("%s is %d and cannot have %d more", e.Field, e.Before, e.By)
	}
	return fmt.Sprintf("%s is %d and must not fall below 0", e.Field, e.Before)
}

// of returns the new value of the number n, which is the property with the name field.
func (a Amount) of(field string, n int64) (int64, error) {
	switch {
	case a.kind == untouched:
		return n, nil
	case a.kind == exact && a.n >= 0:
		return a.n, nil
	case a.kind == relative && a.n <= math.MaxInt64-max(n, 0) && n+a.n >= 0:
		return n + a.n, nil
	default:
		return 0, &RangeError{Field: field, Before: n, By: a.n}
	}
}

// Revise returns the record with the whole revision applied, and the changes, as Apply does. If a number would leave
// its range, it returns a *RangeError and the record as it was.
func (o Organization) Revise(r Revision, now time.Time) (Organization, []Change, error) {
	next := o.patched(r.Patch)
	var err error
	if next.Credits, err = r.Credits.of(fieldCredits, o.Credits); err != nil {
		return o, nil, err
	}
	if next.CurrentMonthUsage, err = r.Usage.of(fieldUsage, o.CurrentMonthUsage); err != nil {
		return o, nil, err
	}
	if tier, ok := r.Tier.Value(); ok {
		next.Tier = tier
	}
	if on, ok := r.AutoBilling.Value(); ok {
		next.AutoBilling = on
	}
	if day, ok := r.BillingCycleStart.Value(); ok {
		next.BillingCycleStart = day
	}
	next.Users = optional(o.Users, r.Users)
	next.AuthProviderOrgID = optional(o.AuthProviderOrgID, r.AuthProviderOrgID)
	next.APIURL = optional(o.APIURL, r.APIURL)
	for _, c := range r.ResetLimits {
		*next.Override.Of(c) = 0
	}
	next.Override = next.Override.Overlay(r.Limits)
	revised, changes := o.succeededBy(next, now)
	return revised, changes, nil
}
