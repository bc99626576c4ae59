package api

import (
	"fmt"
	"net/http"
	"strings"
)

// preconditions are a request's If-Match and If-None-Match (RFC 9110, section 13.1). The preconditions on times are not
// supported.
type preconditions struct {
	ifMatch     tagList
	ifNoneMatch tagList
}

// tagList is the value of If-Match or If-None-Match.
type tagList struct {
	present bool
	any     bool // *
	tags    []entityTag
}

type entityTag struct {
	weak   bool
	opaque string // with its quotes
}

const (
	maxConditionLength = 4096
	// conditionPattern is the contract's pattern of both headers: * or a list of entity tags, by RFC 9110, sections
	// 5.6.1 and 8.8.3. The list may have empty elements, and spaces and tabs around its commas. parseTags accepts
	// exactly what it matches. Only one way of reading a text fits the pattern, so that no engine tries many.
	conditionPattern = `^(\*|((W/)?"[^\x00-\x20"\x7F]*")?([ \t]*,([ \t]*(W/)?"[^\x00-\x20"\x7F]*")?)*)$`

	// whiteSpace is the OWS of RFC 9110, section 5.6.3.
	whiteSpace = " \t"
)

// readConditions reads both headers. It returns a problem for a header that it cannot parse: ignoring the header would
// do what the caller wants to prevent.
func readConditions(r *http.Request) (preconditions, []Problem) {
	var (
		c        preconditions
		problems []Problem
	)
	for _, header := range []struct {
		name string
		list *tagList
	}{{"If-Match", &c.ifMatch}, {"If-None-Match", &c.ifNoneMatch}} {
		values := r.Header.Values(header.name)
		if len(values) == 0 {
			continue
		}
		list, problem := parseTags(strings.Join(values, ", "))
		if problem != nil {
			problem.Loc = []any{"header", strings.ToLower(header.name)}
			problems = append(problems, *problem)
		}
		*header.list = list
	}
	return c, problems
}

// parseTags parses a header's value: * or a list of entity tags. An empty list names no version. The caller sets the
// problem's Loc.
func parseTags(value string) (tagList, *Problem) {
	value = strings.Trim(value, whiteSpace)
	if len(value) > maxConditionLength {
		return tagList{}, &Problem{
			Msg:  fmt.Sprintf("String should have at most %d characters", maxConditionLength),
			Type: "string_too_long",
		}
	}
	if value == "*" {
		return tagList{present: true, any: true}, nil
	}
	malformed := &Problem{
		Msg:  "String should match pattern '" + conditionPattern + "'",
		Type: "string_pattern_mismatch",
	}
	list := tagList{present: true}
	for value != "" {
		if value[0] != ',' { // otherwise the element is empty
			tag, rest, ok := cutTag(value)
			if !ok {
				return tagList{}, malformed
			}
			list.tags = append(list.tags, tag)
			value = strings.TrimLeft(rest, whiteSpace)
			if value == "" {
				break
			}
		}
		rest, ok := strings.CutPrefix(value, ",")
		if !ok {
			return tagList{}, malformed
		}
		value = strings.TrimLeft(rest, whiteSpace)
	}
	return list, nil
}

// cutTag cuts one entity tag from the front of value. A tag may have any byte from 0x80 on: obs-text, which was Latin-1
// once and is UTF-8 mostly.
func cutTag(value string) (tag entityTag, rest string, ok bool) {
	value, tag.weak = strings.CutPrefix(value, "W/")
	if !strings.HasPrefix(value, `"`) {
		return entityTag{}, "", false
	}
	for i := 1; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"':
			tag.opaque = value[:i+1]
			return tag, value[i+1:], true
		case c <= ' ' || c == 0x7f:
			return entityTag{}, "", false
		}
	}
	return entityTag{}, "", false
}

// matches reports whether the list is * or has the ETag. In a strong comparison, weak tags do not match.
func (l tagList) matches(etag string, strong bool) bool {
	if l.any {
		return true
	}
	for _, tag := range l.tags {
		if tag.opaque == etag && !(strong && tag.weak) {
			return true
		}
	}
	return false
}

// forGet applies the preconditions to a GET. It returns out, a 304, or a 412 error.
func (c preconditions) forGet(out response) (response, error) {
	if c.ifMatch.present && !c.ifMatch.matches(out.etag, true) {
		return response{}, versionMismatch("If-Match does not name the current version of the organization.")
	}
	if c.ifNoneMatch.present && c.ifNoneMatch.matches(out.etag, false) {
		return response{status: http.StatusNotModified, etag: out.etag}, nil
	}
	return out, nil
}

// forUpdate applies the preconditions to an update of the current version. It returns nil or a 412 error.
func (c preconditions) forUpdate(current response) error {
	if c.ifMatch.present && !c.ifMatch.matches(current.etag, true) {
		return versionMismatch("If-Match does not name the current version of the organization. Nothing was changed.")
	}
	if c.ifNoneMatch.present && c.ifNoneMatch.matches(current.etag, false) {
		return versionMismatch("If-None-Match names the current version of the organization. Nothing was changed.")
	}
	return nil
}

func versionMismatch(message string) error {
	return &Error{Type: PreconditionFailed, Message: message}
}
