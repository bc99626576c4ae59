package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"os"

	"organizations-api/shared/store"
)

// ErrDamaged is in the chain of the error of a file that is no sound backup. The error says where, and quotes nothing.
var ErrDamaged = errors.New("the file is no complete backup as it was written")

// lines reads a file line by line, and holds every checkpoint to what came before it.
type lines struct {
	in     *bufio.Reader
	sum    hash.Hash
	totals Summary // of the lines before
	number int
	more   string // whose trail the next line must continue
	header *header
	end    bool
}

func newLines(r io.Reader) *lines {
	return &lines{in: bufio.NewReaderSize(r, 1<<20), sum: sha256.New()}
}

// maxLine is far beyond any line of ours; it keeps a file that is something else out of memory.
const maxLine = 64 << 20

// next returns the next line, and the entries of it are counted. After the last line comes io.EOF. Every other error is an
// ErrDamaged or one of reading.
func (s *lines) next() (line, error) {
	text, err := readLine(s.in)
	switch {
	case errors.Is(err, io.EOF) && len(text) == 0 && s.end:
		return line{}, io.EOF
	case errors.Is(err, io.EOF) && len(text) == 0:
		return line{}, s.damaged("the end is missing")
	case errors.Is(err, io.EOF):
		s.number++
		return line{}, s.damaged("the line breaks off")
	case err != nil:
		return line{}, fmt.Errorf("reading the file: %w", err)
	}
	s.number++
	l, err := decodeLine(text)
	if err != nil {
		return line{}, s.damaged(err.Error())
	}
	if err := s.follow(l); err != nil {
		return line{}, err
	}
	s.sum.Write(text)
	s.totals.Bytes += int64(len(text))
	return l, nil
}

func (s *lines) damaged(why string) error {
	return fmt.Errorf("%w: line %d: %s", ErrDamaged, s.number, why)
}

// readLine returns a line with its end.
func readLine(in *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := in.ReadSlice('\n')
		if text = append(text, part...); !errors.Is(err, bufio.ErrBufferFull) {
			return text, err
		}
		if len(text) > maxLine {
			return nil, fmt.Errorf("%w: a line is too long", ErrDamaged)
		}
	}
}

// follow checks that the line can come after those before it.
func (s *lines) follow(l line) error {
	if (s.number == 1) != (l.Header != nil) {
		return s.damaged("a header comes first, and only there")
	}
	if s.end {
		return s.damaged("something comes after the end")
	}
	if l.Entries != s.more {
		return s.damaged("a trail is not continued where it should be")
	}
	s.more = ""
	if l.More {
		s.more = l.Entries
		if l.Organization != nil {
			s.more = l.Organization.ID
		}
	}
	s.totals.Entries += int64(len(l.Trail))
	switch {
	case l.Header != nil:
		s.header = l.Header
		if l.Header.Format != format {
			return fmt.Errorf("the backup has the format %d; this version reads %d", l.Header.Format, format)
		}
	case l.Organization != nil:
		s.totals.Organizations++
		if _, err := l.export(); err != nil {
			return s.damaged(err.Error())
		}
	case l.Checkpoint != nil:
		return s.hold(*l.Checkpoint)
	case l.End != nil:
		s.end = true
		s.totals.SHA256 = l.End.SHA256
		return s.hold(*l.End)
	case l.Entries == "":
		return s.damaged("it says nothing")
	}
	return nil
}

// hold holds a checkpoint to what came before it.
func (s *lines) hold(c checkpoint) error {
	if c.SHA256 != hex.EncodeToString(s.sum.Sum(nil)) {
		return s.damaged("what comes before it has another SHA-256")
	}
	if c.Organizations != s.totals.Organizations || c.Entries != s.totals.Entries {
		return s.damaged("what comes before it has another number of organizations or entries")
	}
	return nil
}

// Check reads a whole backup, and returns what it holds where it is complete, and every line as it was written.
func Check(path string) (Summary, error) {
	file, err := os.Open(path)
	if err != nil {
		return Summary{}, fmt.Errorf("opening the backup: %w", err)
	}
	defer file.Close() // was only read
	s := newLines(file)
	for {
		if _, err := s.next(); errors.Is(err, io.EOF) {
			return s.totals, nil
		} else if err != nil {
			return Summary{}, fmt.Errorf("checking %s: %w", path, err)
		}
	}
}

// exports gives the organizations of a file, in its order. A trail of several lines is read from the file when it is
// ranged over; the file must stay open so long.
func exports(file *os.File) iter.Seq2[store.Export, error] {
	return func(yield func(store.Export, error) bool) {
		s := newLines(io.NewSectionReader(file, 0, 1<<62))
		for {
			begin := s.totals.Bytes
			l, err := s.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(store.Export{}, err)
				return
			}
			if l.Organization == nil {
				continue
			}
			d, err := l.export()
			if l.More {
				d.Trail = trailAt(file, begin)
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// trailAt gives the trail that begins with the line at the offset.
func trailAt(file *os.File, offset int64) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		in := bufio.NewReader(io.NewSectionReader(file, offset, 1<<62))
		for more := true; more; {
			text, err := readLine(in)
			if err != nil {
				yield(store.Entry{}, fmt.Errorf("reading a trail of the backup: %w", err))
				return
			}
			l, err := decodeLine(text)
			if err != nil {
				yield(store.Entry{}, fmt.Errorf("reading a trail of the backup: %w", err))
				return
			}
			for _, e := range l.entries() {
				if !yield(e, nil) {
					return
				}
			}
			more = l.More
		}
	}
}

// salvaged is how far an unfinished file is sound.
type salvaged struct {
	header   *header // nil where there is not even that
	cursor   string
	totals   Summary
	sum      hash.Hash
	complete bool
}

// salvage reads an unfinished file up to its last sound checkpoint. What comes after it is torn or was never confirmed. The
// error is one of reading, or says that the file is something else.
func salvage(file *os.File) (salvaged, error) {
	good := salvaged{sum: sha256.New()}
	begin := make([]byte, len(firstBytes))
	n, err := io.ReadFull(file, begin)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return good, err
	}
	if !bytes.HasPrefix([]byte(firstBytes), begin[:n]) {
		return good, errors.New("it is not an unfinished backup")
	}
	s := newLines(io.NewSectionReader(file, 0, 1<<62))
	for {
		l, err := s.next()
		if errors.Is(err, io.EOF) || errors.Is(err, ErrDamaged) {
			return good, nil
		}
		if err != nil {
			return good, err
		}
		if l.Header == nil && l.Checkpoint == nil && l.End == nil {
			continue
		}
		good.sum = clone(s.sum)
		good.header, good.totals, good.complete = s.header, s.totals, s.end
		if l.Checkpoint != nil {
			good.cursor = l.Checkpoint.Cursor
		}
	}
}

// clone returns a copy of a SHA-256 that goes its own way.
func clone(sum hash.Hash) hash.Hash {
	copied, err := sum.(hash.Cloner).Clone()
	if err != nil {
		panic(err) // every hash of the standard library can be cloned
	}
	return copied
}

// firstBytes is how every backup begins.
const firstBytes = `{"orgs_backup":{"format":`
