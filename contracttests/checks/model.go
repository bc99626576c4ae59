package checks

import (
	"encoding/json"
	"maps"
	"net/http"

	"organizations-api/contracttests/harness"
)

// model is the state that an organization must have after the steps so far. It starts with the first read.
type model struct {
	tier    string
	shown   harness.Snapshot           // the last answer that showed it
	members map[string]json.RawMessage // as they must be now; updated_at is that of shown
	etags   []string                   // all that it has had, the current one last
	sent    limits                     // the override, once one was sent
	known   bool                       // whether one was
}

func newModel(first harness.Snapshot) *model {
	return &model{tier: first.Text("account_type"), shown: first, members: maps.Clone(first.Members),
		etags: []string{first.ETag}}
}

func (m *model) etag() string { return m.etags[len(m.etags)-1] }

// header returns the value of a condition.
func (m *model) header(t tag) string {
	switch t {
	case tagCurrent:
		return m.etag()
	case tagWeak:
		return "W/" + m.etag()
	case tagOld:
		if len(m.etags) > 1 {
			return m.etags[len(m.etags)-2]
		}
		return `"never"`
	case tagAny:
		return "*"
	default:
		return ""
	}
}

// status returns the status that the answer to a step must have.
func (m *model) status(one step) int {
	switch {
	case one.method == http.MethodPatch && one.key != harness.KeyAdmin:
		return http.StatusForbidden
	case one.refused != "":
		return one.status
	case one.match == tagWeak || one.match == tagOld: // If-Match compares strongly
		return http.StatusPreconditionFailed
	case one.none == tagAbsent || one.none == tagOld:
		return http.StatusOK
	case one.method == http.MethodGet:
		return http.StatusNotModified
	default:
		return http.StatusPreconditionFailed
	}
}

// verdict says whether a PATCH changes the record.
type verdict int

const (
	changesNothing verdict = iota
	changes
	mayChange // the override changes and the limits in force do not; the document does not say which it is
)

// apply makes the changes of an accepted PATCH.
func (m *model) apply(one step) verdict {
	out := changesNothing
	if one.limits != nil { // null leaves the limits
		out = m.applyLimits(one.limits)
	}
	for _, field := range one.fields {
		settable := false
		for _, name := range harness.Restorable() {
			settable = settable || name == field.name
		}
		value := json.RawMessage(field.value)
		switch {
		case !settable || field.value == "null" && !one.merge:
			continue
		case one.merge:
			value = m.merged(field)
		}
		if !harness.SameJSON(m.members[field.name], value) {
			m.members[field.name], out = value, changes
		}
	}
	return out
}

// merged returns the result of a merge patch for a field.
func (m *model) merged(field member) json.RawMessage {
	if field.value == "null" {
		for _, empty := range cleared() {
			if empty.name == field.name {
				return json.RawMessage(empty.value)
			}
		}
	}
	if field.value[0] == '{' {
		return merged(m.members[field.name], json.RawMessage(field.value))
	}
	return json.RawMessage(field.value)
}

func (m *model) applyLimits(override limits) verdict {
	inForce := json.RawMessage(tierLimits(m.tier).overlaid(override).json())
	same := m.known && maps.Equal(m.sent, override)
	m.sent, m.known = override, true
	if !sameLimits(m.members["rate_limits"], inForce) {
		m.members["rate_limits"] = inForce
		return changes
	}
	if same {
		return changesNothing
	}
	return mayChange
}

func sameLimits(a, b json.RawMessage) bool {
	var left, right limits
	return json.Unmarshal(a, &left) == nil && json.Unmarshal(b, &right) == nil && maps.Equal(left, right)
}
