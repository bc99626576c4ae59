package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"organizations-api/contracttests/judge"
)

// Snapshot is an organization as one answer shows it.
type Snapshot struct {
	Exchange judge.Exchange
	Etag     string
	Members  map[string]json.RawMessage
}

// NewSnapshot reads an answer; ok is false where it shows no organization.
func NewSnapshot(x judge.Exchange) (shown Snapshot, ok bool) {
	if x.Response.Status != http.StatusOK {
		return Snapshot{}, false
	}
	shown = Snapshot{Exchange: x, Etag: judge.Canonical(x.Response.Header).Get("ETag")}
	err := json.Unmarshal(x.Response.Body, &shown.Members)
	return shown, err == nil && shown.Members != nil
}

// Snapshot returns the organization that an answer shows, and ends the check where it shows none.
func (s *Session) Snapshot(x judge.Exchange) Snapshot {
	shown, ok := NewSnapshot(x)
	if !ok {
		s.FailExchange(x, "status is %d, want 200 and an organization", x.Response.Status)
		panic(ErrStopped)
	}
	return shown
}

// Text returns the string that a member is, or "".
func (a Snapshot) Text(name string) string {
	var text string
	_ = json.Unmarshal(a.Members[name], &text) // what is none is left to the schema
	return text
}

func (a Snapshot) Updated() time.Time {
	at, _ := time.Parse(time.RFC3339Nano, a.Text("updated_at")) // likewise
	return at
}

// SameBytes reports whether two answers show the same to the byte.
func (a Snapshot) SameBytes(b Snapshot) bool {
	return bytes.Equal(a.Exchange.Response.Body, b.Exchange.Response.Body) && a.Etag == b.Etag
}

// Differences returns the names of the members in which two snapshots differ, but for those that are left out.
func (a Snapshot) Differences(b Snapshot, but ...string) []string {
	names := map[string]bool{}
	for name := range a.Members {
		names[name] = true
	}
	for name := range b.Members {
		names[name] = true
	}
	for _, name := range but {
		delete(names, name)
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !SameJSON(a.Members[name], b.Members[name]) {
			found = append(found, name)
		}
	}
	return found
}

// SameJSON reports whether two texts say the same in the same order: every number to the digit, every string by what it
// stands for.
func SameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	left, right := newTokens(a), newTokens(b)
	for {
		x, errX := left.Token()
		y, errY := right.Token()
		if errX != nil || errY != nil {
			return errors.Is(errX, io.EOF) && errors.Is(errY, io.EOF)
		}
		if x != y {
			return false
		}
	}
}

func newTokens(text []byte) *json.Decoder {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d
}
