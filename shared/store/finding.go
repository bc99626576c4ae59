package store

// Finding is the result of one check of an engine or of its environment. Its texts are for the operator. They contain
// no secret.
type Finding struct {
	Check  string // what was checked, in a word or two
	Level  Level
	Detail string // what the check found
	Advice string // what the operator should do; "": nothing
}

// Level says how serious a finding is.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn" // the service works, but not as it should
	Fail Level = "fail" // the service cannot work
)

// Healthy returns a finding with the level OK.
func Healthy(check, detail string) Finding {
	return Finding{Check: check, Level: OK, Detail: detail}
}

// Doubtful returns a finding with the level Warn.
func Doubtful(check, detail, advice string) Finding {
	return Finding{Check: check, Level: Warn, Detail: detail, Advice: advice}
}

// Broken returns a finding with the level Fail.
func Broken(check, detail, advice string) Finding {
	return Finding{Check: check, Level: Fail, Detail: detail, Advice: advice}
}
