package dynamo_test

import (
	"bytes"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/store/storetest"
)

// openBehind returns a store whose calls go through a proxy. Tests of the functions cover the faults that a request can
// meet.
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

// TestPurgeOfWhatIsLeftOver: if DynamoDB takes only a part of a batch, a purge still leaves nothing behind.
func TestPurgeOfWhatIsLeftOver(t *testing.T) {
	t.Parallel()
	direct := open(t)
	s, proxy := openBehind(t, dynamotest.On("BatchWriteItem", dynamotest.Leave()))
	o := organization.New("Northwind Video", organization.Pro, nil, time.Now())
	key := apikey.NewRecord(apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.Admin, time.Now(), nil)
	if err := direct.Create(t.Context(), o, key, entry()); err != nil {
		t.Fatal(err)
	}
	const more = 3
	for range more {
		next := apikey.NewRecord(apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.Read, time.Now(), nil)
		if err := direct.AddKey(t.Context(), o.ID, next, entry()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Purge(t.Context(), o.ID); err != nil {
		t.Fatalf("Purge = %v, want no error", err)
	}
	if n := proxy.Calls("BatchWriteItem"); n != 2*3 { // which take two items, one and one
		t.Errorf("%d batches for %d entries, and as many uses of keys, of which each takes half, want 2 x 3", n, 1+more)
	}
	entries, _, err := direct.Audit(t.Context(), o.ID, "", 10)
	if err != nil || len(entries) != 0 {
		t.Errorf("Audit = %d entries, %v, want none", len(entries), err)
	}
	if _, _, err := direct.Get(t.Context(), o.ID); store.KindOf(err) != store.NotFound {
		t.Errorf("Get = %v, want an error of the kind %q", err, store.NotFound)
	}
}

// TestPurgeInterrupted: an organization whose purge failed half-way stays deleted. Nothing can change it or read it
// whole, a restore leaves it as it is, and another purge removes the rest.
func TestPurgeInterrupted(t *testing.T) {
	t.Parallel()
	direct := open(t)
	for _, call := range []string{"Query", "BatchWriteItem", "DeleteItem"} {
		s, _ := openBehind(t, dynamotest.On(call, dynamotest.Refuse(400, "AccessDeniedException")))
		o := storetest.Full(time.Now())
		key := apikey.NewRecord(apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.Admin, time.Now(), nil)
		if err := direct.Create(t.Context(), o, key, entry()); err != nil {
			t.Fatal(err)
		}
		export, err := direct.Export(t.Context(), o.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Purge(t.Context(), o.ID); err == nil {
			t.Fatalf("Purge without %s = no error, want one", call)
		}
		after, changes := o.Apply(organization.Patch{Name: organization.Set("B")}, time.Now())
		updated := entry()
		updated.Changes = changes
		for name, test := range map[string]struct {
			err  error
			want store.Kind
		}{
			"Create":    {direct.Create(t.Context(), o, key, entry()), store.Conflict},
			"Update":    {direct.Update(t.Context(), store.Update{Before: o, After: after, Audit: updated}), store.Conflict},
			"Delete":    {direct.Delete(t.Context(), o.ID, time.Now(), entry()), store.Unknown},
			"Undelete":  {direct.Undelete(t.Context(), o.ID, entry()), store.Conflict},
			"AddKey":    {direct.AddKey(t.Context(), o.ID, key, entry()), store.NotFound},
			"RevokeKey": {direct.RevokeKey(t.Context(), o.ID, key.ID, time.Now(), entry()), store.NotFound},
			"ChangeKey": {direct.ChangeKey(t.Context(), o.ID, store.KeyChange{Before: key, After: key}, entry()), store.NotFound},
		} {
			if store.KindOf(test.err) != test.want || (test.want == store.Unknown && test.err != nil) {
				t.Errorf("%s after a purge without %s = %v, want %q", name, call, test.err, test.want)
			}
		}
		found, err := direct.Find(t.Context(), o.ID, key.Hash)
		if err != nil || found.Organization.DeletedAt == nil {
			t.Errorf("Find after a purge without %s = %v, %v, want a deleted organization", call, found.Organization.DeletedAt, err)
		}
		if _, err := direct.Export(t.Context(), o.ID); store.KindOf(err) != store.NotFound {
			t.Errorf("Export after a purge without %s = %v, want %q", call, err, store.NotFound)
		}
		if _, err := errorOf(export.Trail); store.KindOf(err) != store.Conflict {
			t.Errorf("the trail of an export from before a purge without %s = %v, want %q", call, err, store.Conflict)
		}
		created, err := direct.Restore(t.Context(), []store.Export{{Organization: o, Trail: store.Entries()}})
		if err != nil || created[0] {
			t.Errorf("Restore after a purge without %s = %v, %v, want it left alone", call, created, err)
		}
		entries, _, err := direct.Audit(t.Context(), o.ID, "", 10)
		if err != nil || len(entries) > 1 {
			t.Errorf("Audit after a purge without %s = %d entries, %v, want at most the first one", call, len(entries), err)
		}

		if err := direct.Purge(t.Context(), o.ID); err != nil {
			t.Errorf("Purge again = %v, want no error", err)
		}
		if _, _, err := direct.Get(t.Context(), o.ID); store.KindOf(err) != store.NotFound {
			t.Errorf("Get after the second purge = %v, want %q", err, store.NotFound)
		}
		if entries, _, err := direct.Audit(t.Context(), o.ID, "", 10); err != nil || len(entries) != 0 {
			t.Errorf("Audit after the second purge = %d entries, %v, want none", len(entries), err)
		}
	}
}

// errorOf returns the entries of a trail, and the error with which it ends.
func errorOf(trail iter.Seq2[store.Entry, error]) (entries []store.Entry, last error) {
	for e, err := range trail {
		if last = err; err == nil {
			entries = append(entries, e)
		}
	}
	return entries, last
}

// TestOperatorMeetsFaults: an operator's change is tried again when the reply is lost, and made once.
func TestOperatorMeetsFaults(t *testing.T) {
	t.Parallel()
	s, proxy := openBehind(t, dynamotest.Clean())
	o := organization.New("Northwind Video", organization.Pro, nil, time.Now())
	first, second := apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.New(o.ID, apikey.Live, apikey.NewSecret())
	record := func(k apikey.Key) apikey.Record { return apikey.NewRecord(k, apikey.Admin, time.Now(), nil) }
	old, revoked, successor := record(first), record(second), record(apikey.New(o.ID, apikey.Live, apikey.NewSecret()))
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

// made returns organizations with a trail each.
func made(n int) []store.Export {
	now := time.Now()
	var exports []store.Export
	for range n {
		o := storetest.Full(now)
		entries := make([]store.Entry, 0, 4)
		for i := range 4 {
			at := now.Add(time.Duration(i) * time.Second)
			entries = append(entries, store.Entry{
				ID: store.NewEntryID(at), Action: store.Updated, Actor: "a", RequestID: "r", Version: int64(i),
				Changes: []organization.Change{{Field: "organization_name", Before: "1", After: "2"}},
			})
		}
		key := apikey.NewRecord(apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.Admin, now, nil)
		exports = append(exports, store.Export{
			Organization: o, Keys: []apikey.Record{key}, Trail: store.Entries(entries...),
		})
	}
	return exports
}

// TestRestoreInParts restores through a DynamoDB that does half of each batch only, as it does when it is throttled,
// and lets every second transaction meet another.
func TestRestoreInParts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	direct := open(t)
	through, proxy := openBehind(t, func(c dynamotest.Call) dynamotest.Fault {
		switch {
		case strings.HasPrefix(c.Operation, "Batch"):
			return dynamotest.Leave()
		case c.Operation == "TransactWriteItems" && c.Number%2 == 1:
			codes := slices.Repeat([]string{"None"}, bytes.Count(c.Body, []byte(`"Put":`)))
			codes[0] = "TransactionConflict"
			return dynamotest.Cancel(codes...).Named("conflict")
		default:
			return dynamotest.Pass()
		}
	})
	exports := made(30)
	for _, want := range []bool{true, false} {
		created, err := through.Restore(ctx, exports)
		if err != nil {
			t.Fatalf("Restore = %v, want no error", err)
		}
		for i, e := range exports {
			if created[i] != want {
				t.Errorf("%s was created: %v, want %v", e.Organization.ID, created[i], want)
			}
			if same, err := store.Matches(ctx, direct, e); err != nil || !same {
				t.Errorf("Matches(%s) = %v, %v, want true", e.Organization.ID, same, err)
			}
		}
	}
	if met := proxy.Injected(); met["requests left over"] < 10 || met["conflict"] < 3 {
		t.Errorf("the faults were %v: nothing was shown", met)
	}
	for _, e := range exports {
		if err := direct.Purge(ctx, e.Organization.ID); err != nil {
			t.Errorf("Purge(%s) = %v, want no error", e.Organization.ID, err)
		}
	}
}
