package dynamo_test

import (
	"context"
	"sync"
	"testing"

	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/store/storetest"
)

// prefix is of tables that all tests of this process share, as all organizations share them in production.
var prefix = sync.OnceValue(dynamotest.Prefix)

// open returns a store on the shared tables, as another process would open it.
func open(t testing.TB) *dynamo.Store {
	t.Helper()
	s, err := dynamo.Open(dynamotest.Settings(t, prefix()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateTables(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.All(t, func(t *testing.T) storetest.Engine { return open(t) })
}
