package backup

import (
	"bufio"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// writer writes lines to the end of an unfinished backup, which is its alone until it is closed.
type writer struct {
	file     *os.File
	out      *bufio.Writer
	sum      hash.Hash // of all lines so far
	totals   Summary
	begun    time.Time // by the first run
	complete bool      // the last line is there
}

// openWriter makes the file of Partial, or opens it to go on, and returns the cursor to go on from.
func openWriter(path string, h header) (*writer, string, error) {
	file, err := openPartial(path)
	if err != nil {
		return nil, "", fmt.Errorf("backing up to %s: %w", path, err)
	}
	w := &writer{file: file}
	cursor, err := w.resume(path, h)
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("backing up to %s: %w", path, err), file.Close())
	}
	return w, cursor, nil
}

// resume takes over what an earlier run left, up to the last checkpoint that is sound, and writes the header where there
// is none.
func (w *writer) resume(path string, h header) (string, error) {
	found, err := w.takeOver(h)
	if err != nil {
		return "", notResumable(path, err)
	}
	w.out = bufio.NewWriterSize(w.file, 1<<20)
	if err := w.file.Truncate(w.totals.Bytes); err != nil {
		return "", fmt.Errorf("cutting the end: %w", err)
	}
	if _, err := w.file.Seek(w.totals.Bytes, io.SeekStart); err != nil {
		return "", err
	}
	if found.header == nil {
		if err := w.put(line{Header: &h}); err != nil {
			return "", err
		}
	}
	return found.cursor, w.out.Flush()
}

// takeOver reads what an earlier run left, and makes sure that this one can go on with it and that only its owner can read
// it: a file that was there has the mode that it had.
func (w *writer) takeOver(h header) (salvaged, error) {
	found, err := salvage(w.file)
	if err != nil {
		return found, err
	}
	if found.header != nil && found.header.From != h.From {
		return found, fmt.Errorf("it is a backup of another store, %s", found.header.From)
	}
	w.sum, w.totals, w.complete = found.sum, found.totals, found.complete
	if w.begun, err = cmp.Or(found.header, &h).time(); err != nil {
		return found, err
	}
	return found, w.file.Chmod(0o600)
}

func (w *writer) put(l line) error {
	text, err := l.encode()
	if err != nil {
		return fmt.Errorf("encoding a line: %w", err)
	}
	if _, err := w.out.Write(text); err != nil {
		return err // says which file
	}
	w.sum.Write(text)
	w.totals.Bytes += int64(len(text))
	return nil
}

// organization writes an organization with the entries, and makes sure that reading the line gives the same again.
func (w *writer) organization(d store.Export, entries []store.Entry, more bool) error {
	d.Trail = store.Entries(entries...)
	l := line{Organization: fromRecord(d.Organization), Trail: fromEntries(entries), More: more}
	for _, k := range d.Keys {
		l.Keys = append(l.Keys, fromKey(k))
	}
	again, err := reread(l)
	if err == nil {
		var back store.Export
		if back, err = again.export(); err == nil {
			err = mustAgree(d, back)
		}
	}
	if err != nil {
		return fmt.Errorf("%s cannot be backed up by this version: %w", d.Organization.ID, err)
	}
	w.totals.Organizations++
	w.totals.Entries += int64(len(entries))
	return w.put(l)
}

// trail writes further entries of the organization before.
func (w *writer) trail(id organization.ID, entries []store.Entry, more bool) error {
	l := line{Entries: string(id), Trail: fromEntries(entries), More: more}
	again, err := reread(l)
	if err == nil {
		err = mustAgree(store.Export{Trail: store.Entries(entries...)}, store.Export{Trail: store.Entries(again.entries()...)})
	}
	if err != nil {
		return fmt.Errorf("the trail of %s cannot be backed up by this version: %w", id, err)
	}
	w.totals.Entries += int64(len(entries))
	return w.put(l)
}

func fromEntries(entries []store.Entry) []entry {
	out := make([]entry, 0, len(entries))
	for _, e := range entries {
		out = append(out, fromEntry(e))
	}
	return out
}

func reread(l line) (line, error) {
	text, err := l.encode()
	if err != nil {
		return line{}, err
	}
	return decodeLine(text)
}

func mustAgree(d, back store.Export) error {
	same, err := store.Same(d, back)
	if err == nil && !same {
		err = errors.New("it has what the file would lose")
	}
	return err
}

// long writes an organization whose trail takes several lines.
func (w *writer) long(d store.Export) error {
	var entries []store.Entry
	size, begun := 0, false
	write := func(more bool) error {
		defer func() { entries, size, begun = entries[:0], 0, true }()
		if begun {
			return w.trail(d.Organization.ID, entries, more)
		}
		return w.organization(d, entries, more)
	}
	for e, err := range d.Trail {
		if err != nil {
			return err
		}
		if full(len(entries), size) {
			if err := write(true); err != nil {
				return err
			}
		}
		entries, size = append(entries, e), size+sizeOf(e)
	}
	return write(false)
}

// mark is a place in the file to come back to.
type mark struct {
	totals Summary
	sum    hash.Hash
}

func (w *writer) mark() mark { return mark{w.totals, clone(w.sum)} }

// rewind takes back everything after the mark.
func (w *writer) rewind(m mark) error {
	if w.totals.Bytes == m.totals.Bytes {
		return nil
	}
	if err := w.out.Flush(); err != nil {
		return err
	}
	if err := w.file.Truncate(m.totals.Bytes); err != nil {
		return err
	}
	if _, err := w.file.Seek(m.totals.Bytes, io.SeekStart); err != nil {
		return err
	}
	w.totals, w.sum = m.totals, clone(m.sum)
	return nil
}

// here is a checkpoint of what was written so far.
func (w *writer) here(cursor string) *checkpoint {
	return &checkpoint{
		Cursor: cursor, Organizations: w.totals.Organizations, Entries: w.totals.Entries, SHA256: hex.EncodeToString(w.sum.Sum(nil)),
	}
}

// checkpoint hands everything to the operating system, from where a killed process can go on. Should that lose the end,
// the checkpoint before is the last.
func (w *writer) checkpoint(cursor string) error {
	if err := w.put(line{Checkpoint: w.here(cursor)}); err != nil {
		return err
	}
	return w.out.Flush()
}

func (w *writer) end() error {
	if err := w.put(line{End: w.here("")}); err != nil {
		return err
	}
	w.complete = true
	return w.out.Flush()
}

func (w *writer) close() error { return w.file.Close() }

// finish gives the file its name once it is on disk and was read again: what another process wrote into it, or a bad disk,
// shows here.
func (w *writer) finish(path string) (Summary, error) {
	if err := w.file.Sync(); err != nil {
		return Summary{}, fmt.Errorf("writing %s to disk: %w", Partial(path), err)
	}
	summary, err := Check(Partial(path))
	if err != nil {
		return Summary{}, fmt.Errorf("reading it again: %w", err)
	}
	return summary, publish(path)
}
