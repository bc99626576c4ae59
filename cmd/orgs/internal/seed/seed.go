// Package seed is the command orgs seed: it fills a store with made-up organizations.
//
// It must import no engine of the store.
package seed

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/store"
)

// maxSeed is the largest JSON number that every reader keeps exactly.
const maxSeed = 1<<53 - 1

// Command returns the command seed.
func Command(a *cli.App) *cobra.Command {
	count := cli.NewNumber("", 1, 1_000_000_000, "a count is a whole number from 1 to 1,000,000,000")
	workers := cli.NewWorkers()
	seed := cli.NewNumber("", 0, maxSeed, "a seed is a whole number from 0 to 9007199254740991")
	var keys string
	var yes bool
	c := &cobra.Command{
		Use:   "seed --count N",
		Short: "Fill the store with made-up organizations, to try things out and to measure",
		Long: `Fill the store with made-up organizations. The same --seed makes the same organizations again, with other secrets.
Organizations that are there already stay as they are, so you can run an interrupted command again. Without --seed they
are new ones each time. The command prints the seed.

It asks before it fills DynamoDB, or a store that has organizations. If it cannot ask, as in a script, it needs --yes.`,
		Example: "  orgs seed --count 1000\n  orgs seed --count 1_000_000 --workers 16 --seed 7",
		Args:    cli.Arguments,
		RunE: a.RunWith(backend.Open, func(ctx context.Context, s *backend.Store, _ []string) error {
			if !seed.Given {
				seed.Value = rand.Int64N(maxSeed + 1)
			}
			if err := confirm(ctx, a, s, yes, count.Value); err != nil {
				return err
			}
			return run(ctx, a, s, options{uint64(count.Value), int(workers.Value), uint64(seed.Value), keys})
		}),
	}
	c.Flags().Var(count, "count", "how many organizations")
	c.Flags().Var(workers, "workers", "how many batches to write at once")
	c.Flags().Var(seed, "seed", "the number that decides what is made up (default random)")
	c.Flags().StringVar(&keys, "keys", "", "new `FILE` for one admin key of each new organization, one a line")
	c.Flags().BoolVar(&yes, "yes", false, "fill the store without asking")
	cobra.CheckErr(c.MarkFlagRequired("count"))
	return c
}

// confirm asks before it fills a store that somebody may need.
func confirm(ctx context.Context, a *cli.App, s *backend.Store, yes bool, count int64) error {
	page, _, err := s.List(ctx, "", 1)
	if err != nil {
		return err
	}
	effect := fmt.Sprintf("%s will be added to %s", term.Count(count, "made-up organization", "made-up organizations"), term.Printable(s.Place))
	switch {
	case len(page) > 0:
		return a.Confirm(ctx, yes, effect+", which has organizations already")
	case s.DynamoDB != nil:
		return a.Confirm(ctx, yes, effect)
	default:
		return nil
	}
}

// options are the flags of seed.
type options struct {
	count    uint64
	workers  int
	seed     uint64
	keysFile string // "" if nobody wants the keys
}

// run fills the store and prints what it did, even after an interrupt. It writes the keys to their file before it
// prints.
func run(ctx context.Context, a *cli.App, s *backend.Store, o options) error {
	keys, err := createKeysFile(o.keysFile)
	if err != nil {
		return err
	}
	begin := a.Now()
	secret, err := admin.KeySecret(ctx, s)
	if err != nil {
		return errors.Join(err, keys.close(false))
	}
	w := &writer{options: o, store: s, faker: faker{o.seed, secret}, keys: keys, progress: a.Progress("seeding", int64(o.count), true)}
	err = w.writeAll(ctx)
	w.progress.End()
	keysErr := keys.close(w.created > 0)
	if err != nil && w.created+w.existing == 0 {
		return errors.Join(err, keysErr)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		err = term.Fail(term.Interrupted, "interrupted; to create the rest, run it again with --seed %d --yes", o.seed)
	}
	return errors.Join(w.print(a, a.Now().Sub(begin)), err, keysErr)
}

// keysFile takes the plain text of keys.
type keysFile struct {
	file   *os.File // nil if nobody wants them
	buffer *bufio.Writer
}

// createKeysFile makes a new file that only its owner can read. For the path "" it makes none.
func createKeysFile(path string) (keysFile, error) {
	if path == "" {
		return keysFile{buffer: bufio.NewWriter(io.Discard)}, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return keysFile{}, fmt.Errorf("making the file of keys: %w", err)
	}
	return keysFile{file, bufio.NewWriter(file)}, nil
}

