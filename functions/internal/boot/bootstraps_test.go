package boot

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A processor has the names that AWS, Go and ELF give it.
type processor struct {
	aws, golang string
	machine     elf.Machine
}

// deployed returns what the functions are built for: what template.yaml says or, in a run of samples, this machine, for
// which everything is compiled already. The other processor is refused by make deploy.
func deployed() (to, another processor) {
	arm := processor{"arm64", "arm64", elf.EM_AARCH64}
	intel := processor{"x86_64", "amd64", elf.EM_X86_64}
	if testing.Short() && runtime.GOARCH == intel.golang {
		return intel, arm
	}
	return arm, intel
}

// samBuild is what sam build does for a function whose BuildMethod is makefile: app_builder.py and
// workflows/custom_make of the SAM CLI 1.164 and of its Lambda Builders. It copies ProjectRootDirectory, without
// .aws-sam and .git, to a folder, and runs the Makefile of ContextPath in WorkingDirectory. ARTIFACTS_DIR is a
// variable of the environment.
func samBuild(t *testing.T, root, logicalID string, r resource) string {
	t.Helper()
	artifacts, scratch := t.TempDir(), t.TempDir()
	if err := os.CopyFS(scratch, os.DirFS(filepath.Join(root, r.Metadata.ProjectRootDirectory))); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "make",
		"--makefile", filepath.Join(root, r.Metadata.ContextPath, "Makefile"), "build-"+logicalID)
	command.Dir = filepath.Join(root, r.Metadata.WorkingDirectory)
	command.Env = append(os.Environ(), "ARTIFACTS_DIR="+artifacts)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("make build-%s: %v\n%s", logicalID, err, out)
	}
	return artifacts
}

// TestBootstraps: the built functions are what template.yaml promises Lambda, the same bytes each time, and what make
// deploy takes. It is not parallel, so that the compiler does not slow down the tests that watch the time.
func TestBootstraps(t *testing.T) {
	to, another := deployed()
	if testing.Short() {
		t.Setenv("DEPLOY_FLAGS", "--parameter-overrides Architecture="+to.aws)
	}
	parsed := readTemplate(t)
	if f := parsed.Globals.Function; f.Runtime != "provided.al2023" || f.Handler != "bootstrap" {
		t.Fatalf("Globals.Function = %+v, want provided.al2023 and bootstrap", f)
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	mains := map[string]bool{}
	packages := t.TempDir()
	for logicalID, resource := range parsed.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		checkMetadata(t, root, logicalID, resource)
		folder := samBuild(t, root, logicalID, resource)
		path := filepath.Join(folder, "bootstrap")
		checkStatic(t, logicalID, path, to.machine)
		mains[checkLinked(t, logicalID, path)] = true
		if again := samBuild(t, root, logicalID, resource); !bytes.Equal(read(t, path), read(t, filepath.Join(again, "bootstrap"))) {
			t.Errorf("%s is built into other bytes the second time", logicalID)
		}
		if err := os.CopyFS(filepath.Join(packages, logicalID), os.DirFS(folder)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"get-organization", "update-organization"} {
		if !mains["organizations-api/functions/"+name] {
			t.Errorf("no function is built from functions/%s: %v", name, mains)
		}
	}
	checkPackages(t, root, packages, to, another)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// checkMetadata checks that sam copies a folder with nothing but the function's source, and that nothing lies where
// it would package without having built.
func checkMetadata(t *testing.T, root, logicalID string, r resource) {
	t.Helper()
	if m := r.Metadata; m.BuildMethod != "makefile" || m.ContextPath != "." || m.WorkingDirectory != "." {
		t.Errorf("%s has the metadata %+v, want makefile, in the project's folder", logicalID, m)
	}
	source, err := os.ReadDir(filepath.Join(root, r.Metadata.ProjectRootDirectory))
	if err != nil || len(source) != 1 || source[0].Name() != "main.go" {
		t.Errorf("the ProjectRootDirectory of %s has %v, %v, want main.go alone", logicalID, source, err)
	}
	uri := readTemplate(t).Globals.Function.CodeURI
	if _, err := os.Stat(filepath.Join(root, uri)); uri == "" || r.Properties.CodeURI != "" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the CodeUri of %s is %q and %q, which lead to %v, want nothing", logicalID, uri, r.Properties.CodeURI, err)
	}
}

// checkPackages checks that make deploy accepts the packages as built, and refuses broken ones.
func checkPackages(t *testing.T, root, packages string, to, another processor) {
	t.Helper()
	const function = "UpdateOrganizationFunction"
	check := func(arguments ...string) (string, error) {
		command := exec.CommandContext(t.Context(), "make", append([]string{"-C", root, "check-package", "PACKAGES=" + packages}, arguments...)...)
		out, err := command.CombinedOutput()
		return string(out), err
	}
	bootstrap, template := filepath.Join(packages, function, "bootstrap"), filepath.Join(packages, "template.yaml")
	program := read(t, bootstrap)
	write := func(path string, content []byte, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, content, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := check(); err == nil || !strings.Contains(out, "no template.yaml") {
		t.Errorf("a build that was interrupted: %v\n%s", err, out)
	}
	write(template, nil, 0o644)
	if out, err := check(); err != nil {
		t.Errorf("a good build: %v\n%s", err, out)
	}
	if out, err := check("DEPLOY_FLAGS=--parameter-overrides Architecture=" + another.aws); err == nil || !strings.Contains(out, "no program for "+another.aws) {
		t.Errorf("a build for another processor: %v\n%s", err, out)
	}
	for name, spoil := range map[string]func(){
		"want bootstrap alone":        func() { write(filepath.Join(packages, function, "orgs.db"), nil, 0o644) },
		"cannot be run":               func() { write(bootstrap, program, 0o644) },
		"is no program for " + to.aws: func() { write(bootstrap, program[:len(program)/2], 0o755) },
		"has , want bootstrap alone":  func() { _ = os.Remove(bootstrap) },
	} {
		spoil()
		if out, err := check(); err == nil || !strings.Contains(out, name) {
			t.Errorf("a package that %s: %v\n%s", name, err, out)
		}
		_ = os.Remove(filepath.Join(packages, function, "orgs.db"))
		write(bootstrap, program, 0o755)
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
		t.Errorf("%s is built for %v, want %v", name, file.Machine, machine)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP || segment.Type == elf.PT_DYNAMIC {
			t.Errorf("%s has a segment %v, want a static binary", name, segment.Type)
		}
	}
}

// tags are the build tags of the functions, in the Makefile's order.
const tags = "lambda.norpc,nethttpomithttp2"

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
	if settings["CGO_ENABLED"] != "0" || settings["-tags"] != tags || settings["-trimpath"] != "true" {
		t.Errorf("%s is built with %v, want CGO_ENABLED=0, -tags %s and -trimpath", name, settings, tags)
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
