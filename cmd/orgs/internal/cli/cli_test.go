package cli

import (
	"errors"
	"fmt"
	"testing"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/store/dynamo"
)

func TestFailure(t *testing.T) {
	t.Parallel()
	noTable := fmt.Errorf("reading: %w", dynamo.ErrNoTable)
	broken := errors.New("writing the keys: disk full")
	conflict := term.Fail(term.Conflict, "it is deleted")
	const elsewhere = "the tables are missing; check the prefix in --store and the region; in AWS the stack creates them"
	for _, test := range []struct {
		name, endpoint string
		err            error
		want           term.Failure
	}{
		{"a failure", "", conflict, term.Failure{Kind: term.Conflict, Message: "it is deleted"}},
		{"joined with nothing", "", errors.Join(conflict, nil), term.Failure{Kind: term.Conflict, Message: "it is deleted"}},
		{"joined with others", "", errors.Join(broken, term.Fail(term.Conflict, "interrupted"), term.Fail(term.Full, "full")),
			term.Failure{Kind: term.Conflict, Message: "writing the keys: disk full\ninterrupted\nfull"}},
		{"tables on this machine", "http://127.0.0.1:8000", noTable,
			term.Failure{Kind: term.NoTables, Message: "the tables are missing; create them with: orgs tables create"}},
		{"tables in AWS", "", noTable, term.Failure{Kind: term.NoTables, Message: elsewhere}},
		{"tables at an endpoint in AWS", "https://dynamodb.eu-central-1.amazonaws.com", noTable,
			term.Failure{Kind: term.NoTables, Message: elsewhere}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			getenv := func(name string) string { return map[string]string{backend.EndpointVariable: test.endpoint}[name] }
			a := New(getenv, nil, nil)
			a.running = true
			if got := a.Failure(test.err); *got != test.want {
				t.Errorf("Failure(%v) = %+v, want %+v", test.err, *got, test.want)
			}
		})
	}
}
