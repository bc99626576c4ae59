package checks

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// statusCase is one way to get a declared response.
type statusCase struct {
	name   string // what is done to get it
	method string
	status int
	code   string   // of an ErrorResponse
	loc    []string // of a validation error
	// problem is the type of the problem there; "" is any.
	problem string
	key     harness.KeyKind // of the caller; "" is none
	spec    harness.TenantSpec
	needs   harness.Need
	fault   harness.Fault
	body    string   // of a PATCH; "" is one that would change something
	header  []string // name, value, name, value
	// edit changes the request further; current is the ETag of the record.
	edit func(r *judge.Request, current string)
}

// statusChecks returns checks that get every declared response and every code of an error, at least once for each
// operation.
func statusChecks() []harness.Check {
	var all []harness.Check
	for _, c := range statusCases() {
		if c.spec.Keys == nil {
			c.spec.Keys = []harness.KeyKind{c.key}
		}
		all = append(all, harness.Check{Name: c.fullName(), Needs: c.needs, Run: c.run})
	}
	return all
}

func statusCases() []statusCase {
	var all []statusCase
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		for _, c := range slices.Concat(unauthorizedCases(), unreadableCases(), conditionCases(), stateCases(),
			faultCases()) {
			c.method = method
			all = append(all, c)
		}
	}
	return slices.Concat(all, readCases(), changeCases(), malformedCases(), invalidCases())
}

func (c statusCase) fullName() string {
	return fmt.Sprintf("status/%s-%d/%s", strings.ToLower(c.method), c.status, c.name)
}

func (c statusCase) run(s *harness.Session) {
	who := s.Caller(c.spec)
	target, current := s.Subject.Target, ""
	if c.fault != "" {
		target = s.Subject.Faulty(c.fault)
	}
	if c.edit != nil {
		current = who.Read().ETag
	}
	x := s.SendTo(target, c.request(who.Tenant, current))
	if c.status == http.StatusTooManyRequests {
		x = untilRefused(s, x)
	}
	c.judge(s, x)
}

// untilRefused repeats a request until it exceeds a limit of one. It needs two tries, because a new minute may begin in
// between.
func untilRefused(s *harness.Session, x judge.Exchange) judge.Exchange {
	for range 2 {
		if x.Response.Status != http.StatusTooManyRequests {
			x = s.Send(x.Request)
		}
	}
	return x
}

func (c statusCase) request(t harness.Tenant, current string) judge.Request {
	var body []byte
	if c.method == http.MethodPatch {
		body = []byte(c.body)
		if c.body == "" {
			body = []byte(`{"organization_name":"Changed by a status check"}`)
		}
	}
	r := harness.NewRequest(c.method, t.Keys[c.key], body, c.header...)
	if c.edit != nil {
		c.edit(&r, current)
	}
	return r
}

func (c statusCase) judge(s *harness.Session, x judge.Exchange) {
	if c.code == "" {
		s.WantStatus(x, c.status)
		return
	}
	s.WantError(x, c.status, c.code)
	if c.loc != nil && x.Response.Status == c.status {
		wantProblem(s, x, c.problem, c.loc)
	}
}

// wantProblem reports a validation error without a problem of that type at that place. If the type is "", any will do.
func wantProblem(s *harness.Session, x judge.Exchange, typ string, want []string) {
	var answer struct {
		Detail []struct {
			Loc  []any
			Type string
		}
	}
	_ = json.Unmarshal(x.Response.Body, &answer) // a body that is not a validation error names no place
	var places []string
	for _, problem := range answer.Detail {
		place := fmt.Sprint(problem.Loc)
		if place == fmt.Sprint(want) {
			if typ != "" && problem.Type != typ {
				s.FailExchange(x, "the problem at %s is of the type %s, want %s", place,
					judge.Describe(problem.Type, nil), typ)
			}
			return
		}
		places = append(places, place)
	}
	s.FailExchange(x, "the problem is placed at %s, want %v", strings.Join(places, ", "), want)
}

// withTag returns an edit that sets a request header. ETAG in the value stands for the current ETag.
func withTag(name, value string) func(*judge.Request, string) {
	return func(r *judge.Request, current string) { r.Header.Set(name, strings.ReplaceAll(value, "ETAG", current)) }
}

// authorization returns an edit that changes the key in the Authorization header.
func authorization(change func(key string) []string) func(*judge.Request, string) {
	return func(r *judge.Request, _ string) {
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		r.Header["Authorization"] = change(key)
	}
}

// refusals returns requests that must be refused for every organization. If one were accepted, it would change the
// record.
func refusals(c harness.Caller, current string) []judge.Request {
	var all []judge.Request
	for _, one := range statusCases() {
		shared := one.spec.Limit == 0 && !one.spec.Deleted && one.fault == ""
		if _, has := c.Keys[one.key]; one.method == http.MethodPatch && one.status >= 400 && shared &&
			(has || one.key == "") {
			all = append(all, one.request(c.Tenant, current))
		}
	}
	return all
}
