package storetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/organization"
)

// window returns the start of the current minute. The checks use recent windows, as an engine may delete old ones.
func window() time.Time { return time.Now().UTC().Truncate(time.Minute) }

// countRace draws numbers, one or several with a call. Each number goes to one call, and none is left out.
func (s suite) countRace(t *testing.T) {
	const calls = 50
	id, at := organization.NewID(), window()
	var mu sync.Mutex
	var got, want []int64
	together(calls, func(i int) {
		n := int64(1 + i%3*499)
		sum, err := s.handle(i).Count(t.Context(), id, organization.Metadata, at, n)
		if err != nil {
			t.Errorf("Count of %d = %v, want no error", n, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for number := sum - n + 1; number <= sum; number++ {
			got, want = append(got, number), append(want, int64(len(want)+1))
		}
	})
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("numbers of %d calls at once (-want +got):\n%s", calls, diff)
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
		n        int64
		want     int64
	}{
		{"first", id, organization.Metadata, at, 1, 1},
		{"second", id, organization.Metadata, at, 1, 2},
		{"other category", id, organization.Search, at, 100, 100},
		{"other organization", other, organization.Metadata, at, 7, 7},
		{"next window", id, organization.Metadata, at.Add(time.Minute), 1, 1},
		{"window before", id, organization.Metadata, at.Add(-time.Minute), 1, 1},
		{"hours before", id, organization.Metadata, at.Add(-20 * time.Hour), 1, 1},
		{"another new window", id, organization.Upload, at, 1, 1}, // an engine may delete old windows now
		{"third", id, organization.Metadata, at, 1, 3},
		{"same moment in another zone", id, organization.Metadata, at.In(zone), 2, 5},
		{"other category again", id, organization.Search, at, 1, 101},
		{"other organization again", other, organization.Metadata, at, 3, 10},
		{"next window again", id, organization.Metadata, at.Add(time.Minute), 1, 2},
		{"hours before again", id, organization.Metadata, at.Add(-20 * time.Hour), 1, 2},
	}
	for i, step := range steps {
		got, err := s.handle(i).Count(t.Context(), step.id, step.category, step.at, step.n)
		if err != nil || got != step.want {
			t.Errorf("%s: Count(%s, %s, %v, %d) = %d, %v, want %d",
				step.name, step.id, step.category, step.at, step.n, got, err, step.want)
		}
	}
}
