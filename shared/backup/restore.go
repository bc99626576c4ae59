package backup

import (
	"context"
	"fmt"
	"iter"
	"os"
	"sync"
	"sync/atomic"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Report is what the organizations of a backup are to those of a store.
type Report struct {
	Identical int64
	Different []organization.ID
	Missing   []organization.ID
}

// Progress is told of organizations that are done with. It is called by several goroutines at once, and may be nil.
type Progress func(organizations int)

// Restore puts the organizations of a backup, which Check has passed, into the store: those that are missing there, and
// returns how many that were. It overwrites nothing; Compare tells what of the rest differs. After an error, calling it
// again creates the rest.
func Restore(ctx context.Context, path string, target store.Archive, workers int, progress Progress) (int64, error) {
	var restored atomic.Int64
	err := inBatches(ctx, path, workers, progress, func(ctx context.Context, batch []store.Export) error {
		created, err := target.Restore(ctx, batch)
		for _, yes := range created {
			if yes {
				restored.Add(1)
			}
		}
		return err
	})
	return restored.Load(), err
}

// Compare reads every organization of a backup, which Check has passed, from the store and says what it is to that of the
// backup.
func Compare(ctx context.Context, path string, target store.Archive, workers int, progress Progress) (Report, error) {
	var report Report
	var mutex sync.Mutex
	err := inBatches(ctx, path, workers, progress, func(ctx context.Context, batch []store.Export) error {
		for _, d := range batch {
			same, err := store.Matches(ctx, target, d)
			missing := store.KindOf(err) == store.NotFound
			if err != nil && !missing {
				return err
			}
			mutex.Lock()
			switch {
			case missing:
				report.Missing = append(report.Missing, d.Organization.ID)
			case same:
				report.Identical++
			default:
				report.Different = append(report.Different, d.Organization.ID)
			}
			mutex.Unlock()
		}
		return nil
	})
	return report, err
}

// batchSize is how many organizations a worker takes at a time; the engines write some hundreds of items at once.
const batchSize = 100

// inBatches has workers do the batches of a file. It stops at the first error.
func inBatches(
	ctx context.Context, path string, workers int, progress Progress,
	do func(context.Context, []store.Export) error,
) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the backup: %w", err)
	}
	defer file.Close() // was only read
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	work := make(chan []store.Export)
	var done sync.WaitGroup
	for range max(workers, 1) {
		done.Go(func() {
			for batch := range work {
				if err := do(ctx, batch); err != nil {
					stop(err)
				} else if progress != nil {
					progress(len(batch))
				}
			}
		})
	}
	if err := feed(ctx, file, work); err != nil {
		stop(err)
	}
	done.Wait()
	return context.Cause(ctx)
}

// feed hands the batches of the file to the workers, as long as ctx lasts, and closes the channel.
func feed(ctx context.Context, file *os.File, work chan<- []store.Export) error {
	defer close(work)
	for batch, err := range batches(exports(file)) {
		if err != nil {
			return err
		}
		select {
		case work <- batch:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// batches collects organizations.
func batches(all iter.Seq2[store.Export, error]) iter.Seq2[[]store.Export, error] {
	return func(yield func([]store.Export, error) bool) {
		var batch []store.Export
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
