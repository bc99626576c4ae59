package contracttests

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Provision returns an organization for the check. On a live target that is the one that is given, whatever the spec
// says: checks that depend on the spec need NeedProvision. What the check changes of it is put back at the end.
func (s *Session) Provision(spec TenantSpec) Tenant {
	if s.Subject.Provision == nil {
		s.guard(s.Subject.Given)
		s.remember()
		return s.Subject.Given
	}
	t, err := s.Subject.Provision(s.ctx, spec)
	if err != nil {
		s.Stop("making an organization: %v", err)
	}
	s.guard(t)
	return t
}

// Another returns a second organization, which the check must only read: on a live target nobody puts it back.
func (s *Session) Another(spec TenantSpec) Tenant {
	if s.Subject.Provision != nil {
		return s.Provision(spec)
	}
	if s.Subject.Other == nil {
		s.Stop("there is no second organization")
	}
	s.guard(*s.Subject.Other)
	return *s.Subject.Other
}

// live reports whether the check shares its organization with others.
func (s *Session) live() bool { return s.Subject.Provision == nil }

// fresh returns a text that the organization does not have yet: on a live target an earlier run may have been cut off
// before it put things back.
func (s *Session) fresh(what string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names++
	return what + "-" + strconv.FormatInt(time.Now().UnixNano(), 36) + "-" + strconv.Itoa(s.names)
}

// caller is one organization in the hands of a check.
type caller struct {
	s *Session
	Tenant
}

func (s *Session) caller(spec TenantSpec) caller { return caller{s, s.Provision(spec)} }

func (c caller) get(kind KeyKind, headers ...string) Exchange {
	return c.s.Send(NewRequest(http.MethodGet, c.Keys[kind], nil, headers...))
}

func (c caller) patch(body string, headers ...string) Exchange {
	return c.s.Send(NewRequest(http.MethodPatch, c.Keys[KeyAdmin], []byte(body), headers...))
}

// read returns the record as it is now. The check ends where it cannot be read.
func (c caller) read() snapshot { return c.s.snapshot(c.get(KeyAdmin)) }

// change sends a PATCH that must succeed and returns what it answers.
func (c caller) change(body string, headers ...string) snapshot {
	return c.s.snapshot(c.patch(body, headers...))
}

// unchanged reports a record that is not what it was to the byte.
func (c caller) unchanged(before snapshot, after string) {
	now := c.read()
	if now.sameBytes(before) {
		return
	}
	c.s.FailExchange(now.x, "the record is not as before %s: %s", after, describeChange(before, now))
}

func describeChange(before, now snapshot) string {
	if names := before.differences(now); len(names) > 0 {
		return "changed " + strings.Join(names, ", ")
	}
	if before.etag != now.etag {
		return fmt.Sprintf("the ETag was %s and is %s", before.etag, now.etag)
	}
	return "it is written otherwise"
}

// wantStatus reports an answer with another status. No answer at all has been reported before.
func (s *Session) wantStatus(x Exchange, status int) bool {
	if x.Response.Status != status && x.Response.Status != 0 {
		s.FailExchange(x, "status is %d, want %d", x.Response.Status, status)
	}
	return x.Response.Status == status
}

// wantError reports an answer that is not an error of that status and code.
func (s *Session) wantError(x Exchange, status int, code string) {
	if !s.wantStatus(x, status) {
		return
	}
	if got := errorCode(x.Response.Body); got != code {
		s.FailExchange(x, "the error's code is %s, want %s", describe(got, nil), code)
	}
}

func errorCode(body []byte) string {
	var answer struct{ Error struct{ Code string } }
	_ = json.Unmarshal(body, &answer) // what is no error has no code
	return answer.Error.Code
}

// member is a member of a JSON object, with its value as text.
type member struct{ name, value string }

func object(members ...member) string {
	var out strings.Builder
	for i, m := range members {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(jsonString(m.name) + ":" + m.value)
	}
	return "{" + out.String() + "}"
}

func jsonString(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err) // strings always encode
	}
	return string(encoded)
}

// named returns the member of that name, or one without a value.
func named(members []member, name string) member {
	if i := slices.IndexFunc(members, func(m member) bool { return m.name == name }); i >= 0 {
		return members[i]
	}
	return member{name: name}
}
