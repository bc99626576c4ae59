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
	"math"

	"organizations-api/shared/apikey"
)

// check reads a whole backup and returns its summary.
func check(ctx context.Context, file io.ReaderAt) (Summary, apikey.Secrets, error) {
	r := newReader(file)
	for {
		if _, err := r.next(ctx); errors.Is(err, io.EOF) {
			return r.Summary, r.secrets, nil
		} else if err != nil {
			return Summary{}, nil, err
		}
	}
}

// reader reads a backup line by line. It checks each line, the order of the lines, and what the trailer says.
type reader struct {
	Summary // of the lines so far; the SHA256 comes with the trailer
	in      *bufio.Reader
	sum     hash.Hash      // of the lines so far
	number  int            // of the line that was read last
	entryID string         // of the entry that was read last, if it is of this organization
	secrets apikey.Secrets // nil: their line was not read
	ended   bool           // the trailer was read
}

func newReader(file io.ReaderAt) *reader { return &reader{in: readFrom(file, 0), sum: sha256.New()} }

// readFrom reads the file from the offset to its end.
func readFrom(file io.ReaderAt, offset int64) *bufio.Reader {
	return bufio.NewReader(io.NewSectionReader(file, offset, math.MaxInt64-offset))
}

// next returns the next line, and io.EOF after the trailer. Any other error says which line is wrong, or that reading
// failed.
func (r *reader) next(ctx context.Context) (line, error) {
	if err := ctx.Err(); err != nil {
		return line{}, err
	}
	text, err := readLine(r.in)
	atEnd := errors.Is(err, io.EOF)
	if atEnd && len(text) == 0 && r.ended {
		return line{}, io.EOF
	}
	r.number++
	var l line
	switch {
	case atEnd && len(text) == 0:
		err = errors.New("the trailer is missing")
	case atEnd:
		err = errors.New("the line breaks off")
	case err != nil:
		return line{}, fmt.Errorf("reading the file: %w", err)
	default:
		if l, err = decode(text); err == nil {
			err = r.follow(l, text)
		}
	}
	if err != nil {
		return line{}, fmt.Errorf("not a complete backup as it was written: line %d: %w", r.number, err)
	}
	r.sum.Write(text)
	r.Bytes += int64(len(text))
	return l, nil
}

// readLine returns a line with its end. If the line is longer than maxLine, it returns a little more than maxLine bytes
// of it.
func readLine(in *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := in.ReadSlice('\n')
		text = append(text, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, err
		}
		if len(text) > maxLine {
			return text, nil
		}
	}
}

// follow checks that the line can follow those before it, and counts it.
func (r *reader) follow(l line, text []byte) error {
	switch {
	case (r.number == 1) != (l.Header != nil):
		return errors.New("a header must come first, and only there")
	case r.ended:
		return errors.New("something comes after the trailer")
	case r.secrets != nil && l.Trailer == nil:
		return errors.New("the trailer must come after the secrets for keys")
	case l.Header != nil:
		if l.Header.Format != format {
			return fmt.Errorf("it has the format %d; this version reads %d", l.Header.Format, format)
		}
	case l.Organization != nil:
		r.Organizations++
		r.entryID = ""
	case l.Entry != nil:
		return r.followEntry(l.Entry.ID)
	case l.KeySecrets != nil:
		r.secrets = l.secrets
	case l.Trailer != nil:
		return r.end(*l.Trailer, text)
	}
	return nil
}

func (r *reader) followEntry(id string) error {
	if r.Organizations == 0 {
		return errors.New("an entry must come after its organization")
	}
	if id <= r.entryID {
		return errors.New("the entries of an organization must be in the order of their identifiers, each once")
	}
	r.Entries++
	r.entryID = id
	return nil
}

// end compares the trailer with everything before it. The trailer must have exactly the text that a backup writes, so
// that every damaged byte shows.
func (r *reader) end(t trailer, text []byte) error {
	want := trailer{r.Organizations, r.Entries, hex.EncodeToString(r.sum.Sum(nil))}
	if t.SHA256 != want.SHA256 {
		return errors.New("what comes before the trailer has another SHA-256")
	}
	if t != want {
		return errors.New("what comes before the trailer has another number of organizations or entries")
	}
	written, _, err := encode(line{Trailer: &want})
	r.SHA256, r.ended = want.SHA256, true
	return cmp.Or(err, refuse(!bytes.Equal(text, written), errNoLine.Error()))
}
