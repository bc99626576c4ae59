package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

func TestUseOfKeys(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	keys := []apikey.Record{{ID: "a"}, {ID: "b"}}
	for _, test := range []struct {
		uses      keyUses
		a, latest string
	}{
		{nil, unknownUse, unknownUse},
		{keyUses{"a": {}}, neverUsed, unknownUse},
		{keyUses{"a": {}, "b": {}}, neverUsed, neverUsed},
		{keyUses{"b": at}, unknownUse, "2026-01-05 09:00Z"},
		{keyUses{"a": at, "b": at.Add(time.Hour), "c": at.Add(2 * time.Hour)}, "2026-01-05 09:00Z", "2026-01-05 10:00Z"},
	} {
		if a, latest := test.uses.of("a", hour), test.uses.ofAny(keys, hour); a != test.a || latest != test.latest {
			t.Errorf("uses %v: the first key's = %q, the latest = %q, want %q and %q", test.uses, a, latest, test.a, test.latest)
		}
	}
}

// forgetful is an engine that cannot tell when keys were used.
type forgetful struct{ backend.Engine }

func (forgetful) KeyUses(context.Context, organization.ID) (map[string]time.Time, error) {
	return nil, &store.Error{Kind: store.Unreachable, Op: "reading", Err: errors.New("no answer")}
}

// TestWarning checks that a warning is JSON if the answer is.
func TestWarning(t *testing.T) {
	t.Parallel()
	for _, asJSON := range []bool{false, true} {
		var stderr bytes.Buffer
		a := cli.New(func(string) string { return "" }, nil, &stderr)
		a.JSON = asJSON
		if uses := readUses(t.Context(), a, target{store: &backend.Store{Engine: forgetful{}}}); len(uses) != 0 {
			t.Errorf("readUses = %v, want none", uses)
		}
		const want = "when keys were last used is not known: "
		if !asJSON {
			if got := stderr.String(); !strings.HasPrefix(got, "orgs: "+want) {
				t.Errorf("on stderr there is %q, want %q", got, want)
			}
			continue
		}
		var got struct{ Warning term.Failure }
		if err := json.Unmarshal(stderr.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Warning.Kind != term.Unavailable || !strings.HasPrefix(got.Warning.Message, want) {
			t.Errorf("with --json there is %+v on stderr, want %s and %q", got, term.Unavailable, want)
		}
	}
}
