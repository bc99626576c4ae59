package transfer

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Options say how to write a backup. The zero Options are usable.
type Options struct {
	From     string    // the store's name, for people who read the file
	At       time.Time // when the backup begins
	Workers  int       // organizations that are read at once; 0 means 8
	Progress Progress

	sync func(*os.File) error // for tests; nil stands for os.File.Sync
}

// flush makes sure that a file or folder is on disk.
func (o Options) flush(f *os.File) error {
	if o.sync != nil {
		return o.sync(f)
	}
	return f.Sync()
}

// Progress is called with the number of organizations that were just finished. Several goroutines call it at once. It
// may be nil.
type Progress func(organizations int)

func (p Progress) add(organizations int) {
	if p != nil {
		p(organizations)
	}
}

// Summary is what a backup holds.
type Summary struct {
	Organizations int64
	Entries       int64
	Bytes         int64
	SHA256        string // of everything before the trailer
}

const (
	defaultWorkers = 8
	pageSize       = 400     // organizations that are listed at once
	bufferSize     = 1 << 20 // of what is written to the file
)

// Write backs up all organizations of the source into a new file at path. It writes a temporary file beside it, reads
// that again, and only then renames it, so the file at path is always complete. Write never replaces a file: then the
// error wraps ErrExists. After any other error, also an interrupt, no file is left, and you start anew.
//
// Each organization is in the file as it was at one moment, with its audit trail of that moment. An organization that
// exists from the beginning to the end is there exactly once. If it is created or purged meanwhile, it may be missing.
func Write(ctx context.Context, source store.Archive, path string, o Options) (Summary, error) {
	file, err := createTemporary(path)
	if err != nil {
		return Summary{}, fmt.Errorf("backing up to %s: %w", path, err)
	}
	summary, err := fill(ctx, source, file, o)
	if err == nil {
		err = publish(file, path, o.flush)
	}
	return summary, errors.Join(err, file.Close(), removeTemporary(file.Name()))
}

// fill writes the whole backup, makes sure that it is on disk, and checks it by reading it again.
func fill(ctx context.Context, source store.Archive, file *os.File, o Options) (Summary, error) {
	b := &backup{
		source: source, progress: o.Progress, file: file, out: bufio.NewWriterSize(file, bufferSize), sum: sha256.New(),
	}
	if err := b.put(line{Header: &header{Format: format, From: o.From, At: organization.Timestamp(o.At)}}); err != nil {
		return Summary{}, err
	}
	if err := each(ctx, cmp.Or(o.Workers, defaultWorkers), exports(ctx, source), b.add); err != nil {
		return Summary{}, err
	}
	secrets, err := source.KeySecrets(ctx) // after the organizations, as the first of them makes the first secret
	if err != nil {
		return Summary{}, err
	}
	if len(secrets) > 0 {
		if err := b.put(secretsLine(secrets)); err != nil {
			return Summary{}, err
		}
	}
	end := trailer{Organizations: b.organizations, Entries: b.entries, SHA256: hex.EncodeToString(b.sum.Sum(nil))}
	if err := b.put(line{Trailer: &end}); err != nil {
		return Summary{}, err
	}
	if err := errors.Join(b.out.Flush(), o.flush(file)); err != nil {
		return Summary{}, err
	}
	summary, _, err := check(ctx, file)
	if err != nil {
		return Summary{}, fmt.Errorf("reading the backup again: %w", err)
	}
	return summary, nil
}

