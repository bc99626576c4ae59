package contracttests

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// snapshot is an organization as one answer shows it.
type snapshot struct {
	x       Exchange
	etag    string
	members map[string]json.RawMessage
}

// newSnapshot reads an answer; ok is false where it shows no organization.
func newSnapshot(x Exchange) (shown snapshot, ok bool) {
	if x.Response.Status != http.StatusOK {
		return snapshot{}, false
	}
	shown = snapshot{x: x, etag: canonical(x.Response.Header).Get("ETag")}
	err := json.Unmarshal(x.Response.Body, &shown.members)
	return shown, err == nil && shown.members != nil
}

// snapshot returns the organization that an answer shows, and ends the check where it shows none.
func (s *Session) snapshot(x Exchange) snapshot {
	shown, ok := newSnapshot(x)
	if !ok {
		s.FailExchange(x, "status is %d, want 200 and an organization", x.Response.Status)
		panic(errStopped)
	}
	return shown
}

// text returns the string that a member is, or "".
func (a snapshot) text(name string) string {
	var text string
	_ = json.Unmarshal(a.members[name], &text) // what is none is left to the schema
	return text
}

func (a snapshot) updated() time.Time {
	at, _ := time.Parse(time.RFC3339Nano, a.text("updated_at")) // likewise
	return at
}

// sameBytes reports whether two answers show the same to the byte.
func (a snapshot) sameBytes(b snapshot) bool {
	return bytes.Equal(a.x.Response.Body, b.x.Response.Body) && a.etag == b.etag
}

// differences returns the names of the members in which two snapshots differ, but for those that are left out.
func (a snapshot) differences(b snapshot, but ...string) []string {
	names := map[string]bool{}
	for name := range a.members {
		names[name] = true
	}
	for name := range b.members {
		names[name] = true
	}
	for _, name := range but {
		delete(names, name)
	}
	var found []string
	for _, name := range sortedKeys(names) {
		if !sameJSON(a.members[name], b.members[name]) {
			found = append(found, name)
		}
	}
	return found
}

// sameJSON reports whether two texts say the same in the same order: every number to the digit, every string by what it
// stands for.
func sameJSON(a, b []byte) bool {
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
