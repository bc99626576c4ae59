package api

import (
	"fmt"
	"net/http"
	"strings"
)

// preconditions are those that a request states (RFC 9110, section 13.1). Those on times are not offered.
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
	// conditionPattern is that of the contract; parseTags accepts what it matches.
	conditionPattern = `^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$`
)

// readConditions reads both headers. One that cannot be read is a problem: to ignore it would do what the caller wanted
// to rule out.
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

func parseTags(value string) (tagList, *Problem) {
	value = strings.Trim(value, " \t")
	if len(value) > maxConditionLength {
		return tagList{}, &Problem{
			Msg:  fmt.Sprintf("String should have at most %d characters", maxConditionLength),
			Type: "string_too_long",
		}
	}
	if value == "*" {
		return tagList{present: true, any: true}, nil
	}
	malformed := &Problem{Msg: "String should match pattern '" + conditionPattern + "'", Type: "string_pattern_mismatch"}
	list := tagList{present: true}
	for {
		tag, rest, ok := cutTag(value)
		if !ok {
			return tagList{}, malformed
		}
		list.tags = append(list.tags, tag)
		if rest == "" {
			return list, nil
		}
		rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " "), ",")
		if !ok {
			return tagList{}, malformed
		}
		value = strings.TrimLeft(rest, " ")
	}
}

// cutTag takes one entity tag from the front.
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
		case c < '!' || c > '~':
			return entityTag{}, "", false
		}
	}
	return entityTag{}, "", false
}

// names reports whether the list has the tag. By strong comparison weak tags never match.
func (l tagList) names(etag string, strong bool) bool {
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

// forRead returns what a read answers, whose full answer is out.
func (c preconditions) forRead(out response) (response, error) {
	if c.ifMatch.present && !c.ifMatch.names(out.etag, true) {
		return response{}, versionMismatch("If-Match does not name the current version of the organization.")
	}
	if c.ifNoneMatch.present && c.ifNoneMatch.names(out.etag, false) {
		return response{status: http.StatusNotModified, etag: out.etag}, nil
	}
	return out, nil
}

// forChange refuses a change where the current version is not what the caller asked for.
func (c preconditions) forChange(call *call, current response) error {
	switch {
	case c.ifMatch.present && !c.ifMatch.names(current.etag, true):
		call.header.Set("ETag", current.etag)
		return versionMismatch("If-Match does not name the current version of the organization. Nothing was changed.")
	case c.ifNoneMatch.present && c.ifNoneMatch.names(current.etag, false):
		call.header.Set("ETag", current.etag)
		return versionMismatch("If-None-Match names the current version of the organization. Nothing was changed.")
	default:
		return nil
	}
}

func versionMismatch(message string) error {
	return &Error{Kind: PreconditionFailed, Message: message}
}
