package dynamo_test

import (
	"testing"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// cannedStore is a store whose requests get canned answers in this process.
func cannedStore(b *testing.B) (*dynamo.Store, *dynamotest.Canned) {
	b.Helper()
	db, err := dynamotest.NewCanned()
	if err != nil {
		b.Fatal(err)
	}
	s, err := dynamo.Open(dynamotest.CannedSettings(db))
	if err != nil {
		b.Fatal(err)
	}
	return s, db
}

func BenchmarkFind(b *testing.B) {
	s, db := cannedStore(b)
	b.ReportAllocs()
	for b.Loop() {
		found, err := s.Find(b.Context(), db.Organization.ID, db.Key.Hash())
		if err != nil || found.Key == nil {
			b.Fatalf("Find = %+v, %v, want the organization and its key", found, err)
		}
	}
}

func BenchmarkCount(b *testing.B) {
	s, db := cannedStore(b)
	window := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if n, err := s.Count(b.Context(), db.Organization.ID, organization.Metadata, window, 1); n != 1 || err != nil {
			b.Fatalf("Count = %d, %v, want 1", n, err)
		}
	}
}
