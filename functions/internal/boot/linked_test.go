package boot

import (
	"flag"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateLinked = flag.Bool("update-linked", false, "write testdata/linked.txt anew")

// TestLinkedPackages compares the packages that the functions link with a list, without those of the standard library.
// A new sandbox initializes every package. If you add one, measure its cost by make bench, and then run:
// go test ./functions/internal/boot -run TestLinkedPackages -update-linked
func TestLinkedPackages(t *testing.T) {
	t.Parallel()
	const list = "testdata/linked.txt"
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags,
		"-f", "{{if not .Standard}}{{.ImportPath}}{{end}}",
		"organizations-api/functions/get-organization", "organizations-api/functions/update-organization")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64", "GOFLAGS=")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	linked := strings.Fields(string(out))
	slices.Sort(linked)
	if *updateLinked {
		if err := os.WriteFile(list, []byte(strings.Join(linked, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Fields(string(want)), linked); diff != "" {
		t.Errorf("packages (-listed +linked):\n%s", diff)
	}
}