func (k keysFile) add(key string) error {
	if _, err := fmt.Fprintln(k.buffer, key); err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	return nil
}

// close completes the file if keep is true. Otherwise it removes the file, because the next run would refuse to
// overwrite it.
func (k keysFile) close(keep bool) error {
	if k.file == nil {
		return nil
	}
	if !keep {
		return errors.Join(k.file.Close(), os.Remove(k.file.Name()))
	}
	if err := errors.Join(k.buffer.Flush(), k.file.Close()); err != nil {
		return fmt.Errorf("writing the keys to %s, of which some are lost; issue others in their place: %w",
			term.Printable(k.file.Name()), err)
	}
	return nil
}

const (
	batchSize = 200
	mostShown = 3 // keys that are printed
)

// writer writes the organizations.
type writer struct {
	options  options
	store    *backend.Store
	faker    faker
	progress *term.Progress

	mutex             sync.Mutex // guards what follows
	keys              keysFile
	created, existing uint64
	shown             []fake // some of the created
}

// writeAll writes batches, several at once, until all are written, one fails, or ctx ends.
func (w *writer) writeAll(ctx context.Context) error {
	group, running := errgroup.WithContext(ctx)
	group.SetLimit(w.options.workers)
	for begin := uint64(0); begin < w.options.count && running.Err() == nil; begin += batchSize {
		group.Go(func() error {
			// A batch is never cut off, so that all of it is counted.
			return w.writeBatch(context.WithoutCancel(ctx), begin, min(begin+batchSize, w.options.count))
		})
	}
	return cmp.Or(group.Wait(), ctx.Err())
}

// writeBatch creates the organizations from the number begin up to end.
func (w *writer) writeBatch(ctx context.Context, begin, end uint64) error {
	batch := make([]fake, 0, end-begin)
	exports := make([]store.Export, 0, end-begin)
	for n := begin; n < end; n++ {
		f := w.faker.organization(n)
		batch, exports = append(batch, f), append(exports, f.export)
	}
	created, err := w.store.Restore(ctx, exports)
	if err != nil {
		return err
	}
	w.progress.Add(len(batch))
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for i, f := range batch {
		if !created[i] {
			w.existing++
			continue
		}
		w.created++
		if len(w.shown) < mostShown {
			w.shown = append(w.shown, f)
		}
		if err := w.keys.add(f.admin.Reveal()); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) print(a *cli.App, took time.Duration) error {
	type keyJSON struct {
		ID  string `json:"organization_id"`
		Key string `json:"key"`
	}
	keys := make([]keyJSON, 0, len(w.shown))
	lines := []string{fmt.Sprintf("Created %s organizations in %s, from the seed %d.",
		term.Grouped(int64(w.created)), took.Round(time.Millisecond), w.options.seed)}
	if w.existing > 0 {
		lines = append(lines, fmt.Sprintf("%s were there already and stay as they are.", term.Grouped(int64(w.existing))))
	}
	if len(w.shown) > 0 {
		lines = append(lines, "", "Admin keys of some of them, shown only now:", "")
	}
	for _, f := range w.shown {
		key := keyJSON{string(f.export.Organization.ID), f.admin.Reveal()}
		keys = append(keys, key)
		lines = append(lines, fmt.Sprintf("  %s  %s", key.ID, key.Key))
	}
	out := struct {
		Created  uint64    `json:"created"`
		Existing uint64    `json:"existing"`
		Seed     uint64    `json:"seed"`
		Seconds  float64   `json:"seconds"`
		Keys     []keyJSON `json:"keys"`
	}{w.created, w.existing, w.options.seed, took.Seconds(), keys}
	if len(w.shown) == 0 {
		return a.Print(out, strings.Join(lines, "\n"))
	}
	done := fmt.Sprintf("%s organizations were created from the seed %d, but this could not be shown",
		term.Grouped(int64(w.created)), w.options.seed)
	goOn := "issue keys with: " + a.Choice().CommandLine("keys issue ORG --permission admin")
	if w.options.keysFile != "" {
		goOn = "their keys are in " + term.Printable(w.options.keysFile)
	}
	return a.PrintSecret(out, strings.Join(lines, "\n"), done, goOn)
}
