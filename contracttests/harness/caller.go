package harness

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"organizations-api/contracttests/judge"
)

// Together calls a function several times at once.
func Together[T any](times int, call func(i int) T) []T {
	out := make([]T, times)
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() { out[i] = call(i) })
	}
	all.Wait()
	return out
}

// Provision returns an organization for the check. On a live target that is the one that is given, whatever the spec
// says: checks that depend on the spec need NeedProvision. What the check changes of it is put back at the end.
func (s *Session) Provision(spec TenantSpec) Tenant {
	if s.Subject.Provision == nil {
		s.guard(s.Subject.Given)
		s.remember()
		return s.Subject.Given
	}
	t, err := s.Subject.Provision(s.Ctx, spec)
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

// Live reports whether the check shares its organization with others.
func (s *Session) Live() bool { return s.Subject.Provision == nil }

// Fresh returns a text that the organization does not have yet: on a live target an earlier run may have been cut off
// before it put things back.
func (s *Session) Fresh(what string) string {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.names++
	return what + "-" + strconv.FormatInt(time.Now().UnixNano(), 36) + "-" + strconv.Itoa(s.names)
}

// Caller is one organization in the hands of a check.
type Caller struct {
	Session *Session
	Tenant
}

func (s *Session) Caller(spec TenantSpec) Caller { return Caller{s, s.Provision(spec)} }

func (c Caller) Get(kind KeyKind, headers ...string) judge.Exchange {
	return c.Session.Send(NewRequest(http.MethodGet, c.Keys[kind], nil, headers...))
}

func (c Caller) Patch(body string, headers ...string) judge.Exchange {
	return c.Session.Send(NewRequest(http.MethodPatch, c.Keys[KeyAdmin], []byte(body), headers...))
}

// Read returns the record as it is now. The check ends where it cannot be read.
func (c Caller) Read() Snapshot { return c.Session.Snapshot(c.Get(KeyAdmin)) }

// Change sends a PATCH that must succeed and returns what it answers.
func (c Caller) Change(body string, headers ...string) Snapshot {
	return c.Session.Snapshot(c.Patch(body, headers...))
}

// Unchanged reports a record that is not what it was to the byte.
func (c Caller) Unchanged(before Snapshot, after string) {
	now := c.Read()
	if now.SameBytes(before) {
		return
	}
	c.Session.FailExchange(now.Exchange, "the record is not as before %s: %s", after, DescribeChange(before, now))
}

func DescribeChange(before, now Snapshot) string {
	if names := before.Differences(now); len(names) > 0 {
		return "changed " + strings.Join(names, ", ")
	}
	if before.Etag != now.Etag {
		return fmt.Sprintf("the ETag was %s and is %s", before.Etag, now.Etag)
	}
	return "it is written otherwise"
}

// WantStatus reports an answer with another status. No answer at all has been reported before.
func (s *Session) WantStatus(x judge.Exchange, status int) bool {
	if x.Response.Status != status && x.Response.Status != 0 {
		s.FailExchange(x, "status is %d, want %d", x.Response.Status, status)
	}
	return x.Response.Status == status
}

// WantError reports an answer that is not an error of that status and code.
func (s *Session) WantError(x judge.Exchange, status int, code string) {
	if !s.WantStatus(x, status) {
		return
	}
	if got := errorCode(x.Response.Body); got != code {
		s.FailExchange(x, "the error's code is %s, want %s", judge.Describe(got, nil), code)
	}
}

func errorCode(body []byte) string {
	var answer struct{ Error struct{ Code string } }
	_ = json.Unmarshal(body, &answer) // what is no error has no code
	return answer.Error.Code
}

// Member is a member of a JSON object, with its value as text.
type Member struct{ Name, Value string }

func Object(members ...Member) string {
	var out strings.Builder
	for i, m := range members {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(JsonString(m.Name) + ":" + m.Value)
	}
	return "{" + out.String() + "}"
}

func JsonString(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err) // strings always encode
	}
	return string(encoded)
}

// Named returns the member of that name, or one without a value.
func Named(members []Member, name string) Member {
	if i := slices.IndexFunc(members, func(m Member) bool { return m.Name == name }); i >= 0 {
		return members[i]
	}
	return Member{Name: name}
}
