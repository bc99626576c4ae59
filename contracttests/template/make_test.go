package template_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// runMake runs make in the repository, with a sam that records how it was called. It returns these calls, one on each
// line.
func runMake(t *testing.T, arguments ...string) (calls, out string, err error) {
	t.Helper()
	folder := t.TempDir()
	log := filepath.Join(folder, "calls")
	sam := "#!/bin/sh\necho \"$@\" >> '" + log + "'\n"
	if err := os.WriteFile(filepath.Join(folder, "sam"), []byte(sam), 0o700); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "make", append([]string{"--no-print-directory"}, arguments...)...)
	command.Dir = root
	command.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "MAKEFLAGS=")
	combined, err := command.CombinedOutput()
	called, _ := os.ReadFile(log) // there is none where sam was not called
	return string(called), string(combined), err
}

// TestMakeKnowsTheArchitecture: make builds for the architecture of the template, by samconfig.toml or DEPLOY_FLAGS.
func TestMakeKnowsTheArchitecture(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{
		"":         "GOARCH=arm64 ",
		"--guided": "GOARCH=arm64 ",
		"--parameter-overrides Architecture=x86_64 Emergency=off": "GOARCH=amd64 ",
		"--parameter-overrides Stage=v1 Architecture=arm64":       "GOARCH=arm64 ",
		"--parameter-overrides Architecture=mips":                 "Architecture is 'mips'",
	} {
		_, out, err := runMake(t, "--dry-run", "build-GetOrganizationFunction", "ARTIFACTS_DIR=x", "DEPLOY_FLAGS="+flags)
		if !strings.Contains(out, want) || (err == nil) != strings.HasPrefix(want, "GOARCH") {
			t.Errorf("make with the flags %q: %v, want %q in\n%s", flags, err, want, out)
		}
	}
	_, template := read(t, "template.yaml")
	initial := text(members(members(template["Parameters"])["Architecture"])["Default"])
	if config := samConfig(t); !strings.Contains(config, `"Architecture=`+initial+` Emergency=off"`) {
		t.Errorf("samconfig.toml does not set Architecture to the template's default, %s, and Emergency to off", initial)
	}
}

func samConfig(t *testing.T) string {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(root, "samconfig.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(config)
}

// TestNoRegionIsPinned: samconfig.toml has no region, because it would override the environment and the profile.
func TestNoRegionIsPinned(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(samConfig(t)) {
		if strings.HasPrefix(strings.TrimSpace(line), "region") {
			t.Errorf("samconfig.toml has %s", line)
		}
	}
}

// TestMakeDeploy: a build that sam reports as good, and that left nothing, is not deployed; an emergency changes one
// parameter and keeps the architecture; flags that would leave a stack in its emergency are refused.
func TestMakeDeploy(t *testing.T) {
	t.Parallel()
	calls, out, err := runMake(t, "deploy", "PACKAGES="+t.TempDir())
	if err == nil || calls != "build\n" || !strings.Contains(out, "has no template.yaml") {
		t.Errorf("make deploy without packages = %v, sam was called with %q, want build alone\n%s", err, calls, out)
	}
	for _, test := range []struct {
		arguments []string
		want      string // of the dry run; "" where make refuses
	}{
		{nil, "sam deploy"},
		{[]string{"DEPLOY_FLAGS=--guided"}, "sam deploy --guided"},
		{[]string{"EMERGENCY=1"}, "sam deploy  --parameter-overrides Architecture=arm64 Emergency=on"},
		{
			[]string{"DEPLOY_FLAGS=--parameter-overrides Architecture=x86_64 Emergency=off"},
			"sam deploy --parameter-overrides Architecture=x86_64 Emergency=off",
		},
	} {
		_, out, err := runMake(t, append([]string{"--dry-run", "deploy"}, test.arguments...)...)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if last := strings.TrimSpace(lines[len(lines)-1]); err != nil || last != test.want {
			t.Errorf("make deploy %q: %v, ends with %q, want %q", test.arguments, err, last, test.want)
		}
	}
	for _, flags := range []string{"--parameter-overrides Stage=v1", "--parameter-overrides Architecture=arm64"} {
		if calls, _, err := runMake(t, "deploy", "DEPLOY_FLAGS="+flags); err == nil || calls != "" {
			t.Errorf("make deploy with the flags %q = %v, and sam was called with %q, want a refusal", flags, err, calls)
		}
	}
	const whole = "DEPLOY_FLAGS=--parameter-overrides Architecture=arm64 Emergency=off"
	if calls, _, err := runMake(t, "deploy", "EMERGENCY=1", whole); err == nil || calls != "" {
		t.Errorf("make deploy EMERGENCY=1 with other parameters = %v, and sam was called with %q, want a refusal", err, calls)
	}
}

// TestSamLocalRecipe: make start-api gives sam the names of the tables and the endpoint, by variables that the template
// declares, as sam passes on no others.
func TestSamLocalRecipe(t *testing.T) {
	file := filepath.Join(root, "build", "sam-local.json")
	calls, out, err := runMake(t, "start-api", "STACK=mine", "ENDPOINT=http://host.docker.internal:8000")
	if err != nil || calls != "local start-api --env-vars build/sam-local.json\n" {
		t.Fatalf("make start-api = %v, sam was called with %q\n%s", err, calls, out)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var given struct{ Parameters map[string]string }
	if err := json.Unmarshal(content, &given); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	_, template := read(t, "template.yaml")
	function := members(members(template["Globals"])["Function"])
	declared := members(members(function["Environment"])["Variables"])
	for name := range given.Parameters {
		if _, ok := declared[name]; !ok {
			t.Errorf("%s has %s, which the template does not declare", file, name)
		}
	}
	if p := given.Parameters; p["ORGANIZATIONS_TABLE"] != "mine-organizations" || p["COUNTERS_TABLE"] != "mine-counters" ||
		p["AWS_ENDPOINT_URL_DYNAMODB"] != "http://host.docker.internal:8000" {
		t.Errorf("%s has %v, want the tables of the stack and the endpoint", file, p)
	}
}
