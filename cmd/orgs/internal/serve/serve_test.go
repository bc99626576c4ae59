package serve

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/store/dynamo"
)

// template is the parts of template.yaml that these tests need.
type template struct {
	Parameters map[string]struct {
		Default string `yaml:"Default"`
	} `yaml:"Parameters"`
	Globals struct {
		Function struct {
			Environment struct {
				Variables map[string]yaml.Node `yaml:"Variables"`
			} `yaml:"Environment"`
		} `yaml:"Function"`
	} `yaml:"Globals"`
	Resources struct {
		API struct {
			Properties struct {
				CORS corsConfiguration `yaml:"CorsConfiguration"`
			} `yaml:"Properties"`
		} `yaml:"Api"`
	} `yaml:"Resources"`
}

type corsConfiguration struct {
	Methods []string `yaml:"AllowMethods"`
	Headers []string `yaml:"AllowHeaders"`
	Exposed []string `yaml:"ExposeHeaders"`
	MaxAge  int      `yaml:"MaxAge"`
}

// UnmarshalYAML reads the second part of an !If: the configuration that applies if there are origins.
func (c *corsConfiguration) UnmarshalYAML(node *yaml.Node) error {
	if node.Tag != "!If" || len(node.Content) != 3 {
		return fmt.Errorf("CorsConfiguration is %s, want an !If of three parts", node.Tag)
	}
	type plain corsConfiguration // without this method
	return node.Content[1].Decode((*plain)(c))
}

func readTemplate(t *testing.T) template {
	t.Helper()
	text, err := os.ReadFile("../../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var parsed template
	if err := yaml.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestCrossOriginAsInAWS compares the local CORS configuration with the template's.
func TestCrossOriginAsInAWS(t *testing.T) {
	t.Parallel()
	want := readTemplate(t).Resources.API.Properties.CORS
	got := crossOrigin(nil)
	if !slices.Equal(got.Methods, want.Methods) || !slices.Equal(got.Headers, want.Headers) ||
		!slices.Equal(got.Exposed, want.Exposed) || int(got.MaxAge.Seconds()) != want.MaxAge {
		t.Errorf("crossOrigin() = %+v, want %+v as in template.yaml", got, want)
	}
}

// TestVariablesAsInAWS compares the environment of built functions with the template's: names, and values that are
// the same in every stack or a parameter's default.
func TestVariablesAsInAWS(t *testing.T) {
	t.Parallel()
	tables := dynamo.Settings{Tables: dynamo.Tables{Organizations: "OrganizationsTable", Counters: "CountersTable"}}
	template := readTemplate(t)
	want := map[string]string{}
	for name, node := range template.Globals.Function.Environment.Variables {
		want[name] = node.Value
		if parameter, ok := template.Parameters[node.Value]; ok && node.Tag == "!Ref" {
			want[name] = parameter.Default
		}
	}
	if diff := cmp.Diff(want, variables(tables, true)); diff != "" {
		t.Errorf("variables (-set by template.yaml +set here):\n%s", diff)
	}
}

func TestParseOrigins(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want []string // nil: refused
	}{
		{"http://localhost:3000", []string{"http://localhost:3000"}},
		{"https://a.example.com,http://[::1]:8080", []string{"https://a.example.com", "http://[::1]:8080"}},
		{"*", []string{"*"}},
		{"http://*,https://*", []string{"http://*", "https://*"}},
		{"", nil},
		{"localhost:3000", nil},
		{"http://localhost:3000/", nil},
		{"http://localhost, http://b", nil},
		{"HTTP://localhost", nil},
		{"http://Localhost", nil},
		{"http://*.example.com", nil},
		{"http://me@localhost", nil},
		{"file://x", nil},
		{"null", nil},
	} {
		got, err := parseOrigins(test.text)
		if !slices.Equal(got, test.want) || (err == nil) != (test.want != nil) {
			t.Errorf("parseOrigins(%q) = %q, %v, want %q", test.text, got, err, test.want)
		}
	}
}

// TestBootstrapsThatCannotRun: the refusal names the command that builds what can.
func TestBootstrapsThatCannotRun(t *testing.T) {
	t.Parallel()
	foreign := []byte("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 57))
	copy(foreign[16:], []byte{2, 0, 8, 0, 1}) // an executable for MIPS, of version 1
	foreign[52] = 64
	for name, write := range map[string]func(path string) error{
		"missing":                 func(string) error { return nil },
		"of another architecture": func(path string) error { return os.WriteFile(path, foreign, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			path := filepath.Join(folder, "get-organization", "bootstrap")
			if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), write(path)); err != nil {
				t.Fatal(err)
			}
			g := &gateway{
				app: cli.New(func(string) string { return "" }, io.Discard, io.Discard), options: options{functions: folder},
				store: &backend.Store{DynamoDB: &dynamo.Settings{Region: "eu-central-1"}},
			}
			_, err := g.process(http.MethodGet)
			var failure *term.Failure
			if !errors.As(err, &failure) || failure.Kind != term.Failed ||
				!strings.HasSuffix(failure.Message, "make build ARCH="+runtime.GOARCH) {
				t.Errorf("process() = %v, want a failure that ends with: make build ARCH=%s", err, runtime.GOARCH)
			}
		})
	}
}
