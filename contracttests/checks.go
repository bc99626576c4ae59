package contracttests

import "slices"

// Checks returns the whole suite, each check under a name of its own.
func Checks() []Check { return slices.Concat(StatusChecks(), LawChecks(), MoreChecks()) }

// Lacks returns why a check cannot be run against the subject, and nothing if it can.
func Lacks(subject *Subject, check Check) []string {
	live := subject.Provision == nil
	var reasons []string
	for _, need := range []struct {
		need   Need
		lacks  bool
		reason string
	}{
		{NeedProvision, live, "it needs organizations of its own, in states that only their operator can bring about"},
		{NeedFaults, subject.Faulty == nil, "it needs a store that fails"},
		{NeedOther, live && subject.Other == nil, "it needs a key of a second organization"},
		{NeedRead, live && subject.Given.Keys[KeyRead] == "", "it needs a key that can only read"},
		{NeedRevoke, subject.Revoke == nil, "it needs to revoke a key"},
	} {
		if check.Needs&need.need != 0 && need.lacks {
			reasons = append(reasons, need.reason)
		}
	}
	return reasons
}
