package contracttests_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/sqlite"
	"organizations-api/shared/store/storetest"
	"organizations-api/shared/telemetry"
)

// driftService is the service on a new SQLite file, with one organization in which everything is set.
type driftService struct {
	api *api.Service
	key apikey.Key
}

func newDriftService(t *testing.T) driftService {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orgs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	now := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	full := storetest.Full(now)
	full.Version = 1
	secrets, err := s.KeySecrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key := apikey.New(full.ID, apikey.Live, secrets[0])
	created := store.Entry{ID: store.NewEntryID(now), Action: store.Created, Actor: store.OperatorActor}
	if err := s.Create(t.Context(), full, apikey.NewRecord(key, apikey.Admin, now, nil), created); err != nil {
		t.Fatal(err)
	}
	service, err := api.New(api.Options{Records: s, Now: func() time.Time { return now },
		Observe: func(context.Context, telemetry.Request) {}})
	if err != nil {
		t.Fatal(err)
	}
	return driftService{service, key}
}

// send returns the status and the decoded body of the answer. An empty key sends none.
func (s driftService) send(t *testing.T, method, key, body string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, harness.Path, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/json")
	}
	out := httptest.NewRecorder()
	for _, route := range s.api.Routes() {
		if route.Method == method {
			route.Handler.ServeHTTP(out, r)
		}
	}
	var decoded map[string]any
	if err := json.Unmarshal(out.Body.Bytes(), &decoded); err != nil {
		t.Fatalf("%s %s = %d %s: %v", method, body, out.Code, out.Body, err)
	}
	return out.Code, decoded
}

// declaredProperties returns the pointers of all properties of a component and of the objects below it.
func declaredProperties(t *testing.T, schema string) []string {
	t.Helper()
	place := componentSchema(t, schema).Place()
	names := propertiesBelow(place, nil)
	slices.Sort(names)
	return slices.Compact(names)
}

// componentSchema returns the component of that name that some body of the document refers to.
func componentSchema(t *testing.T, name string) *spec.Schema {
	t.Helper()
	for _, op := range harness.Validator().Document.Operations {
		content := slices.Clone(op.Responses[0].Content)
		for _, response := range op.Responses[1:] {
			content = append(content, response.Content...)
		}
		if op.Body != nil {
			content = append(content, op.Body.Content...)
		}
		for _, media := range content {
			if s := media.Schema; s != nil && s.Ref != nil && s.Ref.Name == name {
				return s.Ref
			}
		}
	}
	t.Fatalf("no body refers to %s", name)
	return nil
}

// propertiesBelow returns the pointers of all properties of a place. Items and undeclared members have the name *.
func propertiesBelow(place spec.Place, path []string) []string {
	var names []string
	for _, s := range place {
		for _, p := range s.Properties {
			below := judge.ChildPath(path, p.Name)
			names = append(names, judge.Pointer(below))
			names = append(names, propertiesBelow(p.Schema.Place(), below)...)
		}
		for _, rest := range []*spec.Schema{s.Items, s.Additional} {
			if rest != nil {
				names = append(names, propertiesBelow(rest.Place(), judge.ChildPath(path, "*"))...)
			}
		}
	}
	return names
}

