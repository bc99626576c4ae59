package contracttests

import "slices"

// LawChecks returns the laws that no schema states, each as a check of its own, and the state machine that mixes them.
func LawChecks() []Check {
	return slices.Concat(
		fieldLaws(), changeLaws(), conditionLaws(), refusalLaws(), valueLaws(), limitLaws(),
		rateLimitLaws(), tenantLaws(), readingLaws(), []Check{StateMachine(DefaultMachine())},
	)
}

// law is a check whose organizations are of the tier pro, with nothing set, unless it makes them itself.
func law(name string, needs Need, run func(s *Session)) Check {
	return Check{Name: "laws/" + name, Needs: needs, Run: run}
}