// exports lists the organizations of the source page by page.
func exports(ctx context.Context, source store.Archive) iter.Seq2[store.Export, error] {
	return func(yield func(store.Export, error) bool) {
		for cursor := ""; ; {
			page, next, err := source.ExportPage(ctx, cursor, pageSize)
			if err != nil {
				yield(store.Export{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			cursor = next
		}
	}
}

// backup is a file that is being written.
type backup struct {
	source   store.Archive
	progress Progress

	mutex                  sync.Mutex // guards everything below
	file                   *os.File
	out                    *bufio.Writer
	size                   int64
	sum                    hash.Hash // of the first size bytes
	organizations, entries int64
}

// Write appends to the file.
func (b *backup) Write(text []byte) (int, error) {
	b.size += int64(len(text))
	b.sum.Write(text)
	return b.out.Write(text)
}

func (b *backup) put(l line) error {
	text, _, err := encode(l)
	if err != nil {
		return err
	}
	_, err = b.Write(text)
	return err
}

// add writes one organization with its trail. It leaves out an organization that was purged meanwhile. Workers read
// into memory, and then take turns at the file.
func (b *backup) add(ctx context.Context, e store.Export) error {
	var lines memory
	entries, err := b.write(ctx, &lines, &e, func() error { lines.Reset(); return nil })
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if errors.Is(err, errTooLong) {
		entries, err = b.addLong(ctx, e)
	} else if err == nil {
		_, err = b.Write(lines.Bytes())
	}
	if store.KindOf(err) == store.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	b.organizations++
	b.entries += entries
	b.progress.add(1)
	return nil
}

// addLong writes an organization that is too long for memory straight into the file. If the organization changes
// meanwhile, it cuts off what it wrote.
func (b *backup) addLong(ctx context.Context, e store.Export) (int64, error) {
	size, sum := b.size, clone(b.sum)
	cut := func() error {
		b.size, b.sum = size, clone(sum)
		if err := errors.Join(b.out.Flush(), b.file.Truncate(size)); err != nil {
			return err
		}
		_, err := b.file.Seek(size, io.SeekStart)
		return err
	}
	entries, err := b.write(ctx, b, &e, cut)
	if err == nil {
		return entries, nil
	}
	if err := cut(); err != nil {
		return 0, err
	}
	return 0, err
}

func clone(sum hash.Hash) hash.Hash {
	copied, err := sum.(hash.Cloner).Clone()
	if err != nil {
		panic(err) // every hash of the standard library can be cloned
	}
	return copied
}

// write writes the lines of an organization and returns the number of entries. If the organization changes while its
// trail is read, write calls restart, reads the organization into e again, and writes it anew. The error is a NotFound
// if the organization was purged.
func (b *backup) write(ctx context.Context, out io.Writer, e *store.Export, restart func() error) (int64, error) {
	const (
		attempts = 20
		pause    = 200 * time.Millisecond
	)
	id := e.Organization.ID
	for attempt := 1; ; attempt++ {
		entries, err := writeExport(ctx, out, *e)
		if store.KindOf(err) != store.Conflict {
			return entries, err
		}
		if attempt == attempts {
			return 0, fmt.Errorf("the keys of %s change all the time: %w", id, err)
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(rand.N(pause)):
		}
		if *e, err = b.source.Export(ctx, id); err != nil {
			return 0, err
		}
		if err := restart(); err != nil {
			return 0, err
		}
	}
}

// writeExport writes the lines of an organization and returns the number of entries.
func writeExport(ctx context.Context, out io.Writer, e store.Export) (entries int64, err error) {
	text, err := encodeOrganization(e)
	if err != nil {
		return 0, fmt.Errorf("%s cannot be backed up: %w", e.Organization.ID, err)
	}
	if _, err := out.Write(text); err != nil {
		return 0, err
	}
	for entry, err := range e.Trail {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return 0, err
		}
		text, err := encodeEntry(entry)
		if err != nil {
			return 0, fmt.Errorf("the entry %s of %s cannot be backed up: %w", entry.ID, e.Organization.ID, err)
		}
		if _, err := out.Write(text); err != nil {
			return 0, err
		}
		entries++
	}
	return entries, nil
}

// maxMemory is how much of one organization a worker keeps in memory.
const maxMemory = 1 << 20

var errTooLong = errors.New("too long for memory")

// memory keeps up to maxMemory bytes. If there are more, Write returns errTooLong.
type memory struct{ bytes.Buffer }

func (m *memory) Write(text []byte) (int, error) {
	if m.Len()+len(text) > maxMemory {
		return 0, errTooLong
	}
	return m.Buffer.Write(text)
}

// each calls do for every item, several at once. It stops at the first error and returns it.
func each[T any](ctx context.Context, workers int, items iter.Seq2[T, error], do func(context.Context, T) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	turns := make(chan struct{}, max(workers, 1))
	var running sync.WaitGroup
	for item, err := range items {
		if err != nil {
			stop(err)
		}
		if ctx.Err() != nil {
			break
		}
		turns <- struct{}{}
		running.Go(func() {
			defer func() { <-turns }()
			if err := do(ctx, item); err != nil {
				stop(err)
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}