// sentProperties returns the pointers of all members of a body, except below the places where the document leaves
// members free.
func sentProperties(value any, path []string, free []string) []string {
	if slices.Contains(free, judge.Pointer(path)) {
		return nil
	}
	var names []string
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			names = append(names, judge.Pointer(judge.ChildPath(path, name)))
			names = append(names, sentProperties(member, judge.ChildPath(path, name), free)...)
		}
	case []any:
		for _, item := range value {
			names = append(names, sentProperties(item, judge.ChildPath(path, "*"), free)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestDriftOfResponses: the members that the service writes are those that the document declares, both ways.
func TestDriftOfResponses(t *testing.T) {
	t.Parallel()
	s := newDriftService(t)
	cases := []struct {
		schema, method, key, body string
		status                    int
		free                      []string
	}{
		{"OrganizationModelResponse", http.MethodGet, s.key.Reveal(), "", 200,
			[]string{"/metadata", "/users/*", "/default_llm_credentials"}},
		{"OrganizationModelResponse", http.MethodPatch, s.key.Reveal(), "{}", 200,
			[]string{"/metadata", "/users/*", "/default_llm_credentials"}},
		{"ErrorResponse", http.MethodGet, "", "", 401, []string{"/error/details"}},
		{"HTTPValidationError", http.MethodPatch, s.key.Reveal(), `{"metadata":1}`, 422, []string{"/error/details"}},
	}
	for _, c := range cases {
		status, body := s.send(t, c.method, c.key, c.body)
		if status != c.status {
			t.Fatalf("%s %s = %d %v, want %d", c.method, c.body, status, body, c.status)
		}
		if diff := cmp.Diff(declaredProperties(t, c.schema), sentProperties(body, nil, c.free)); diff != "" {
			t.Errorf("%s (-declared +sent):\n%s", c.schema, diff)
		}
	}
}

// TestDriftOfRequests: PATCH understands the members that the document declares, and no other.
func TestDriftOfRequests(t *testing.T) {
	t.Parallel()
	s := newDriftService(t)
	declared := declaredProperties(t, "OrganizationUpdateRequest")
	top := 0
	for _, pointer := range declared {
		path := strings.Split(pointer, "/")[1:]
		body := `[]` // fits no declared member
		for _, name := range slices.Backward(path) {
			body = `{"` + name + `":` + body + `}`
		}
		want := []any{"body"}
		for _, name := range path {
			want = append(want, name)
		}
		status, answer := s.send(t, http.MethodPatch, s.key.Reveal(), body)
		if got := driftLocations(answer); status != http.StatusUnprocessableEntity || !cmp.Equal(got, []any{want}) {
			t.Errorf("PATCH %s = %d at %v, want 422 at %v", body, status, got, want)
		}
		if len(path) == 1 && path[0] != "rate_limit_overrides" { // another name of rate_limits
			top++
		}
	}
	if n := reflect.TypeFor[organization.Patch]().NumField(); n != top {
		t.Errorf("organization.Patch has %d fields and the document %d", n, top)
	}
	before := driftRecord(t, s)
	for _, name := range driftUndeclared(t, declared) {
		for _, value := range []string{`[]`, `"x"`} { // no type takes both
			body := `{"` + name + `":` + value + `}`
			status, answer := s.send(t, http.MethodPatch, s.key.Reveal(), body)
			if status != http.StatusOK || !cmp.Equal(before, answer) {
				t.Errorf("PATCH %s = %d %v, want it ignored", body, status, answer)
			}
		}
	}
}

func driftRecord(t *testing.T, s driftService) map[string]any {
	t.Helper()
	status, body := s.send(t, http.MethodGet, s.key.Reveal(), "")
	if status != http.StatusOK {
		t.Fatalf("GET = %d %v", status, body)
	}
	return body
}

// driftUndeclared returns names that a PATCH might understand by mistake: those of the response, of the record and of
// the declared members in another spelling.
func driftUndeclared(t *testing.T, declared []string) []string {
	t.Helper()
	names := map[string]bool{"": true, "internal_id": true, "deleted_at": true, "permissions": true,
		"infrastructure": true}
	for _, p := range declaredProperties(t, "OrganizationModelResponse") {
		names[strings.TrimPrefix(p, "/")] = true
	}
	record := reflect.TypeFor[organization.Organization]()
	for i := range record.NumField() {
		names[record.Field(i).Name] = true
		names[strings.ToLower(record.Field(i).Name)] = true
	}
	for _, p := range declared {
		names[strings.ToUpper(p[1:])] = true
		names[p] = true
	}
	for _, p := range declared {
		delete(names, p[1:])
	}
	return slices.Sorted(maps.Keys(names))
}

// driftLocations returns the locations of a validation error.
func driftLocations(answer map[string]any) []any {
	var locations []any
	detail, _ := answer["detail"].([]any)
	for _, problem := range detail {
		if problem, ok := problem.(map[string]any); ok {
			locations = append(locations, problem["loc"])
		}
	}
	return locations
}

// declaredOperations returns method, path and operationId of all operations of the document.
func declaredOperations() []string {
	var all []string
	for _, op := range harness.Validator().Document.Operations {
		all = append(all, op.Method+" "+op.Path+" "+op.ID)
	}
	slices.Sort(all)
	return all
}

// TestDriftOfRoutes: the service has a handler for each operation and no other.
func TestDriftOfRoutes(t *testing.T) {
	t.Parallel()
	var routes []string
	for _, r := range newDriftService(t).api.Routes() {
		routes = append(routes, r.Method+" "+r.Path+" "+r.OperationID)
	}
	slices.Sort(routes)
	if diff := cmp.Diff(declaredOperations(), routes); diff != "" {
		t.Errorf("routes (-document +service):\n%s", diff)
	}
}

// templateEvents returns method and path of all events of an HTTP API in a SAM template, sorted. It marks the events
// that belong to no function.
func templateEvents(template *yaml.Node) []string {
	events := []string{}
	for name, resource := range spec.Fields(spec.Field(template, "Resources")) {
		properties := spec.Field(resource, "Properties")
		for _, event := range spec.Fields(spec.Field(properties, "Events")) {
			if nodeValue(spec.Field(event, "Type")) != "HttpApi" {
				continue
			}
			of := spec.Field(event, "Properties")
			text := nodeValue(spec.Field(of, "Method")) + " " + nodeValue(spec.Field(of, "Path"))
			if nodeValue(spec.Field(resource, "Type")) != "AWS::Serverless::Function" {
				text += " on " + name + ", which is no function"
			}
			events = append(events, text)
		}
	}
	slices.Sort(events)
	return events
}

func nodeValue(node *yaml.Node) string {
	if node == nil {
		return ""
	}
	return node.Value
}

// TestDriftOfTemplate: the template sends each operation to one function, and nothing else to any.
func TestDriftOfTemplate(t *testing.T) {
	t.Parallel()
	content := string(driftFile(t, "../template.yaml"))
	var want []string
	for _, operation := range declaredOperations() {
		want = append(want, operation[:strings.LastIndexByte(operation, ' ')])
	}
	if diff := cmp.Diff(want, templateEvents(driftTree(t, []byte(content)))); diff != "" {
		t.Errorf("events (-document +template):\n%s", diff)
	}
	for name, change := range map[string][2]string{
		"another method": {"Method: PATCH", "Method: ANY"},
		"another path":   {"Path: /v1/organizations\n", "Path: /{proxy+}\n"},
		"another type":   {"Type: HttpApi", "Type: Api"},
		"no event":       {"      Events:\n        GetOrganization:", "      X:\n        GetOrganization:"},
		"no function":    {"Type: AWS::Serverless::Function", "Type: AWS::Serverless::StateMachine"},
		"the same twice": {"Method: PATCH", "Method: GET"},
		"one event more": {"        UpdateOrganization:",
			"        Other: {Type: HttpApi, Properties: {Method: DELETE, Path: /v1/organizations}}\n        " +
				"UpdateOrganization:"},
		"a catch-all more": {"        UpdateOrganization:",
			"        Other: {Type: HttpApi}\n        UpdateOrganization:"},
	} {
		if !strings.Contains(content, change[0]) {
			t.Fatalf("%s: the template has no %q", name, change[0])
		}
		changed := strings.Replace(content, change[0], change[1], 1)
		if cmp.Equal(want, templateEvents(driftTree(t, []byte(changed)))) {
			t.Errorf("%s: the events are the same, want a difference", name)
		}
	}
}
