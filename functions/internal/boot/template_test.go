package boot

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"organizations-api/shared/apikey"
	"organizations-api/shared/openapi"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// template has the parts of template.yaml that these tests read.
type template struct {
	Globals struct {
		Function struct {
			Runtime     string `yaml:"Runtime"`
			Handler     string `yaml:"Handler"`
			CodeURI     string `yaml:"CodeUri"`
			MemorySize  int    `yaml:"MemorySize"`
			Timeout     int    `yaml:"Timeout"`
			Environment struct {
				Variables map[string]string `yaml:"Variables"`
			} `yaml:"Environment"`
		} `yaml:"Function"`
	} `yaml:"Globals"`
	Resources map[string]resource `yaml:"Resources"`
}

type resource struct {
	Type     string `yaml:"Type"`
	Metadata struct {
		BuildMethod          string `yaml:"BuildMethod"`
		ProjectRootDirectory string `yaml:"ProjectRootDirectory"`
		ContextPath          string `yaml:"ContextPath"`
		WorkingDirectory     string `yaml:"WorkingDirectory"`
	} `yaml:"Metadata"`
	Properties struct {
		Policies []struct {
			Statement []statement `yaml:"Statement"`
		} `yaml:"Policies"`
		CodeURI     string `yaml:"CodeUri"`
		Environment any    `yaml:"Environment"` // must not be set: Globals has all variables
	} `yaml:"Properties"`
}

type statement struct {
	Effect   string  `yaml:"Effect"`
	Action   strlist `yaml:"Action"`
	Resource string  `yaml:"Resource"` // the value of !GetAtt
	optional bool    // by !If: of something else than the tables
}

func (s *statement) UnmarshalYAML(node *yaml.Node) error {
	type plain statement
	if node.Tag == "!If" {
		s.optional = true
		node = node.Content[1]
	}
	return node.Decode((*plain)(s))
}

// strlist is a string or a list of strings.
type strlist []string

func (s *strlist) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*s = strlist{node.Value}
		return nil
	}
	return node.Decode((*[]string)(s))
}

func readTemplate(t *testing.T) template {
	t.Helper()
	var parsed template
	decodeTemplate(t, &parsed)
	return parsed
}

// decodeTemplate decodes template.yaml into v.
func decodeTemplate(t *testing.T, v any) {
	t.Helper()
	text, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

// fromRuntime lists the variables that a function reads and the Lambda runtime sets.
var fromRuntime = []string{envRegion, envFunction, envVersion, envAccessKeyID, envSecretAccessKey, envSessionToken}

// ofEveryTool lists the variables that a function reads as every AWS tool does, and that nobody needs to set.
var ofEveryTool = []string{envAllEndpoints, envIgnoreEndpoints}

// fromGo lists the variables that Go itself reads, in the runtime and in crypto/x509.
var fromGo = []string{"GOMAXPROCS", "SSL_CERT_DIR"}

func TestTemplateSetsWhatFunctionsRead(t *testing.T) {
	t.Parallel()
	function := readTemplate(t).Globals.Function
	if function.Runtime != "provided.al2023" || function.MemorySize == 0 ||
		time.Duration(function.Timeout)*time.Second != functionTimeout {
		t.Errorf("Globals.Function = %+v, want runtime, memory and ten seconds", function)
	}
	read := map[string]bool{}
	_, _ = readConfig(func(name string) string { read[name] = true; return "" })
	for _, name := range slices.Concat(fromRuntime, ofEveryTool) {
		if !read[name] {
			t.Errorf("no function reads %s", name)
		}
		delete(read, name)
	}
	for _, name := range fromGo {
		read[name] = true
	}
	set := slices.Sorted(maps.Keys(function.Environment.Variables))
	if diff := cmp.Diff(slices.Sorted(maps.Keys(read)), set); diff != "" {
		t.Errorf("variables (-read by functions +set by template.yaml):\n%s", diff)
	}
}

// granted returns the permissions of a function's role, as "action on table".
func granted(t *testing.T, r resource) []string {
	t.Helper()
	var all []string
	for _, policy := range r.Properties.Policies {
		for _, s := range policy.Statement {
			if s.Effect != "Allow" {
				t.Errorf("statement %+v, want one that allows", s)
			}
			for _, action := range s.Action {
				if s.optional != strings.HasPrefix(action, "kms:") {
					t.Errorf("%s is optional: %v, want the tables' always and those of a key alone by parameter", action, s.optional)
				}
				if s.optional {
					continue
				}
				all = append(all, action+" on "+strings.TrimSuffix(s.Resource, ".Arn"))
			}
		}
	}
	slices.Sort(all)
	return all
}

// recorder records the permissions that the callers of a DynamoDB need.
type recorder struct {
	mu     sync.Mutex
	tables map[string]string // logical ids by name
	needed map[string]bool
}

func (r *recorder) note(action, table string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.needed["dynamodb:"+action+" on "+r.tables[table]] = true
}

// take returns the permissions that were needed since the last take.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Sorted(maps.Keys(r.needed))
	r.needed = map[string]bool{}
	return all
}

