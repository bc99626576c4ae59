package transfer_test

import (
	"os"
	"strings"
	"testing"

	"organizations-api/cmd/orgs/internal/transfer"
)

// TestSecretsMove: a restored key is accepted in another store, as the backup has the secret with which it was made.
// That store goes on to make keys with its own. A comparison adds nothing.
func TestSecretsMove(t *testing.T) {
	t.Parallel()
	from, to := storeOf(t, full(1)), storeOf(t)
	path, _ := write(t, from)
	theirs, err := from.KeySecrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mine, err := to.KeySecrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f, err := transfer.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Compare(t.Context(), to, 1, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := to.KeySecrets(t.Context()); err != nil || len(got) != len(mine) {
		t.Errorf("after Compare the store has %d secrets, %v, want %d", len(got), err, len(mine))
	}
	for range 2 {
		if _, err := f.Restore(t.Context(), to, 1, nil); err != nil {
			t.Fatal(err)
		}
		got, err := to.KeySecrets(t.Context())
		if err != nil || len(got) != 2 || got[0] != mine[0] || got[1] != theirs[0] {
			t.Errorf("after Restore the store has %d secrets, %v, want its own and that of the backup", len(got), err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), theirs[0].Reveal()) != 1 {
		t.Errorf("the backup has the secret %d times, %v, want once", strings.Count(string(text), theirs[0].Reveal()), err)
	}
}
