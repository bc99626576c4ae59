package dynamo_test

import (
	"context"
	"flag"
	"log"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/store/storetest"
)

// TestMain: with every case, these tests keep a server busy for minutes, so they have one of their own.
func TestMain(m *testing.M) {
	flag.Parse()
	if !testing.Short() {
		if err := dynamotest.Own(); err != nil {
			log.Fatal(err)
		}
	}
	os.Exit(m.Run())
}

// prefix is of tables that all tests of this process share, as all organizations share them in production.
var prefix = sync.OnceValue(dynamotest.Prefix)

// open returns a store on the shared tables, as another process would open it.
func open(t testing.TB) *dynamo.Store { return openBy(t, dynamo.Open) }

func openBy(t testing.TB, open func(dynamo.Settings) (*dynamo.Store, error)) *dynamo.Store {
	t.Helper()
	s, err := open(dynamotest.Settings(t, prefix()))
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

// TestManyAtOnce is not parallel, so it runs before the parallel tests.
func TestManyAtOnce(t *testing.T) {
	storetest.ManyAtOnce(t, func(t *testing.T) storetest.Engine { return open(t) })
}

// TestPlainClient: a store on the SDK's plain client does what one on fastsdk does, and reads what it wrote.
func TestPlainClient(t *testing.T) {
	t.Parallel()
	ctx, now := t.Context(), time.Now()
	plain, fast := openBy(t, dynamo.OpenPlain), open(t)
	o := organization.New("Northwind Video", organization.Pro, nil, now)
	key, other := apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.New(o.ID, apikey.Live, apikey.NewSecret())
	record := apikey.NewRecord(key, apikey.Admin, now, nil)
	if err := plain.Create(ctx, o, record, entry()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fast.Purge(context.Background(), o.ID) })
	another := apikey.NewRecord(other, apikey.Read, now, nil)
	if err := plain.AddKey(ctx, o.ID, another, entry()); err != nil {
		t.Errorf("AddKey = %v, want no error", err)
	}
	if err := plain.AddKey(ctx, o.ID, another, entry()); store.KindOf(err) != store.Conflict {
		t.Errorf("AddKey of a key that is there = %v, want a Conflict", err)
	}
	for i, s := range []*dynamo.Store{plain, fast} {
		meterCtx, meter := store.WithMeter(ctx)
		found, err := s.Find(meterCtx, o.ID, key.Hash())
		if err != nil || found.Key == nil || found.Organization.Version != o.Version+int64(i) || meter.Sum() != (store.Usage{Calls: 1, ReadUnits: 1}) {
			t.Fatalf("Find = %+v, %v with %+v, want the organization of version %d and its key", found, err, meter.Sum(), o.Version+int64(i))
		}
		after, changes := found.Organization.Apply(organization.Patch{Name: organization.Set("Name " + string(rune('A'+i)))}, time.Now())
		e := entry()
		e.Action, e.Changes = store.Updated, changes
		change := store.Update{Before: found.Organization, After: after, Audit: e}
		if err := s.Update(ctx, change); err != nil {
			t.Errorf("Update = %v, want no error", err)
		}
		if err := s.Update(ctx, change); store.KindOf(err) != store.Conflict {
			t.Errorf("Update of another version = %v, want a Conflict", err)
		}
		if n, err := s.Count(ctx, o.ID, organization.Metadata, now.Truncate(time.Minute), 5); n != int64(5*(i+1)) || err != nil {
			t.Errorf("Count = %d, %v, want %d", n, err, 5*(i+1))
		}
		if err := s.NoteUse(ctx, o.ID, record.ID, now); err != nil { // the second time it is noted already
			t.Errorf("NoteUse = %v, want no error", err)
		}
	}
	if _, err := plain.Find(ctx, organization.NewID(), key.Hash()); store.KindOf(err) != store.NotFound {
		t.Errorf("Find of no organization = %v, want a NotFound", err)
	}
	entries, _, err := plain.Audit(ctx, o.ID, "", 10)
	if err != nil || len(entries) != 4 {
		t.Errorf("Audit = %d entries, %v, want 4", len(entries), err)
	}
}

// TestFirstSecret: tables that the template has made have no secret. Of several processes that issue the first key, one
// makes the secret, and all use that one. CreateTables makes one at once.
func TestFirstSecret(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	settings := dynamotest.Settings(t, dynamotest.Prefix())
	s, err := dynamo.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateTables(ctx); err != nil {
		t.Fatal(err)
	}
	first, err := s.KeySecrets(ctx)
	if err != nil || len(first) != 1 {
		t.Fatalf("KeySecrets of new tables = %d, %v, want one", len(first), err)
	}
	if err := s.CreateTables(ctx); err != nil {
		t.Fatal(err)
	}
	if again, err := s.KeySecrets(ctx); err != nil || !slices.Equal(again, first) {
		t.Errorf("KeySecrets after CreateTables again = %d, %v, want the one of before", len(again), err)
	}

	key := map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "SETTINGS"}, "SK": &types.AttributeValueMemberS{Value: "SETTINGS"}}
	plain := dynamodb.New(dynamodb.Options{Region: settings.Region, BaseEndpoint: &settings.Endpoint, Credentials: settings.Credentials})
	in := &dynamodb.DeleteItemInput{TableName: &settings.Tables.Organizations, Key: key, ReturnValues: types.ReturnValueAllOld}
	if out, err := plain.DeleteItem(ctx, in); err != nil || len(out.Attributes) == 0 {
		t.Fatalf("deleting the settings = %v, want that they were there", err)
	}
	if none, err := s.KeySecrets(ctx); err != nil || len(none) != 0 {
		t.Errorf("KeySecrets of tables without settings = %d, %v, want none", len(none), err)
	}
	made := make([]apikey.Secrets, 8)
	var done sync.WaitGroup
	for i := range made {
		done.Go(func() {
			var err error
			if made[i], err = s.EnsureKeySecrets(ctx); err != nil {
				t.Errorf("EnsureKeySecrets = %v, want no error", err)
			}
		})
	}
	done.Wait()
	stored, err := s.KeySecrets(ctx)
	for i := range made {
		if err != nil || len(stored) != 1 || !slices.Equal(made[i], stored) {
			t.Errorf("EnsureKeySecrets by %d and KeySecrets have %d and %d secrets, %v, want the same one", i, len(made[i]), len(stored), err)
		}
	}
	if all, _, err := s.List(ctx, "", 10); err != nil || len(all) != 0 {
		t.Errorf("List = %d organizations, %v, want none", len(all), err)
	}
}
