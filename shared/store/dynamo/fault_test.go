package dynamo_test

import (
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// openBehind returns a store whose calls go through a proxy. What calls can meet in the course of a request is tested
// where the functions are.
func openBehind(t *testing.T, plan dynamotest.Plan) (*dynamo.Store, *dynamotest.Proxy) {
	t.Helper()
	open(t) // makes the tables, should no other test have come first
	settings := dynamotest.Settings(t, prefix())
	proxy := dynamotest.StartProxy(t, settings.Endpoint, plan)
	settings.Endpoint = proxy.URL
	s, err := dynamo.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	return s, proxy
}

// TestPurgeOfWhatIsLeftOver: DynamoDB may take a part of a batch only; nothing stays for that.
func TestPurgeOfWhatIsLeftOver(t *testing.T) {
	t.Parallel()
	direct := open(t)
	s, proxy := openBehind(t, dynamotest.On("BatchWriteItem", dynamotest.Leave()))
	o := organization.New("Northwind Video", organization.Pro, nil, time.Now())
	key := apikey.NewRecord(apikey.New(o.ID, apikey.Live), apikey.Admin, time.Now(), nil)
	if err := direct.Create(t.Context(), o, key, entry()); err != nil {
		t.Fatal(err)
	}
	const more = 3
	for range more {
		next := apikey.NewRecord(apikey.New(o.ID, apikey.Live), apikey.Read, time.Now(), nil)
		if err := direct.AddKey(t.Context(), o.ID, next, entry()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Purge(t.Context(), o.ID); err != nil {
		t.Fatalf("Purge = %v, want no error", err)
	}
	if n := proxy.Calls("BatchWriteItem"); n != 1+more {
		t.Errorf("%d batches for %d entries of which each takes one", n, 1+more)
	}
	entries, _, err := direct.Audit(t.Context(), o.ID, "", 10)
	if err != nil || len(entries) != 0 {
		t.Errorf("Audit = %d entries, %v, want none", len(entries), err)
	}
	if _, _, err := direct.Get(t.Context(), o.ID); store.KindOf(err) != store.NotFound {
		t.Errorf("Get = %v, want an error of the kind %q", err, store.NotFound)
	}
}

// TestOperatorMeetsFaults: what an operator does is repeated where the reply is lost, and done once.
func TestOperatorMeetsFaults(t *testing.T) {
	t.Parallel()
	s, proxy := openBehind(t, dynamotest.Clean())
	o := organization.New("Northwind Video", organization.Pro, nil, time.Now())
	first, second := apikey.New(o.ID, apikey.Live), apikey.New(o.ID, apikey.Live)
	record := func(k apikey.Key) apikey.Record { return apikey.NewRecord(k, apikey.Admin, time.Now(), nil) }
	old, revoked, successor := record(first), record(second), record(apikey.New(o.ID, apikey.Live))
	replaced, err := old.Rotated(successor.ID, time.Now(), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	rotation := store.KeyChange{Before: old, After: replaced, New: &successor}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"Create", func() error { return s.Create(t.Context(), o, old, entry()) }},
		{"AddKey", func() error { return s.AddKey(t.Context(), o.ID, revoked, entry()) }},
		{"RevokeKey", func() error { return s.RevokeKey(t.Context(), o.ID, revoked.ID, time.Now(), entry()) }},
		{"ChangeKey", func() error { return s.ChangeKey(t.Context(), o.ID, rotation, entry()) }},
		{"Delete", func() error { return s.Delete(t.Context(), o.ID, time.Now(), entry()) }},
		{"Undelete", func() error { return s.Undelete(t.Context(), o.ID, entry()) }},
	} {
		proxy.Follow(dynamotest.First("TransactWriteItems", dynamotest.LoseReply(), dynamotest.CutReply()))
		if err := step.do(); err != nil {
			t.Errorf("%s of which two replies are lost = %v, want no error", step.name, err)
		}
	}
	proxy.Follow(dynamotest.First("Query", dynamotest.Throttle(), dynamotest.HalfReply()))
	entries, _, err := s.Audit(t.Context(), o.ID, "", 100)
	if err != nil || len(entries) != 6 {
		t.Errorf("Audit = %d entries, %v, want one for each of the six steps", len(entries), err)
	}
}

func entry() store.Entry {
	return store.Entry{ID: store.NewEntryID(time.Now()), Action: store.Created, Actor: store.OperatorActor}
}
