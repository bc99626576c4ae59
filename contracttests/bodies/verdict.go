package bodies

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// bodyVerdict is the opinion of a body that the generator, the document or the service has.
type bodyVerdict struct {
	Belief Belief
	places []string // JSON pointers, clipped, sorted and each once
}

func newBodyVerdict(belief Belief, pointers []string) bodyVerdict {
	v := bodyVerdict{Belief: belief}
	for _, p := range pointers {
		v.places = append(v.places, judge.Clip(p, judge.MaxPointer)) // as the oracle shows them
	}
	slices.Sort(v.places)
	v.places = slices.Compact(v.places)
	return v
}

func (v bodyVerdict) equal(other bodyVerdict) bool {
	return v.Belief == other.Belief && slices.Equal(v.places, other.places)
}

func (v bodyVerdict) String() string {
	if v.Belief != Invalid {
		return string(v.Belief)
	}
	quoted := make([]string, len(v.places))
	for i, place := range v.places {
		quoted[i] = `"` + place + `"`
	}
	return "invalid at " + strings.Join(quoted, ", ")
}

// verdict returns the generator's opinion of the body.
func (c Case) verdict() bodyVerdict { return newBodyVerdict(c.Belief, c.Broken) }

// OracleVerdict returns the document's opinion of a request's body. Everything else in the request must be right.
func OracleVerdict(v *judge.Validator, r judge.Request) bodyVerdict {
	var places []string
	for _, found := range v.CheckRequest(judge.Exchange{Request: r}) {
		name, _, _ := strings.Cut(string(found.Rule), "-")
		switch {
		case name == "json" || name == "body" || name == "content" || name == "media":
			return bodyVerdict{Belief: Unreadable}
		case found.Header != "":
			places = append(places, "header "+found.Header)
		default:
			places = append(places, found.Pointer)
		}
	}
	if len(places) == 0 {
		return bodyVerdict{Belief: Valid}
	}
	return newBodyVerdict(Invalid, places)
}

// serviceVerdict returns the service's opinion of a body, from the response. It returns an error if the status does not
// tell.
func serviceVerdict(x judge.Response) (bodyVerdict, error) {
	switch x.Status {
	case http.StatusOK:
		return bodyVerdict{Belief: Valid}, nil
	case http.StatusBadRequest:
		return bodyVerdict{Belief: Unreadable}, nil
	case http.StatusUnprocessableEntity:
		places, err := problemPlaces(x.Body)
		return newBodyVerdict(Invalid, places), err
	default:
		return bodyVerdict{}, fmt.Errorf("the status is %d", x.Status)
	}
}

// problemPlaces returns the places that a validation error names, as JSON pointers.
func problemPlaces(body []byte) ([]string, error) {
	var answer struct {
		Detail []struct{ Loc []any }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("the validation error cannot be read: %w", err)
	}
	var places []string
	for _, problem := range answer.Detail {
		var tokens []string
		for _, step := range problem.Loc {
			tokens = append(tokens, fmt.Sprint(step))
		}
		switch {
		case len(tokens) == 0:
			places = append(places, "nowhere")
		case tokens[0] == "body":
			places = append(places, judge.Pointer(tokens[1:]))
		default:
			places = append(places, strings.Join(tokens, " "))
		}
	}
	return places, nil
}

// kept returns what the record must show after a valid body, if its objects were empty before: each member under its
// first name, and without the members that a merge patch removes.
func (l BodyLimits) kept(sent any) any {
	object, ok := sent.(map[string]any)
	if !ok {
		return sent
	}
	out := maps.Clone(object)
	for _, names := range l.Aliases {
		if value, ok := out[names[1]]; ok && value != nil {
			out[names[0]] = value
		}
		delete(out, names[1])
	}
	if l.Merges {
		return withoutNulls(out)
	}
	return out
}

// withoutNulls returns the object without null members, also inside of its objects.
func withoutNulls(value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	out := map[string]any{}
	for name, member := range object {
		if member != nil {
			out[name] = withoutNulls(member)
		}
	}
	return out
}

// shows reports whether a record has the values that were sent. It compares all members that the schema declares. For
// null it accepts any value, because only rules of the service say what null does.
func shows(s *spec.Schema, sent, got any) bool {
	declared := s.Place().Properties()
	object, isObject := sent.(map[string]any)
	if !isObject || len(declared) == 0 {
		return sent == nil || equalJSON(sent, got)
	}
	shown, _ := got.(map[string]any)
	for _, name := range declared {
		member, wasSent := object[name]
		if value, ok := shown[name]; wasSent && !(ok && shows(memberOf(s.Place(), name), member, value)) {
			return false
		}
	}
	return true
}
