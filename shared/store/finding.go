package store

// Finding is what a look at one part of an engine or of its surroundings told. Its texts are for the operator; they hold
// nothing secret.
type Finding struct {
	Check  string // what was looked at, in a word or two
	Level  Level
	Detail string // how it is
	Advice string // what to do; "" where nothing is to be done
}

// Level says how bad a finding is.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn" // it works, but not as it should
	Fail Level = "fail" // the service cannot work like this
)

// Healthy returns a finding of the level OK.
func Healthy(check, detail string) Finding {
	return Finding{Check: check, Level: OK, Detail: detail}
}

// Doubtful returns a finding of the level Warn.
func Doubtful(check, detail, advice string) Finding {
	return Finding{Check: check, Level: Warn, Detail: detail, Advice: advice}
}

// Broken returns a finding of the level Fail.
func Broken(check, detail, advice string) Finding {
	return Finding{Check: check, Level: Fail, Detail: detail, Advice: advice}
}
