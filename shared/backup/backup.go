// Package backup writes all organizations of a store into a file, and a file into a store, whatever the two engines.
//
// A backup is a text of JSON lines: a header, the organizations, and a last line with their number and the SHA-256 of
// everything before it. In between, checkpoints say where the reading of the store stands and what the SHA-256 is so far;
// by them an interrupted backup goes on, and damage is found where it is. The file has what the store has, internal
// identifiers, hashes of keys and credentials included, and is for its owner's eyes only.
//
// It must import no engine, and nothing that serves requests.
package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Source is a store as it is backed up.
type Source interface {
	ExportPage(ctx context.Context, cursor string, limit int) ([]store.Export, string, error)
	Export(ctx context.Context, id organization.ID) (store.Export, error)
}

// Options are how a backup is written. The zero Options will do, but for From and Now.
type Options struct {
	From    string // names the store in the file; a backup is only resumed from the same
	Now     func() time.Time
	Workers int // trails that are read at once; 0 stands for 8
	Page    int // organizations between two checkpoints, at most; 0 stands for 400
	// Resumed is told how many are there of earlier runs, and when the first run began: without any, this one. It may be nil.
	Resumed func(organizations int64, begun time.Time)
	Added   func(organizations int) // is told of each that is written; may be nil
}

// Summary is what a backup holds.
type Summary struct {
	Organizations int64
	Entries       int64
	Bytes         int64
	SHA256        string // of everything before the last line
}

const (
	defaultPage    = 400
	defaultWorkers = 8
	group          = 64 // organizations whose trails are in memory at once, each up to a line
)

// Write backs the store up into a new file. Until it is complete, and read again and found sound, the file is that of
// Partial; where that exists, of the same store, Write goes on from its last checkpoint. Of several at once for one path, in
// whatever processes, one writes, and the others return an error at once. See also ErrExists, ErrBusy and ErrNotResumable.
//
// Each organization is as it was at one moment, its trail that of its record. Those that exist from the beginning to the
// end come exactly once; those that are created or purged meanwhile may come or not.
func Write(ctx context.Context, source Source, path string, o Options) (Summary, error) {
	o.Workers, o.Page = cmp.Or(o.Workers, defaultWorkers), cmp.Or(o.Page, defaultPage)
	w, cursor, err := openWriter(path, header{Format: format, From: o.From, At: organization.FormatTime(o.Now())})
	if err != nil {
		return Summary{}, err
	}
	if o.Resumed != nil {
		o.Resumed(w.totals.Organizations, w.begun)
	}
	b := &writing{source: source, options: o, writer: w}
	var summary Summary
	if err = b.all(ctx, cursor); err == nil {
		summary, err = w.finish(path)
	}
	return summary, errors.Join(err, w.close())
}

// writing is one run of Write.
type writing struct {
	source  Source
	options Options
	writer  *writer
}

// all writes page after page, a checkpoint after each.
func (b *writing) all(ctx context.Context, cursor string) error {
	for !b.writer.complete {
		page, next, err := b.source.ExportPage(ctx, cursor, b.options.Page)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(page, group) {
			if err := b.group(ctx, some); err != nil {
				return err
			}
		}
		if next == "" {
			return b.writer.end()
		}
		if err := b.writer.checkpoint(next); err != nil {
			return err
		}
		cursor = next
	}
	return nil
}

// group reads the trails at once and writes them in order.
func (b *writing) group(ctx context.Context, exports []store.Export) error {
	read := make([]reading, len(exports))
	var readers sync.WaitGroup
	turns := make(chan struct{}, b.options.Workers)
	for i, d := range exports {
		turns <- struct{}{}
		readers.Go(func() {
			defer func() { <-turns }()
			read[i] = b.read(ctx, d)
		})
	}
	readers.Wait()
	for _, r := range read {
		if err := b.write(ctx, r); err != nil {
			return err
		}
		if b.options.Added != nil {
			b.options.Added(1)
		}
	}
	return nil
}

// reading is an organization with as much of its trail as fits into a line.
type reading struct {
	export  store.Export
	entries []store.Entry
	more    bool // the trail is longer than a line
	err     error
}

// read reads the beginning of the trail; where the organization changes meanwhile, all of it anew.
func (b *writing) read(ctx context.Context, d store.Export) reading {
	r := reading{export: d}
	r.err = b.untilSettled(ctx, &r.export, func() error {
		r.entries, r.more = nil, false
		size := 0
		for e, err := range r.export.Trail {
			if err != nil {
				return err
			}
			if r.more = full(len(r.entries), size); r.more {
				return nil
			}
			r.entries, size = append(r.entries, e), size+sizeOf(e)
		}
		return nil
	})
	return r
}

// write writes what was read; one that was purged meanwhile is left out.
func (b *writing) write(ctx context.Context, r reading) error {
	if store.KindOf(r.err) == store.NotFound {
		return nil
	}
	if r.err != nil {
		return r.err
	}
	if !r.more {
		return b.writer.organization(r.export, r.entries, false)
	}
	begin := b.writer.mark()
	err := b.untilSettled(ctx, &r.export, func() error {
		if err := b.writer.rewind(begin); err != nil {
			return err
		}
		return b.writer.long(r.export)
	})
	if store.KindOf(err) == store.NotFound {
		return b.writer.rewind(begin)
	}
	return err
}

// untilSettled does what reads a trail until the trail says that it is that of the record, each time with the export
// anew.
func (b *writing) untilSettled(ctx context.Context, d *store.Export, read func() error) error {
	const (
		attempts = 20
		pause    = 200 * time.Millisecond
	)
	for attempt := 1; ; attempt++ {
		err := read()
		if store.KindOf(err) != store.Conflict {
			return err
		}
		if attempt == attempts {
			return fmt.Errorf("keys of %s change all the time: %w", d.Organization.ID, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(pause)):
		}
		if *d, err = b.source.Export(ctx, d.Organization.ID); err != nil {
			return err
		}
	}
}
