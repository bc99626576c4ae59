package api

import "fmt"

// Problem is one reason why a request does not fit the contract: the JSON shape of ValidationError. Messages and types
// are worded as Pydantic v2 words them in strict mode, because clients of the API know those.
type Problem struct {
	Loc  []any  `json:"loc"` // strings and ints, from body or header inwards
	Msg  string `json:"msg"`
	Type string `json:"type"`
}

func invalid(problems []Problem) error {
	return &Error{Kind: Invalid, Message: fmt.Sprintf("%d problems in the request", len(problems)), Problems: problems}
}

// problems collects what is wrong with a body.
type problems []Problem

// maxProblems bounds how many problems of a body are told: a body can have tens of thousands, and an answer many times as
// long as its request would serve nobody but who wants to exhaust the service.
const maxProblems = 100

func (p *problems) add(loc []any, problemType, format string, args ...any) {
	if len(*p) == maxProblems {
		return
	}
	*p = append(*p, Problem{Loc: loc, Msg: fmt.Sprintf(format, args...), Type: problemType})
}

func (p *problems) notString(loc []any) { p.add(loc, "string_type", "Input should be a valid string") }

func (p *problems) notDictionary(loc []any) {
	p.add(loc, "dict_type", "Input should be a valid dictionary")
}

func (p *problems) notModel(loc []any) {
	p.add(loc, "model_attributes_type", "Input should be a valid dictionary or object to extract fields from")
}

func (p *problems) notInteger(loc []any) { p.add(loc, "int_type", "Input should be a valid integer") }

func (p *problems) tooShort(loc []any, least int) {
	p.add(loc, "string_too_short", "String should have at least %d %s", least, characters(least))
}

func (p *problems) tooLong(loc []any, most int) {
	p.add(loc, "string_too_long", "String should have at most %d %s", most, characters(most))
}

func (p *problems) tooSmall(loc []any, least int) {
	p.add(loc, "greater_than_equal", "Input should be greater than or equal to %d", least)
}

func (p *problems) tooGreat(loc []any, most int) {
	p.add(loc, "less_than_equal", "Input should be less than or equal to %d", most)
}

func (p *problems) notEmail(loc []any, reason error) {
	p.add(loc, "value_error", "value is not a valid email address: %s", reason)
}

// value reports a problem of a rule that the schema cannot state.
func (p *problems) value(loc []any, format string, args ...any) {
	p.add(loc, "value_error", "Value error, "+format, args...)
}

func characters(n int) string {
	if n == 1 {
		return "character"
	}
	return "characters"
}
