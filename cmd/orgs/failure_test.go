package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
)

func TestFailureOf(t *testing.T) {
	t.Parallel()
	local := environment{endpointVariable: "http://127.0.0.1:8000"}
	noTable := fmt.Errorf("reading: %w", dynamo.ErrNoTable)
	broken := errors.New("writing the keys: disk full")
	const elsewhere = "the tables are missing; check the prefix in --store and the region; in AWS the stack creates them"
	for _, test := range []struct {
		name string
		env  environment
		err  error
		want failure
	}{
		{"a failure", nil, fail(kindConflict, "it is deleted"), failure{kindConflict, "it is deleted"}},
		{"joined with nothing", nil, errors.Join(fail(kindConflict, "it is deleted"), nil), failure{kindConflict, "it is deleted"}},
		{"joined with others", nil, errors.Join(broken, fail(kindConflict, "interrupted"), fail(kindFull, "full")),
			failure{kindConflict, "writing the keys: disk full\ninterrupted\nfull"}},
		{"tables on this machine", local, noTable, failure{kindNoTables, "the tables are missing; create them with: orgs tables create"}},
		{"tables in AWS", nil, noTable, failure{kindNoTables, elsewhere}},
		{"tables at an endpoint in AWS", environment{endpointVariable: "https://dynamodb.eu-central-1.amazonaws.com"}, noTable,
			failure{kindNoTables, elsewhere}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newApp(test.env.get, nil, nil)
			a.running = true
			if got := a.failureOf(test.err); *got != test.want {
				t.Errorf("failureOf(%v) = %+v, want %+v", test.err, *got, test.want)
			}
		})
	}
}

// TestRefusedBeforeAnythingIsMade checks that a command that cannot work leaves no store behind.
func TestRefusedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"tables", "create"}, exitUsage, "needs no tables created"},
		{[]string{"serve", "--addr", "127.0.0.1:0", "--functions", "build"}, exitUsage, "no store but DynamoDB"},
		{[]string{"load", "--patch", "101"}, exitFailed, "0 to 100"},
		{[]string{"load", "--url", "https://example.com"}, exitFailed, "nothing else is put under load"},
	} {
		folder := filepath.Join(t.TempDir(), "new")
		env := environment{storeVariable: "sqlite:" + filepath.Join(folder, "orgs.db")}
		if r := orgs(t, env, test.args...); r.code != test.code || !strings.Contains(r.stderr, test.want) {
			t.Errorf("orgs %q = %+v, want %d and %q", test.args, r, test.code, test.want)
		}
		if _, err := os.Stat(folder); !os.IsNotExist(err) {
			t.Errorf("after orgs %q there is something at %s (%v)", test.args, folder, err)
		}
	}
}

// forgetful is an engine that does not know when keys were used.
type forgetful struct{ engine }

func (forgetful) KeyUses(context.Context, organization.ID) (map[string]time.Time, error) {
	return nil, &store.Error{Kind: store.Unreachable, Op: "reading", Err: errors.New("no answer")}
}

// TestWarning checks that what is missing from an answer is said in the form of the answer.
func TestWarning(t *testing.T) {
	t.Parallel()
	for _, asJSON := range []bool{false, true} {
		var stderr bytes.Buffer
		a := newApp(environment{}.get, nil, &stderr)
		a.json = asJSON
		if uses := a.keyUses(t.Context(), &storage{engine: forgetful{}}, "org_0123456789ABC"); len(uses) != 0 {
			t.Errorf("keyUses = %v, want none", uses)
		}
		const want = "when keys were last used is not known: "
		if !asJSON {
			if got := stderr.String(); !strings.HasPrefix(got, "orgs: "+want) {
				t.Errorf("on stderr there is %q, want %q", got, want)
			}
			continue
		}
		got := decode[struct{ Warning failure }](t, stderr.String()).Warning
		if got.Kind != kindUnavailable || !strings.HasPrefix(got.Message, want) {
			t.Errorf("with --json there is %+v on stderr, want %s and %q", got, kindUnavailable, want)
		}
	}
}
