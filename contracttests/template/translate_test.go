package template_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v4"
)

const root = "../.."

const (
	keyArn         = "arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
	topicArn       = "arn:aws:sns:eu-central-1:123456789012:alarms"
	certificateArn = "arn:aws:acm:eu-central-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
	originKey      = "0123456789abcdefghijklmnopqrstuv"
)

// sets are the sets of parameters for which template.yaml is translated. Together they have every value that a
// condition or the translator tells from another.
var sets = map[string]map[string]string{
	"defaults":  {},
	"stage":     {"Stage": "v1"},
	"domain":    {"DomainName": "api.example.com", "CertificateArn": certificateArn},
	"edge":      {"DomainName": "origin.example.com", "CertificateArn": certificateArn, "OriginKey": originKey, "Stage": "prod"},
	"emergency": {"Emergency": "on", "AlarmTopicArn": topicArn},
	"key":       {"KmsKeyArn": keyArn, "LogsOutliveStack": "on", "LogRetentionDays": "3653"},
	"notified":  {"AlarmEmail": "ops@example.com", "Dashboard": "off", "DeploymentPreference": "Linear10PercentEvery1Minute"},
	"quiet":     {"RateLimits": "off", "LogLevel": "error", "Tracing": "PassThrough", "DeploymentPreference": "AllAtOnce"},
	"browser":   {"AllowedOrigins": "https://app.example.com,http://localhost:3000", "ReservedConcurrency": "50"},
	"all": {
		"Architecture": "x86_64", "Stage": "a-b_c", "AllowedOrigins": "*", "KmsKeyArn": keyArn, "LogsOutliveStack": "on",
		"ReservedConcurrency": "1", "AlarmEmail": "ops@example.com", "DomainName": "api.example.com",
		"CertificateArn": certificateArn, "Emergency": "on", "LogLevel": "debug",
	},
}

// read returns a template of the repository as decoded JSON.
func read(t *testing.T, file string) (source string, template object) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	var node yaml.Node
	if err := yaml.Unmarshal(content, &node); err != nil {
		t.Fatal(err)
	}
	return string(content), members(fromYAML(&node))
}

// python returns the Python that has the translator and cfn-lint. If there is none, the test says that nothing was
// tested: a machine that cannot reach PyPI cannot install them. With TEMPLATE_TOOLS=required it fails.
func python(t *testing.T) string {
	t.Helper()
	for _, candidate := range []string{filepath.Join(root, ".cache/template/bin/python3"), "python3"} {
		if exec.CommandContext(t.Context(), candidate, "-c", "import samtranslator, cfnlint").Run() == nil {
			return candidate
		}
	}
	const message = "NOT TESTED: no python3 has aws-sam-translator and cfn-lint; make test-template installs them"
	if os.Getenv("TEMPLATE_TOOLS") == "required" {
		t.Fatal(message)
	}
	t.Skip(message)
	return ""
}

type translated struct {
	Template object
	Findings []string
}

// translate returns what CloudFormation makes of a template for each set of parameters, when the code is in S3 at the
// address.
func translate(t *testing.T, source, code string, lint bool, regions []string, all map[string]map[string]string) map[string]translated {
	t.Helper()
	type set struct {
		Code       string            `json:"code"`
		Parameters map[string]string `json:"parameters"`
		Lint       bool              `json:"lint"`
	}
	var question struct {
		Template string   `json:"template"`
		Regions  []string `json:"regions"`
		Sets     []set    `json:"sets"`
	}
	question.Template, question.Regions = source, regions
	names := slices.Sorted(maps.Keys(all))
	for _, name := range names {
		question.Sets = append(question.Sets, set{code, all[name], lint})
	}
	asked, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), python(t), "translate.py")
	var complaints bytes.Buffer
	command.Stdin, command.Stderr = bytes.NewReader(asked), &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("translating: %v\n%s", err, &complaints)
	}
	var answer struct {
		Versions map[string]string
		Sets     []translated
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	t.Logf("translated %d sets of parameters by %v", len(answer.Sets), answer.Versions)
	byName := map[string]translated{}
	for i, name := range names {
		byName[name] = answer.Sets[i]
	}
	return byName
}

// code is where sam would have put the functions.
const code = "s3://bucket/0123456789abcdef"

