// Package functions_test holds the built functions to what template.yaml promises Lambda.
package functions_test

import (
	"debug/buildinfo"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// template is what these tests need of template.yaml.
type template struct {
	Globals struct {
		Function struct {
			Architectures []string `yaml:"Architectures"`
			Runtime       string   `yaml:"Runtime"`
			Handler       string   `yaml:"Handler"`
		} `yaml:"Function"`
	} `yaml:"Globals"`
	Resources map[string]struct {
		Type     string `yaml:"Type"`
		Metadata struct {
			BuildMethod string `yaml:"BuildMethod"`
		} `yaml:"Metadata"`
	} `yaml:"Resources"`
}

func readTemplate(t *testing.T) template {
	t.Helper()
	text, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var parsed template
	if err := yaml.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// build runs the target that sam build runs for a function, and returns the binary.
func build(t *testing.T, logicalID string) string {
	t.Helper()
	dir := t.TempDir()
	command := exec.Command("make", "--no-print-directory", "build-"+logicalID, "ARTIFACTS_DIR="+dir)
	command.Dir = ".."
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("make build-%s: %v\n%s", logicalID, err, out)
	}
	return filepath.Join(dir, "bootstrap")
}

func TestBootstraps(t *testing.T) {
	t.Parallel()
	parsed := readTemplate(t)
	machines := map[string]elf.Machine{"arm64": elf.EM_AARCH64, "x86_64": elf.EM_X86_64}
	architectures := parsed.Globals.Function.Architectures
	if len(architectures) != 1 || parsed.Globals.Function.Runtime != "provided.al2023" || parsed.Globals.Function.Handler != "bootstrap" {
		t.Fatalf("Globals.Function = %+v, want one architecture, provided.al2023 and bootstrap", parsed.Globals.Function)
	}
	mains := map[string]bool{}
	for logicalID, resource := range parsed.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		if resource.Metadata.BuildMethod != "makefile" {
			t.Errorf("%s is built by %q, want makefile", logicalID, resource.Metadata.BuildMethod)
		}
		path := build(t, logicalID)
		checkStatic(t, logicalID, path, machines[architectures[0]])
		mains[checkLinked(t, logicalID, path)] = true
	}
	for _, want := range []string{"organizations-api/functions/get-organization", "organizations-api/functions/update-organization"} {
		if !mains[want] {
			t.Errorf("no function is built from %s: %v", want, mains)
		}
	}
}

func checkStatic(t *testing.T, name, path string, machine elf.Machine) {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if file.Machine != machine {
		t.Errorf("%s is built for %v, want %v as in template.yaml", name, file.Machine, machine)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP || segment.Type == elf.PT_DYNAMIC {
			t.Errorf("%s has a segment %v, want a static binary", name, segment.Type)
		}
	}
}

// checkLinked returns the main package.
func checkLinked(t *testing.T, name, path string) string {
	t.Helper()
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["CGO_ENABLED"] != "0" || settings["-tags"] != "lambda.norpc" || settings["-trimpath"] != "true" {
		t.Errorf("%s is built with %v, want CGO_ENABLED=0, lambda.norpc and -trimpath", name, settings)
	}
	allowed := []string{
		"github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2", "github.com/aws/aws-sdk-go-v2/internal/",
		"github.com/aws/aws-sdk-go-v2/service/dynamodb", "github.com/aws/aws-sdk-go-v2/service/internal/",
		"github.com/aws/smithy-go", "github.com/awslabs/aws-lambda-go-api-proxy",
	}
	for _, dependency := range info.Deps {
		known := false
		for _, a := range allowed {
			known = known || dependency.Path == a || strings.HasSuffix(a, "/") && strings.HasPrefix(dependency.Path, a)
		}
		if !known {
			t.Errorf("%s links %s; what a function links must earn its start-up time", name, dependency.Path)
		}
	}
	return info.Path
}
