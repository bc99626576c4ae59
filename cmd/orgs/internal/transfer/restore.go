package transfer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"

	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// File is a backup that Open has read and found to be complete.
type File struct {
	Summary
	secrets apikey.Secrets // with which the keys of the organizations were made
	file    *os.File
}

// Open opens a backup and reads all of it. It returns an error if the file is not as it was written, or if a store
// could not read its content after a restore. The error says which line is wrong and why, and does not quote the line.
func Open(ctx context.Context, path string) (*File, error) {
	file, err := cli.OpenRegular(path)
	if err != nil {
		return nil, fmt.Errorf("opening the backup: %w", err)
	}
	summary, secrets, err := check(ctx, file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("checking %s: %w", path, err), file.Close())
	}
	return &File{summary, secrets, file}, nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Report says how the organizations of a backup compare with those of a store.
type Report struct {
	Restored  int64 // those that were missing before
	Identical int64 // those that were read back and are as in the backup, restored ones included
	Different []organization.ID
	Missing   []organization.ID
}

// Restore puts the missing organizations of the backup into the target, and the secrets with which their keys were
// made, so that the target accepts these keys. It changes no organization that is there. It then reads each one back
// and compares it with the backup. After an error, the report counts what was restored so far. Call Restore again to do
// the rest.
func (f *File) Restore(ctx context.Context, target store.Archive, workers int, p Progress) (Report, error) {
	if err := target.AddKeySecrets(ctx, f.secrets); err != nil {
		return Report{}, err
	}
	return f.inBatches(ctx, workers, p, func(ctx context.Context, r *report, batch []store.Export) error {
		created, err := target.Restore(ctx, batch)
		r.addRestored(created)
		if err != nil {
			return err
		}
		return r.compare(ctx, target, batch)
	})
}

// Compare compares each organization of the backup with the target. It writes nothing.
func (f *File) Compare(ctx context.Context, target store.Archive, workers int, p Progress) (Report, error) {
	return f.inBatches(ctx, workers, p, func(ctx context.Context, r *report, batch []store.Export) error {
		return r.compare(ctx, target, batch)
	})
}

// inBatches calls do for all batches of the file, and returns the report that do adds to.
func (f *File) inBatches(
	ctx context.Context, workers int, p Progress, do func(context.Context, *report, []store.Export) error,
) (Report, error) {
	var r report
	err := each(ctx, workers, f.batches(ctx), func(ctx context.Context, batch []store.Export) error {
		err := do(ctx, &r, batch)
		if err == nil {
			p.add(len(batch))
		}
		return err
	})
	return r.Report, err
}

// report is a Report that several goroutines add to.
type report struct {
	mutex sync.Mutex
	Report
}

func (r *report) addRestored(created []bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, yes := range created {
		if yes {
			r.Restored++
		}
	}
}

func (r *report) compare(ctx context.Context, target store.Archive, batch []store.Export) error {
	for _, e := range batch {
		same, err := store.Matches(ctx, target, e)
		missing := store.KindOf(err) == store.NotFound
		if err != nil && !missing {
			return err
		}
		r.mutex.Lock()
		switch {
		case missing:
			r.Missing = append(r.Missing, e.Organization.ID)
		case same:
			r.Identical++
		default:
			r.Different = append(r.Different, e.Organization.ID)
		}
		r.mutex.Unlock()
	}
	return nil
}

// A batch ends with the organization that reaches one of these bounds.
const (
	batchOrganizations = 100
	batchBytes         = 1 << 20 // of the file
)

// batches reads the organizations of the file. It checks every line again, because somebody may have changed the file.
func (f *File) batches(ctx context.Context) iter.Seq2[[]store.Export, error] {
	return func(yield func([]store.Export, error) bool) {
		r := newReader(f.file)
		var batch []store.Export
		var begin int64
		for {
			l, err := r.next(ctx)
			switch {
			case errors.Is(err, io.EOF):
				if len(batch) > 0 {
					yield(batch, nil)
				}
				return
			case err != nil:
				yield(nil, fmt.Errorf("reading %s again: %w", f.file.Name(), err))
				return
			case l.Organization == nil:
				continue
			}
			l.export.Trail = f.trail(ctx, r.Bytes)
			batch = append(batch, l.export)
			if len(batch) == batchOrganizations || r.Bytes-begin >= batchBytes {
				if !yield(batch, nil) {
					return
				}
				batch, begin = nil, r.Bytes
			}
		}
	}
}

// trail returns the entries whose lines begin at the offset, up to the first line of another kind. It reads them from
// the file each time, because they may not fit into memory.
func (f *File) trail(ctx context.Context, offset int64) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		in := readFrom(f.file, offset)
		for {
			text, err := readLine(in)
			if err == nil && !bytes.HasPrefix(text, []byte(entryStart)) {
				return
			}
			var l line
			if err = cmp.Or(err, ctx.Err()); err == nil {
				l, err = decode(text)
			}
			if err != nil {
				yield(store.Entry{}, fmt.Errorf("reading a trail of %s: %w", f.file.Name(), err))
				return
			}
			if !yield(l.Entry.entry(), nil) {
				return
			}
		}
	}
}
