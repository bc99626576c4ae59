package storetest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"organizations-api/shared/apikey"
	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Full returns a record with every property set, each to a value of its own. It is not deleted.
func Full(now time.Time) organization.Organization {
	now = organization.Timestamp(now)
	return organization.Organization{
		ID:                 organization.NewID(),
		InternalID:         organization.NewInternalID(),
		Name:               "Søren & 東京 🧪 Ltd",
		LogoURL:            new("https://example.com/logo.svg?size=2x&theme=dark#top"),
		Tier:               organization.Enterprise,
		Credits:            987_654,
		Metadata:           `{"region":"eu-west-1","seats":[1,2,3],"nested":{"a":null,"b":true}}`,
		BillingEmail:       new("billing@example.com"),
		NotificationsEmail: new("ops+alerts@example.com"),
		Override:           organization.RateLimits{Metadata: 1_000, Data: 2_000, Search: 3_000, Upload: 4_000, Compute: 5_000},
		AutoBilling:        true,
		BillingCycleStart:  28,
		CurrentMonthUsage:  12_345,
		CreatedAt:          now.Add(-72*time.Hour - time.Microsecond),
		UpdatedAt:          now,
		Users:              new(`[{"user_id":"u1","roles":["admin"]},{"user_id":"u2","roles":[]}]`),
		AuthProviderOrgID:  new("org_2abcDEF"),
		Credentials:        `{"openai":"sk-proj-1","anthropic":"sk-ant-2"}`,
		APIURL:             new("https://eu.api.example.com"),
		Version:            7,
	}
}

// Bare returns a record in which nothing is set that can be left unset.
func Bare(now time.Time) organization.Organization {
	return organization.New("B", organization.Free, nil, now)
}

// Options returns how records, keys, entries and what holds them are compared: secrets by their values, an empty list of
// changes as none, and an object that was never set as {}.
func Options() cmp.Options {
	return cmp.Options{
		cmp.Comparer(organization.InternalID.Equal),
		cmp.Comparer(func(a, b organization.Object) bool { return a.Text() == b.Text() }),
		cmpopts.EquateEmpty(),
	}
}

// tenant is an organization as a test created it, with its first key and the first line of its trail.
type tenant struct {
	organization.Organization
	key     apikey.Record
	created store.Entry
}

// create stores the organization through the first handle, and removes it when the test ends.
func (s suite) create(t *testing.T, o organization.Organization) tenant {
	t.Helper()
	made := tenant{o, newKey(o.ID, o.CreatedAt), entry(store.Created, o.CreatedAt, o.Version)}
	s.purgeAfter(t, o.ID)
	if err := s.a.Create(t.Context(), made.Organization, made.key, made.created); err != nil {
		t.Fatalf("Create(%s) = %v, want no error", o.ID, err)
	}
	return made
}

func (s suite) purgeAfter(t *testing.T, id organization.ID) {
	ctx := context.WithoutCancel(t.Context()) // the test's own is cancelled by then
	t.Cleanup(func() {
		if err := s.a.Purge(ctx, id); err != nil {
			t.Errorf("Purge(%s) = %v, want no error", id, err)
		}
	})
}

// newKey returns the record of a fresh key that may do everything and does not expire.
func newKey(id organization.ID, now time.Time) apikey.Record {
	return apikey.NewRecord(apikey.New(id, apikey.Live), apikey.Admin, now, nil)
}

// entry returns an entry of the operator's.
func entry(action store.Action, at time.Time, version int64) store.Entry {
	return store.Entry{
		ID:        store.NewEntryID(at),
		Action:    action,
		Actor:     store.OperatorActor,
		RequestID: "req_" + base62.Random(8),
		Version:   version,
	}
}

// update returns the update that the patch makes of the record as it was read.
func update(before organization.Organization, p organization.Patch, actor string, now time.Time) store.Update {
	after, changes := before.Apply(p, now)
	e := entry(store.Updated, after.UpdatedAt, after.Version)
	e.Actor, e.Changes = actor, changes
	return store.Update{Before: before, After: after, Audit: e}
}

// rename returns a patch that changes the name, to something else each time.
func rename() organization.Patch {
	return organization.Patch{Name: organization.Set("name " + base62.Random(8))}
}

// largest returns a JSON object of as many bytes as an object may have.
func largest() organization.Object {
	const frame = `{"k":""}`
	return organization.Object(`{"k":"` + strings.Repeat("x", organization.MaxObjectSize-len(frame)) + `"}`)
}

// hostileTexts are texts of up to organization.MaxNameLength characters that some way of storing text gets wrong.
func hostileTexts() map[string]string {
	return map[string]string{
		"emoji":                 "🧪👩‍👩‍👧‍👦🏳️‍🌈",
		"NUL":                   "before\x00after\x00",
		"NUL alone":             "\x00",
		"combining characters":  "e\u0301 is not \u00e9, A\u030a is not \u00c5",
		"widest, at the bound":  strings.Repeat("\U0001F9EA", organization.MaxNameLength),
		"right to left":         "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd",
		"white space around":    " \t\r\n name \u00a0\u2003\n",
		"quotes":                `'; DROP TABLE organizations; -- " \ ` + "`",
		"control characters":    "\x01\x1b\x7f\u0085\u2028\u2029\ufeff",
		"last code points":      "\ufffd\uffff\U0010ffff",
		"looks like a number":   "0123.4500e10",
		"looks like null":       "null",
		"looks like a variable": ":name $1 ? #n @p %s %00",
	}
}

// hostileObjects are JSON objects that decoding and encoding again would change.
func hostileObjects() map[string]organization.Object {
	nested := strings.Repeat(`{"a":`, organization.MaxObjectDepth-1) + "{}" + strings.Repeat("}", organization.MaxObjectDepth-1)
	return map[string]organization.Object{
		"empty":              `{}`,
		"25 digits":          `{"n":1234567890123456789012345,"m":-9876543210987654321098765}`,
		"beyond a double":    `{"huge":1e400,"tiny":1E-400,"precise":0.1000000000000000055511151231257827}`,
		"ways to write":      `{"zero":-0,"point":1.000,"power":2e+1}`,
		"empty keys":         `{"":{"":[{"":""}]}}`,
		"order of members":   `{"z":1,"a":2,"m":3,"A":4,"_":5,"10":6,"9":7}`,
		"32 levels":          organization.Object(nested),
		"64 KiB":             largest(),
		"escapes as given":   `{"\u0061":"\u00e9\ud83d\ude00\/\u0000\b\f\n\r\t\"\\"}`,
		"no escapes":         organization.Object("{\"é\u0301😀\":\"<script>&amp;\u2028\u2029\x7f\ufeff\"}"),
		"lists":              `{"l":[[],[[]],[{}],[null,true,false,"",0]]}`,
		"reserved elsewhere": `{"__proto__":1,"$ref":"#","S":"x","NULL":true,"#n":1,":v":2,"a.b[0]":3}`,
	}
}

// together runs do n times, all at once, and waits for them.
func together(n int, do func(i int)) {
	var done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		done.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	done.Wait()
}
