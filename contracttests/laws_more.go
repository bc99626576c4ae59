package contracttests

func MoreChecks() []Check { return nil }
