package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"organizations-api/contracttests/judge"
)

// Snapshot is an organization as one answer shows it.
type Snapshot struct {
	Exchange judge.Exchange // that showed it
	ETag     string
	Members  map[string]json.RawMessage
}

// NewSnapshot reads an answer. It returns false if the answer shows no organization.
func NewSnapshot(x judge.Exchange) (shown Snapshot, ok bool) {
	if x.Response.Status != http.StatusOK {
		return Snapshot{}, false
	}
	shown = Snapshot{Exchange: x, ETag: judge.Canonical(x.Response.Header).Get("ETag")}
	err := json.Unmarshal(x.Response.Body, &shown.Members)
	return shown, err == nil && shown.Members != nil
}

// Text returns the value of a member that is a string. It returns "" for any other member.
func (a Snapshot) Text(name string) string {
	var text string
	_ = json.Unmarshal(a.Members[name], &text) // the schema reports a member of another type
	return text
}

// Updated returns updated_at. It returns the zero time if that is not a time.
func (a Snapshot) Updated() time.Time {
	at, _ := time.Parse(time.RFC3339Nano, a.Text("updated_at")) // the schema reports what is not a time
	return at
}

// SameBytes reports whether two answers show the same body, to the byte, and the same ETag.
func (a Snapshot) SameBytes(b Snapshot) bool {
	return bytes.Equal(a.Exchange.Response.Body, b.Exchange.Response.Body) && a.ETag == b.ETag
}

// Compare says how b differs from a, for the message of a failure.
func (a Snapshot) Compare(b Snapshot) string {
	if names := a.Differences(b); len(names) > 0 {
		return "changed " + strings.Join(names, ", ")
	}
	if a.ETag != b.ETag {
		return fmt.Sprintf("the ETag was %s and is %s", a.ETag, b.ETag)
	}
	return "it is written otherwise"
}

// Differences returns the names of the members in which two snapshots differ, without the excepted ones.
func (a Snapshot) Differences(b Snapshot, except ...string) []string {
	names := map[string]bool{}
	for name := range a.Members {
		names[name] = true
	}
	for name := range b.Members {
		names[name] = true
	}
	for _, name := range except {
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

// SameJSON reports whether two JSON texts have the same values in the same order. Numbers are compared by their digits,
// strings by their values.
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
