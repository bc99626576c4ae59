package boot

import (
	"debug/buildinfo"
	"debug/elf"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// buildFunction builds a function as sam build does, and returns the path of the binary.
func buildFunction(t *testing.T, logicalID string) string {
	t.Helper()
	dir := t.TempDir()
	command := exec.Command("make", "--no-print-directory", "build-"+logicalID, "ARTIFACTS_DIR="+dir)
	command.Dir = "../../.."
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("make build-%s: %v\n%s", logicalID, err, out)
	}
	return filepath.Join(dir, "bootstrap")
}

// TestBootstraps: the built functions are what template.yaml promises Lambda. It is not parallel, so that the compiler
// does not slow down the tests that watch the time.
func TestBootstraps(t *testing.T) {
	parsed := readTemplate(t)
	machines := map[string]elf.Machine{"arm64": elf.EM_AARCH64, "x86_64": elf.EM_X86_64}
	function := parsed.Globals.Function
	if len(function.Architectures) != 1 || function.Runtime != "provided.al2023" || function.Handler != "bootstrap" {
		t.Fatalf("Globals.Function = %+v, want one architecture, provided.al2023 and bootstrap", function)
	}
	mains := map[string]bool{}
	for logicalID, resource := range parsed.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		if resource.Metadata.BuildMethod != "makefile" {
			t.Errorf("%s is built by %q, want makefile", logicalID, resource.Metadata.BuildMethod)
		}
		path := buildFunction(t, logicalID)
		checkStatic(t, logicalID, path, machines[function.Architectures[0]])
		mains[checkLinked(t, logicalID, path)] = true
	}
	for _, name := range []string{"get-organization", "update-organization"} {
		if !mains["organizations-api/functions/"+name] {
			t.Errorf("no function is built from functions/%s: %v", name, mains)
		}
	}
}

// checkStatic checks that the binary is static and for the machine.
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

// checkLinked checks the build's settings and the modules that are linked. It returns the path of the main package.
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
		"github.com/aws/smithy-go", "github.com/awslabs/aws-lambda-go-api-proxy", "github.com/go-json-experiment/json",
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
