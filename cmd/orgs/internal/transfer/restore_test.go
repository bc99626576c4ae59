package transfer_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/transfer"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// TestDifferent restores into a store that has some of the organizations, one of them with another name.
func TestDifferent(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	all := []store.Export{full(3), full(3), full(3), full(3)}
	path, _ := write(t, storeOf(t, all...))
	other := all[1]
	other.Organization.Name = "another"
	to, f := storeOf(t, all[0], other), openFile(t, path)
	different := []organization.ID{other.Organization.ID}

	got, err := f.Compare(ctx, to, 1, nil)
	if err != nil || got.Restored != 0 || got.Identical != 1 || !cmp.Equal(got.Different, different) || len(got.Missing) != 2 {
		t.Errorf("Compare before = %+v, %v, want one identical, %s different, two missing", got, err, different)
	}
	for _, restored := range []int64{2, 0} { // a restore can be run again
		got, err := f.Restore(ctx, to, 1, nil)
		want := transfer.Report{Restored: restored, Identical: 3, Different: different}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Restore = %v (-want +got):\n%s", err, diff)
		}
	}
	if o, _, err := to.Get(ctx, other.Organization.ID); err != nil || o.Name != "another" {
		t.Errorf("what differs is now %q, %v, want it as it was", o.Name, err)
	}
}

// TestRestoreInterrupted ends a restore time and again, until all is there.
func TestRestoreInterrupted(t *testing.T) {
	t.Parallel()
	const organizations = 700
	s, to := filled(t, organizations), open(t)
	path, _ := write(t, s)
	f := openFile(t, path)
	runs := 0
	for restored := int64(0); restored < organizations; runs++ {
		ctx, cancel := context.WithCancel(t.Context())
		left := 1 + runs // batches; each run begins with those that are there already
		got, err := f.Restore(ctx, to, 1, func(int) {
			if left--; left == 0 {
				cancel()
			}
		})
		if err != nil && ctx.Err() == nil {
			t.Fatalf("Restore, interrupted = %v, want no error but that of the interrupt", err)
		}
		restored += got.Restored
		cancel()
	}
	if runs < 2 {
		t.Error("the restore was never interrupted")
	}
	wantIdentical(t, path, to, organizations)
}

// failing is a store in which nothing can be restored.
type failing struct{ store.Archive }

var errFailing = errors.New("no room")

func (failing) Restore(context.Context, []store.Export) ([]bool, error) { return nil, errFailing }

func TestRestoreFails(t *testing.T) {
	t.Parallel()
	path, _ := write(t, filled(t, 300))
	got, err := openFile(t, path).Restore(t.Context(), failing{open(t)}, 4, nil)
	if diff := cmp.Diff(transfer.Report{}, got); !errors.Is(err, errFailing) || diff != "" {
		t.Errorf("Restore into a store that fails = %v, want its error (-want +got):\n%s", err, diff)
	}
}

// TestChangedMeanwhile changes the file between its check and the restore.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	path, _ := write(t, filled(t, 3))
	f := openFile(t, path)
	if err := os.Truncate(path, f.Bytes/2); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Restore(t.Context(), open(t), 1, nil); err == nil {
		t.Errorf("Restore of half a file = %+v, want an error", got)
	}
}
