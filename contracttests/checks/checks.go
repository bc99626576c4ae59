package checks

import (
	"slices"

	"organizations-api/contracttests/harness"
)

// All returns the whole suite, each check under a name of its own.
func All() []harness.Check { return slices.Concat(StatusChecks(), LawChecks(), MoreChecks()) }

// LawChecks returns the laws that no schema states, each as a check of its own, and the state machine that mixes them.
func LawChecks() []harness.Check {
	return slices.Concat(
		fieldLaws(), changeLaws(), conditionLaws(), refusalLaws(), valueLaws(), limitLaws(),
		rateLimitLaws(), tenantLaws(), readingLaws(), []harness.Check{StateMachine(DefaultMachine())},
	)
}

// law is a check whose organizations are of the tier pro, with nothing set, unless it makes them itself.
func law(name string, needs harness.Need, run func(s *harness.Session)) harness.Check {
	return harness.Check{Name: "laws/" + name, Needs: needs, Run: run}
}

// MoreChecks returns laws that mutants have shown to be missing among the others.
func MoreChecks() []harness.Check {
	return []harness.Check{
		law("limited-change-changes-nothing", harness.NeedProvision, limitedChange),
		law("unknown-keys-look-alike", harness.NeedProvision, unknownKeys),
		law("rate-limits-empty-takes-back", harness.NeedProvision, emptyLimits),
	}
}
