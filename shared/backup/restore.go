package backup

import (
	"context"
	"fmt"
	"iter"
	"os"
	"sync"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Report is what became of the organizations of a backup.
type Report struct {
	Restored, Identical int64             // those that were missing, and those that were there as they are in the backup
	Different           []organization.ID // those that are there otherwise; they are left alone
	Missing             []organization.ID // those that are not there; only Compare finds them
}

// Progress is told of organizations that are done with. It is called by several goroutines at once, and may be nil.
type Progress func(organizations int)

// Restore puts the organizations of a backup, which Check has passed, into the store: those that are missing there. It
// overwrites nothing. After an error, calling it again completes the rest.
func Restore(ctx context.Context, path string, target store.Archive, workers int, progress Progress) (Report, error) {
	return inBatches(ctx, path, workers, progress, func(ctx context.Context, batch []store.Dossier) (Report, error) {
		var r Report
		outcomes, err := target.Restore(ctx, batch)
		for i, outcome := range outcomes {
			switch outcome {
			case store.Restored:
				r.Restored++
			case store.Identical:
				r.Identical++
			default:
				r.Different = append(r.Different, batch[i].Organization.ID)
			}
		}
		return r, err
	})
}

// Compare reads every organization of a backup, which Check has passed, from the store and says what it is to that of the
// backup: Identical, Different or Missing.
func Compare(ctx context.Context, path string, target store.Archive, workers int, progress Progress) (Report, error) {
	return inBatches(ctx, path, workers, progress, func(ctx context.Context, batch []store.Dossier) (Report, error) {
		var r Report
		for _, d := range batch {
			outcome, err := store.Compare(ctx, target, d)
			switch {
			case store.KindOf(err) == store.NotFound:
				r.Missing = append(r.Missing, d.Organization.ID)
			case err != nil:
				return r, err
			case outcome == store.Identical:
				r.Identical++
			default:
				r.Different = append(r.Different, d.Organization.ID)
			}
		}
		return r, nil
	})
}

// batchSize is how many organizations a worker takes at a time; the engines write some hundreds of items at once.
const batchSize = 100

// inBatches has workers do the batches of a file, and adds up what they report. It stops at the first error.
func inBatches(
	ctx context.Context, path string, workers int, progress Progress,
	do func(context.Context, []store.Dossier) (Report, error),
) (Report, error) {
	file, err := os.Open(path)
	if err != nil {
		return Report{}, fmt.Errorf("opening the backup: %w", err)
	}
	defer file.Close() // was only read
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		report Report
		mutex  sync.Mutex
		work   = make(chan []store.Dossier)
		done   sync.WaitGroup
	)
	for range max(workers, 1) {
		done.Go(func() {
			for batch := range work {
				r, err := do(ctx, batch)
				mutex.Lock()
				report.add(r)
				mutex.Unlock()
				if err != nil {
					stop(err)
				} else if progress != nil {
					progress(len(batch))
				}
			}
		})
	}
	for batch, err := range batches(dossiers(file)) {
		if err != nil {
			stop(err)
		}
		if ctx.Err() != nil {
			break
		}
		select {
		case work <- batch:
		case <-ctx.Done():
		}
	}
	close(work)
	done.Wait()
	return report, context.Cause(ctx)
}

func (r *Report) add(other Report) {
	r.Restored += other.Restored
	r.Identical += other.Identical
	r.Different = append(r.Different, other.Different...)
	r.Missing = append(r.Missing, other.Missing...)
}

// batches collects organizations.
func batches(all iter.Seq2[store.Dossier, error]) iter.Seq2[[]store.Dossier, error] {
	return func(yield func([]store.Dossier, error) bool) {
		var batch []store.Dossier
		for d, err := range all {
			if err != nil {
				yield(nil, err)
				return
			}
			if batch = append(batch, d); len(batch) < batchSize {
				continue
			}
			if !yield(batch, nil) {
				return
			}
			batch = nil
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}
