package storetest

import (
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"organizations-api/shared/apikey"
	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Full returns a record with every property set, each to a different value. It is not deleted.
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
		Override:           organization.RateLimits{Metadata: 1000, Data: 2000, Search: 3000, Upload: 4000, Compute: 5000},
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

// Bare returns a record in which every optional property is unset.
func Bare(now time.Time) organization.Organization {
	return organization.New("B", organization.Free, nil, now)
}

// Options returns the options with which to compare records, keys and entries. They compare secrets by their values,
// and treat an empty list like nil and the zero Object like {}.
func Options() cmp.Options {
	return cmp.Options{
		cmp.Comparer(organization.InternalID.Equal),
		cmp.Comparer(func(a, b organization.Object) bool { return a.Text() == b.Text() }),
		cmpopts.EquateEmpty(),
	}
}

// newKey returns the record of a new key that has a label, may do everything and never expires.
func newKey(id organization.ID, now time.Time) apikey.Record {
	r := apikey.NewRecord(apikey.New(id, apikey.Live), apikey.Admin, now, nil)
	r.Label = "Søren's laptop 🧪"
	return r
}

// entry returns an audit entry of the operator.
func entry(action store.Action, at time.Time, version int64) store.Entry {
	return store.Entry{
		ID:        store.NewEntryID(at),
		Action:    action,
		Actor:     store.OperatorActor,
		RequestID: "req_" + base62.Random(8),
		Version:   version,
	}
}

// newUpdate returns the update of a record by a patch, which the key allows.
func newUpdate(before organization.Organization, p organization.Patch, key apikey.Record, now time.Time) store.Update {
	after, changes := before.Apply(p, now)
	e := entry(store.Updated, after.UpdatedAt, after.Version)
	e.Actor, e.Changes = key.ID, changes
	return store.Update{Before: before, After: after, Audit: e, Authority: &store.Authority{Key: key, Now: time.Now}}
}

// rename returns a patch with a new random name.
func rename() organization.Patch {
	return organization.Patch{Name: organization.Set("name " + base62.Random(8))}
}

// largest returns a JSON object of the largest allowed size.
func largest() organization.Object {
	const frame = `{"k":""}`
	return organization.Object(`{"k":"` + strings.Repeat("x", organization.MaxObjectSize-len(frame)) + `"}`)
}

// hostileTexts returns texts that a careless engine would change. None is longer than organization.MaxNameLength.
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

// hostileObjects returns JSON objects that would change if an engine decoded and encoded them.
func hostileObjects() map[string]organization.Object {
	const outer = organization.MaxObjectDepth - 1
	nested := strings.Repeat(`{"a":`, outer) + "{}" + strings.Repeat("}", outer)
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

// together calls do n times, all at the same time, and waits for the calls to return.
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
