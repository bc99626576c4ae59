package coverage

import (
	"net/http"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

const foreignKeywords = `
openapi: 3.1.0
info: {title: Keywords, version: "1"}
paths:
  /things:
    parameters:
      - {name: X-Level, in: header, required: true, schema: {type: integer, exclusiveMinimum: 0}}
    post:
      operationId: make
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [kind]
              additionalProperties: false
              minProperties: 0
              properties:
                kind: {enum: [a, 1, null]}
                list: {type: array, minItems: 1, uniqueItems: true, items: {type: number, exclusiveMaximum: 2.5, multipleOf: 0.5}}
                map: {type: object, patternProperties: {'^x': {type: string}}}
      responses:
        '201': {description: Made.}
        '400': {description: Refused.}
`

func newForeignCoverage(t *testing.T, document []byte) *Coverage {
	t.Helper()
	read, err := spec.Load(document)
	if err != nil {
		t.Fatal(err)
	}
	return New(read)
}

// TestCoverageOfForeignKeywords: keywords that the service's own document does not use, and no 422.
func TestCoverageOfForeignKeywords(t *testing.T) {
	t.Parallel()
	const in = "request keyword: POST /things body"
	cases := []struct {
		status int
		level  string
		body   string
		want   string // an item that it shows, and does not show with the other status
	}{
		{201, "1", `{"kind":"a"}`, in + " required kind accepted"},
		{400, "1", `{}`, in + " required kind refused"},
		{201, "1", `{"kind":1.0}`, "request enum value: POST /things body /kind 1"},
		{201, "1", `{"kind":null}`, "request property: POST /things body /kind null"},
		{400, "1", `{"kind":"b"}`, in + " /kind enum a, 1, null refused"},
		{400, "1", `{"kind":1,"more":1}`, in + " additionalProperties false refused"},
		{201, "1", `{"kind":1}`, in + " additionalProperties false accepted"},
		{400, "1", `{"kind":1,"list":[]}`, in + " /list minItems 1 refused"},
		{201, "1", `{"kind":1,"list":[1]}`, in + " /list minItems 1 accepted"},
		{400, "1", `{"kind":1,"list":[1,1]}`, in + " /list uniqueItems true refused"},
		{201, "1", `{"kind":1,"list":[2]}`, in + " /list/* exclusiveMaximum 2.5 accepted"},
		{400, "1", `{"kind":1,"list":[2.5]}`, in + " /list/* exclusiveMaximum 2.5 refused"},
		{400, "1", `{"kind":1,"list":[0.3]}`, in + " /list/* multipleOf 0.5 refused"},
		{201, "1", `{"kind":1}`, "request keyword: POST /things header X-Level exclusiveMinimum 0 accepted"},
		{400, "0", `{"kind":1}`, "request keyword: POST /things header X-Level exclusiveMinimum 0 refused"},
		{400, "x", `{"kind":1}`, "request keyword: POST /things header X-Level type integer refused"},
	}
	coverage := newForeignCoverage(t, []byte(foreignKeywords))
	for _, c := range cases {
		for _, status := range []int{201, 400} {
			seen := shownBy(coverage, c.want, judge.Exchange{
				Request: judge.Request{Method: "POST", URL: "/things", Body: []byte(c.body), Header: http.Header{
					"X-Level": {c.level}, "Content-Type": {"application/json"},
				}},
				Response: judge.Response{Status: status},
			})
			if (seen > 0) != (status == c.status) {
				t.Errorf("%d to %s with level %s: %q was counted %d times", status, c.body, c.level, c.want, seen)
			}
		}
	}
}

// TestCoverageImpossibleSides: a bound that can refuse nothing needs no refusal, and a keyword without a measure is
// named.
func TestCoverageImpossibleSides(t *testing.T) {
	t.Parallel()
	c := newForeignCoverage(t, []byte(foreignKeywords))
	r := c.Report()
	if diff := cmp.Diff([]string{"patternProperties at /map"}, r.Unmeasured); diff != "" {
		t.Errorf("Unmeasured (-want +got):\n%s", diff)
	}
	for _, k := range r.Requests[0].Bodies[0].Properties[0].Keywords {
		if k.Name == "minProperties" && k.Refused.Asked != AskImpossible {
			t.Errorf("%s %s refused is %s", k.Name, k.Bound, k.Refused.Asked)
		}
	}
	if h := r.Requests[0].Headers[0]; h.Absent.Asked != AskImpossible {
		t.Errorf("a required header may be absent: %+v", h)
	}
}

// TestCoverageOfForeign: ranges of statuses, templates, compositions, circles.
func TestCoverageOfForeign(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../testdata/foreign.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := newForeignCoverage(t, document)
	answer := func(path string, status int, contentType, body string) {
		c.Observe(judge.Exchange{
			Request: judge.Request{Method: "GET", URL: path},
			Response: judge.Response{Status: status, Body: []byte(body),
				Header: http.Header{"Content-Type": {contentType}, "X-Fresh": {"true"}}},
		})
	}
	answer("/api/pets/7", 200, "application/json", `{"name":"a","count":1,"friend":{"name":"b"}}`)
	answer("/api/pets/7", 404, "application/problem+json", `{"title":"gone"}`)
	answer("/api/pets/7", 500, "text/plain", `broken`)
	answer("/api/pets/7/tree", 200, "application/json", `{"value":1,"children":[{"value":2}],"parent":null}`)
	answer("/api/pets/any", 200, "application/json", `{"map":{"a":{"name":"x"}},"list":[1,{"name":"y"}]}`)
	seen := seenItems(c.Report())
	for _, want := range []string{
		"status: GET /pets/{id} 200", "status: GET /pets/{id} 4XX", "status: GET /pets/{id} DEFAULT",
		"response property: Pet /name value", "response property: Pet /friend/name value",
		"response property: Problem /title value",
		"response property: GET /pets/{id}/tree 200 /children/* value",
		"response property: GET /pets/{id}/tree 200 /parent null",
		"response property: GET /pets/any 200 /map/*/name value",
		"response property: GET /pets/any 200 /list/*/name value",
		"response header: GET /pets/{id} 200 X-Fresh",
	} {
		if seen[want] == 0 {
			t.Errorf("%q was not seen", want)
		}
	}
	if got := seen["response property: Pet /friend value"]; got != 1 {
		t.Errorf("Pet /friend was seen %d times, want once", got)
	}
}