// templates are the translated templates of all sets, made once.
var templates = struct {
	sync.Mutex
	bySet map[string]translated
}{}

// stacks returns the stack of each set of parameters.
func stacks(t *testing.T) map[string]stack {
	t.Helper()
	templates.Lock()
	defer templates.Unlock()
	if templates.bySet == nil {
		source, _ := read(t, "template.yaml")
		templates.bySet = translate(t, source, code, true, []string{"eu-south-2"}, sets)
	}
	all := map[string]stack{}
	for name, one := range templates.bySet {
		all[name] = newStack(one.Template, sets[name])
	}
	return all
}

// TestTranslates: for each set of parameters, SAM translates the template, cfn-lint finds nothing, and no reference
// ends in a circle or nowhere.
func TestTranslates(t *testing.T) {
	for name, s := range stacks(t) {
		for _, finding := range templates.bySet[name].Findings {
			// The translator replaces references to some parameters by their values, and leaves the parameters.
			if !strings.HasPrefix(finding, "W2001 Parameters/") {
				t.Errorf("%s: cfn-lint finds %s", name, finding)
			}
		}
		edges, dangling := s.needs()
		if len(edges) < 20 {
			t.Errorf("%s: %d resources refer to others, want them all", name, len(edges))
		}
		if len(dangling) > 0 {
			t.Errorf("%s: references that end nowhere: %q", name, dangling)
		}
		if found := cycle(edges); found != nil {
			t.Errorf("%s: a circle of references: %q", name, found)
		}
		if broken := s.broken(); len(broken) > 0 {
			t.Errorf("%s breaks rules: %q", name, broken)
		}
	}
}

// TestEdgeTemplate: cfn-lint finds nothing in edge.yaml, and its references hold.
func TestEdgeTemplate(t *testing.T) {
	source, _ := read(t, "edge.yaml")
	given := map[string]map[string]string{
		"no domain": {"OriginDomain": "origin.example.com", "OriginKey": originKey},
		"domain": {
			"OriginDomain": "origin.example.com", "OriginKey": originKey, "DomainName": "api.example.com",
			"CertificateArn": strings.Replace(certificateArn, "eu-central-1", "us-east-1", 1),
		},
	}
	for name, one := range translate(t, source, "", true, []string{"us-east-1"}, given) {
		if len(one.Findings) > 0 {
			t.Errorf("%s: cfn-lint finds %q", name, one.Findings)
		}
		s := newStack(one.Template, given[name])
		edges, dangling := s.needs()
		if len(edges) == 0 || len(dangling) > 0 || cycle(edges) != nil || len(s.broken()) > 0 {
			t.Errorf("%s: references %v, dangling %q, rules broken %q", name, edges, dangling, s.broken())
		}
	}
}

// TestGraphFindsFaults: the walk sees a circle and a reference to a resource whose condition does not hold.
func TestGraphFindsFaults(t *testing.T) {
	t.Parallel()
	const source = `
Parameters: {Wanted: {Type: String, Default: 'no'}}
Conditions: {IsWanted: !Equals [!Ref Wanted, 'yes']}
Resources:
  A: {Type: X, Properties: {P: !GetAtt B.Arn, Q: !Sub '${AWS::Region}${C.Id}'}}
  B: {Type: X, DependsOn: D}
  C: {Type: X, Condition: IsWanted}
  D: {Type: X, Properties: {P: !If [IsWanted, 1, !Sub ['${v}', {v: !Ref A}]]}}
`
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(source), &node); err != nil {
		t.Fatal(err)
	}
	template := members(fromYAML(&node))
	edges, dangling := newStack(template, nil).needs()
	if got, want := strings.Join(cycle(edges), " "), "A B D A"; got != want {
		t.Errorf("cycle = %q, want %q", got, want)
	}
	if got, want := strings.Join(dangling, ", "), "A refers to C"; got != want {
		t.Errorf("dangling = %q, want %q", got, want)
	}
	edges, dangling = newStack(template, map[string]string{"Wanted": "yes"}).needs()
	if found := cycle(edges); found != nil || dangling != nil {
		t.Errorf("with the condition: cycle %q, dangling %q, want none", found, dangling)
	}
}
