package contracttests

// OrganizationWaivers returns what this repository's document declares and its service never does.
func OrganizationWaivers() []Waiver {
	return []Waiver{{
		Item:   "response property: ErrorResponse /error/code null",
		Reason: "Every error of this service has a code. The document allows null because its model does.",
	}}
}
