package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/organization"
)

// window returns the start of the current minute. The checks use recent windows, as an engine may delete old ones.
func window() time.Time { return time.Now().UTC().Truncate(time.Minute) }

func (s suite) countRace(t *testing.T) {
	const calls = 50
	id, at := organization.NewID(), window()
	got := make([]int64, calls)
	together(calls, func(i int) {
		sum, err := s.handle(i).Count(t.Context(), id, organization.Metadata, at)
		if err != nil {
			t.Errorf("Count = %v, want no error", err)
		}
		got[i] = sum
	})
	slices.Sort(got)
	sums := make([]int64, calls)
	for i := range sums {
		sums[i] = int64(i + 1)
	}
	if diff := cmp.Diff(sums, got); diff != "" {
		t.Errorf("results of %d calls at once (-want +got):\n%s", calls, diff)
	}
}

func (s suite) countApart(t *testing.T) {
	id, other, at := organization.NewID(), organization.NewID(), window()
	zone := time.FixedZone("east", 9*3600)
	steps := []struct {
		name     string
		id       organization.ID
		category organization.Category
		at       time.Time
		want     int64
	}{
		{"first", id, organization.Metadata, at, 1},
		{"second", id, organization.Metadata, at, 2},
		{"other category", id, organization.Search, at, 1},
		{"other organization", other, organization.Metadata, at, 1},
		{"next window", id, organization.Metadata, at.Add(time.Minute), 1},
		{"window before", id, organization.Metadata, at.Add(-time.Minute), 1},
		{"hours before", id, organization.Metadata, at.Add(-20 * time.Hour), 1},
		{"another new window", id, organization.Upload, at, 1}, // an engine may delete old windows now
		{"third", id, organization.Metadata, at, 3},
		{"same moment in another zone", id, organization.Metadata, at.In(zone), 4},
		{"other category again", id, organization.Search, at, 2},
		{"other organization again", other, organization.Metadata, at, 2},
		{"next window again", id, organization.Metadata, at.Add(time.Minute), 2},
		{"hours before again", id, organization.Metadata, at.Add(-20 * time.Hour), 2},
	}
	for i, step := range steps {
		got, err := s.handle(i).Count(t.Context(), step.id, step.category, step.at)
		if err != nil || got != step.want {
			t.Errorf("%s: Count(%s, %s, %v) = %d, %v, want %d", step.name, step.id, step.category, step.at, got, err, step.want)
		}
	}
}