// record is a dynamotest.Plan that records every call and lets it pass.
func (r *recorder) record(call dynamotest.Call) dynamotest.Fault {
	var sent struct {
		TableName     string
		TransactItems []map[string]struct{ TableName string }
	}
	if err := json.Unmarshal(call.Body, &sent); err != nil {
		r.note("a body that is no JSON", err.Error())
	}
	if call.Operation != "TransactWriteItems" {
		r.note(call.Operation, sent.TableName)
	}
	// A transaction needs the permissions of its writes: see "IAM" in DynamoDB's guide on transactions.
	for _, item := range sent.TransactItems {
		for kind, write := range item {
			r.note(map[string]string{"Update": "UpdateItem", "Put": "PutItem", "Delete": "DeleteItem"}[kind], write.TableName)
		}
	}
	return dynamotest.Pass()
}

// newRecorder returns a recorder, and the endpoint of a proxy of DynamoDB Local that uses it.
func newRecorder(t *testing.T) (endpoint string, r *recorder) {
	t.Helper()
	names := dynamo.TablesWithPrefix(prefix())
	r = &recorder{
		tables: map[string]string{names.Organizations: "OrganizationsTable", names.Counters: "CountersTable"},
		needed: map[string]bool{},
	}
	return dynamotest.StartProxy(t, dynamotest.Endpoint(t), r.record).URL, r
}

// TestPoliciesGrantWhatIsUsed: template.yaml grants the functions the permissions that their calls need, and no others.
func TestPoliciesGrantWhatIsUsed(t *testing.T) {
	t.Parallel()
	made := newWorld(t).newTenant(t, nil)
	endpoint, calls := newRecorder(t)
	w := worldAt(t, endpoint)
	resources := readTemplate(t).Resources

	w.send(t, request{method: "GET", key: made.keys[apikey.Read].Reveal()})
	if diff := cmp.Diff(calls.take(), granted(t, resources["GetOrganizationFunction"])); diff != "" {
		t.Errorf("GetOrganizationFunction (-used +granted):\n%s", diff)
	}
	for _, body := range []string{`{"organization_name":"B"}`, `{}`, `{"organization_name":1}`} {
		w.send(t, request{method: "PATCH", key: made.keys[apikey.Admin].Reveal(), body: body})
	}
	if diff := cmp.Diff(calls.take(), granted(t, resources["UpdateOrganizationFunction"])); diff != "" {
		t.Errorf("UpdateOrganizationFunction (-used +granted):\n%s", diff)
	}
}

// fields returns the members of a mapping.
func fields(node *yaml.Node) map[string]*yaml.Node {
	members := map[string]*yaml.Node{}
	for i := 0; node != nil && i+1 < len(node.Content); i += 2 {
		members[node.Content[i].Value] = node.Content[i+1]
	}
	return members
}

// TestCORS: SAM leaves the CORS configuration alone only if the whole of it is one intrinsic function. It must allow
// the methods and headers of the contract.
func TestCORS(t *testing.T) {
	t.Parallel()
	var parsed struct {
		Resources map[string]struct {
			Properties struct {
				CorsConfiguration yaml.Node `yaml:"CorsConfiguration"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	decodeTemplate(t, &parsed)
	node := parsed.Resources["Api"].Properties.CorsConfiguration
	if node.Tag != "!If" || len(node.Content) != 3 || node.Content[0].Value != "HasAllowedOrigins" || node.Content[2].Value != "AWS::NoValue" {
		t.Fatalf("CorsConfiguration is %s of %d, want !If [HasAllowedOrigins, …, AWS::NoValue]", node.Tag, len(node.Content))
	}
	lists := map[string][]string{}
	for name, list := range fields(node.Content[1]) {
		if name == "AllowMethods" || name == "AllowHeaders" || name == "ExposeHeaders" {
			for _, element := range list.Content {
				lists[name] = append(lists[name], element.Value)
			}
		}
	}
	want := map[string][]string{
		"AllowMethods":  {"GET", "PATCH"},
		"AllowHeaders":  {"authorization", "content-type", "if-match", "if-none-match"},
		"ExposeHeaders": exposedHeaders(t),
	}
	for name := range want {
		slices.Sort(lists[name])
	}
	if diff := cmp.Diff(want, lists); diff != "" {
		t.Errorf("CorsConfiguration (-want +got):\n%s", diff)
	}
}

// exposedHeaders returns the headers of the contract's answers, except those that every page may read and those that no
// page can use.
func exposedHeaders(t *testing.T) []string {
	t.Helper()
	var contract struct {
		Paths      yaml.Node `yaml:"paths"`
		Components struct {
			Responses yaml.Node `yaml:"responses"`
		} `yaml:"components"`
	}
	if err := yaml.Unmarshal(openapi.YAML, &contract); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	var collect func(node *yaml.Node)
	collect = func(node *yaml.Node) {
		for name := range fields(fields(node)["headers"]) {
			names[strings.ToLower(name)] = true
		}
		for _, child := range node.Content {
			collect(child)
		}
	}
	collect(&contract.Paths)
	collect(&contract.Components.Responses)
	for _, name := range []string{"cache-control", "www-authenticate", "x-content-type-options"} {
		delete(names, name)
	}
	return slices.Sorted(maps.Keys(names))
}
