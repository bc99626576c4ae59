package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/shared/store"
)

func (a *app) seedCommand() *cobra.Command {
	count := newParsed("n", "", parseCount)
	workers := newParsed("n", "8", parseWorkers)
	seed := newParsed("n", "", parseSeed)
	var keys string
	c := &cobra.Command{
		Use:   "seed --count N",
		Short: "Fill the store with made-up organizations, for trying things out and for measuring",
		Long: `Fill the store with made-up organizations. The same --seed makes the same organizations again but for what is secret:
those that are there already stay as they are, so a run that was interrupted can be completed. Without --seed they are new
ones each time; the seed is printed.`,
		Example: "  orgs seed --count 1000\n  orgs seed --count 1_000_000 --workers 16 --seed 7",
		Args:    cobra.NoArgs,
		RunE: a.doesWithNewStore(func(ctx context.Context, s *storage, _ []string) error {
			if !seed.given {
				seed.value = rand.Uint64N(1 << 53) // a JSON number that every reader keeps
			}
			return a.seed(ctx, s, &seeding{
				count: count.value, workers: workers.value, fiction: fiction{seed.value}, keysFile: keys,
			})
		}),
	}
	c.Flags().Var(count, "count", "how many organizations")
	c.Flags().Var(workers, "workers", "how many batches to write at once")
	c.Flags().Var(seed, "seed", "what they are made up from (default one drawn at random)")
	c.Flags().StringVar(&keys, "keys", "", "new `FILE` for an admin key of each organization that was created, one a line")
	cobra.CheckErr(c.MarkFlagRequired("count"))
	return c
}

func parseCount(s string) (uint64, error) {
	const most = 1_000_000_000
	n, err := strconv.ParseUint(strings.ReplaceAll(s, "_", ""), 10, 64)
	if err != nil || n < 1 || n > most {
		return 0, errors.New("a count is a whole number from 1 to 1,000,000,000")
	}
	return n, nil
}

func parseWorkers(s string) (int, error) {
	const most = 256
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return 0, errors.New("workers are a whole number from 1 to 256")
	}
	return n, nil
}

func parseSeed(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 53)
	if err != nil {
		return 0, errors.New("a seed is a whole number from 0 to 9007199254740991")
	}
	return n, nil
}

// seeding is one run of seed. What changes is guarded by the mutex.
type seeding struct {
	count    uint64
	workers  int
	fiction  fiction
	keysFile string
	progress *progress

	next  atomic.Uint64 // the first that no worker has taken
	mutex sync.Mutex
	keys  io.Writer // nil where nobody wants them
	out   seeded
}

// seeded is what became of it.
type seeded struct {
	created, existing uint64
	shown             []made // some of the created
}

const (
	seedBatch = 200
	seedShown = 3
)

// seed fills the store and says what it did, also where it was interrupted. The keys are in their file before that: who
// stops reading what is printed has them all the same.
func (a *app) seed(ctx context.Context, s *storage, run *seeding) error {
	closeKeys, err := run.openKeys()
	if err != nil {
		return err
	}
	begin := a.now()
	run.progress = a.newProgress("seeding", int64(run.count), true)
	failed := run.work(ctx, s)
	run.progress.end()
	unkept := closeKeys()
	if failed != nil && run.out.created+run.out.existing == 0 {
		return errors.Join(failed, unkept)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		failed = fail(kindFailed, "interrupted; to create the rest, run it again with --seed %d", run.fiction.seed)
	}
	return errors.Join(a.printSeeded(run, a.now().Sub(begin)), failed, unkept)
}

// openKeys makes the file of keys, where one is wanted, and returns what completes it.
func (run *seeding) openKeys() (func() error, error) {
	if run.keysFile == "" {
		return func() error { return nil }, nil
	}
	file, err := os.OpenFile(run.keysFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the file of keys: %w", err)
	}
	buffered := bufio.NewWriter(file)
	run.keys = buffered
	return func() error {
		if run.out.created == 0 {
			return errors.Join(file.Close(), os.Remove(run.keysFile)) // or the next run would find it taken
		}
		if err := errors.Join(buffered.Flush(), file.Close()); err != nil {
			return fmt.Errorf("writing the keys, of which some are lost: %w", err)
		}
		return nil
	}, nil
}

// work runs the workers; where one fails, or ctx ends, the others finish the batch that they are at.
func (run *seeding) work(ctx context.Context, s *storage) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var workers sync.WaitGroup
	for range run.workers {
		workers.Go(func() {
			for ctx.Err() == nil {
				begin := run.next.Add(seedBatch) - seedBatch
				if begin >= run.count {
					return
				}
				// A batch that was begun is completed, so that all of it is counted.
				if err := run.batch(context.WithoutCancel(ctx), s, begin, min(begin+seedBatch, run.count)); err != nil {
					stop(err)
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// batch creates the organizations from the number begin up to end.
func (run *seeding) batch(ctx context.Context, s *storage, begin, end uint64) error {
	batch := make([]made, 0, end-begin)
	exports := make([]store.Export, 0, end-begin)
	for n := begin; n < end; n++ {
		m := run.fiction.organization(n)
		batch, exports = append(batch, m), append(exports, m.export)
	}
	created, err := s.Restore(ctx, exports)
	if err != nil {
		return err
	}
	run.progress.add(len(batch))
	run.mutex.Lock()
	defer run.mutex.Unlock()
	for i, m := range batch {
		if !created[i] {
			run.out.existing++
			continue
		}
		run.out.created++
		if len(run.out.shown) < seedShown {
			run.out.shown = append(run.out.shown, m)
		}
		if run.keys == nil {
			continue
		}
		if err := writeLine(run.keys, m.admin.Reveal()); err != nil {
			return fmt.Errorf("writing the keys: %w", err)
		}
	}
	return nil
}

func (a *app) printSeeded(run *seeding, took time.Duration) error {
	out := run.out
	if a.json {
		type wireKeyOf struct {
			ID  string `json:"organization_id"`
			Key string `json:"key"`
		}
		keys := make([]wireKeyOf, 0, len(out.shown))
		for _, m := range out.shown {
			keys = append(keys, wireKeyOf{string(m.export.Organization.ID), m.admin.Reveal()})
		}
		return writeJSON(a.stdout, struct {
			Created  uint64      `json:"created"`
			Existing uint64      `json:"existing"`
			Seed     uint64      `json:"seed"`
			Seconds  float64     `json:"seconds"`
			Keys     []wireKeyOf `json:"keys"`
		}{out.created, out.existing, run.fiction.seed, took.Seconds(), keys})
	}
	lines := []string{fmt.Sprintf("Created %s organizations in %s, from the seed %d.",
		grouped(int64(out.created)), took.Round(time.Millisecond), run.fiction.seed)}
	if out.existing > 0 {
		lines = append(lines, fmt.Sprintf("%s were there already and stay as they are.", grouped(int64(out.existing))))
	}
	if len(out.shown) > 0 {
		lines = append(lines, "", "Admin keys of some of them, shown only now:", "")
		for _, m := range out.shown {
			lines = append(lines, fmt.Sprintf("  %s  %s", m.export.Organization.ID, m.admin.Reveal()))
		}
	}
	return writeLine(a.stdout, strings.Join(lines, "\n"))
}
