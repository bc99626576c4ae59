package attacks

import (
	"os/exec"
	"strings"
	"testing"
)

// TestKeysStayOutOfArguments: make starts no process with a key in its arguments, where every user of the machine could
// see it.
func TestKeysStayOutOfArguments(t *testing.T) {
	t.Parallel()
	const key = "sk_live_0123456789ABC_secret"
	for _, target := range []string{"contract", "invoke-get", "invoke-update"} {
		command := exec.CommandContext(t.Context(), "make", "--no-print-directory", "--dry-run", target, "TARGET=http://127.0.0.1:1")
		command.Dir = "../.."
		command.Env = append(command.Environ(), "KEY="+key, "ADMIN_KEY="+key, "READ_KEY="+key, "OTHER_KEY="+key)
		recipe, err := command.CombinedOutput()
		if err != nil || len(recipe) == 0 {
			t.Fatalf("make --dry-run %s: %v\n%s", target, err, recipe)
		}
		if strings.Contains(string(recipe), key) {
			t.Errorf("make %s has a key in the arguments of a command:\n%s", target, recipe)
		}
	}
}
