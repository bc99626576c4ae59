package boot

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/telemetry/telemetrytest"
)

// cost is what requests cost in DynamoDB: the operations, and the capacity that DynamoDB says they consumed.
type cost struct {
	Calls       string // names of the operations, sorted, as some are made at the same time
	Read, Write float64
}

// meter is a proxy of DynamoDB Local that adds up the cost of all calls. It counts reads of the settings apart: a
// function makes one of them in ten seconds at most, so a test cannot tell in which request it comes.
type meter struct {
	mu       sync.Mutex
	cost     cost
	settings int
}

// ofSettings is the key of a context that says whether the call reads the settings.
type ofSettings struct{}

func newMeter(t *testing.T) (*meter, string) {
	t.Helper()
	behind, err := url.Parse(dynamotest.Endpoint(t))
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.ModifyResponse = m.read
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		ctx := context.WithValue(r.Context(), ofSettings{}, bytes.Contains(body, []byte(`"SETTINGS"`)))
		proxy.ServeHTTP(w, r.WithContext(ctx))
	}))
	t.Cleanup(server.Close)
	return m, server.URL
}

func (m *meter) read(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, operation, _ := strings.Cut(r.Request.Header.Get("X-Amz-Target"), ".")
	units, err := consumed(body)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.Request.Context().Value(ofSettings{}) == true {
		m.settings++
		return nil
	}
	calls := append(strings.Fields(m.cost.Calls), operation)
	slices.Sort(calls)
	m.cost.Calls = strings.Join(calls, " ")
	if operation == "GetItem" {
		m.cost.Read += units
	} else {
		m.cost.Write += units
	}
	return nil
}

// consumed returns the sum of an answer's ConsumedCapacity, which is an object or a list of objects.
func consumed(body []byte) (units float64, err error) {
	type capacity struct{ CapacityUnits float64 }
	var answer struct{ ConsumedCapacity json.RawMessage }
	if err := json.Unmarshal(body, &answer); err != nil || answer.ConsumedCapacity == nil {
		return 0, err
	}
	var all []capacity
	if answer.ConsumedCapacity[0] == '{' {
		all = make([]capacity, 1)
		err = json.Unmarshal(answer.ConsumedCapacity, &all[0])
	} else {
		err = json.Unmarshal(answer.ConsumedCapacity, &all)
	}
	for _, one := range all {
		units += one.CapacityUnits
	}
	return units, err
}

// take returns the cost since the last take.
func (m *meter) take() cost {
	taken, _ := m.takeAll()
	return taken
}

// takeAll returns the cost since the last take, and the number of reads of the settings.
func (m *meter) takeAll() (cost, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken, settings := m.cost, m.settings
	m.cost, m.settings = cost{}, 0
	return taken, settings
}

// measured returns a world with a meter, and a tenant whose keys have been used. So the note of a use, which a key
// costs once an hour, is not in the costs that follow. The tenant's limit is too low for leases.
func measured(t *testing.T, limits string, metadata int) (*world, *meter, tenant) {
	t.Helper()
	awaitRoomInHour(t)
	at := newWorld(t)
	m, endpoint := newMeter(t)
	w := worldWith(t, endpoint, map[string]string{envRateLimits: limits})
	w.store = at.store
	made := w.newSmallTenant(t, func(o *organization.Organization) {
		if metadata > 0 {
			o.Metadata = organization.NewObject(`{"a":"` + strings.Repeat("x", metadata-len(`{"a":""}`)) + `"}`)
		}
		o.Override = organization.RateLimits{Metadata: 599}
	})
	made.keys[apikey.Read], _ = w.addKey(t, made.ID, apikey.Read, nil)
	for _, key := range made.keys {
		for _, method := range []string{"GET", "PATCH"} {
			w.send(t, request{method: method, key: key.Reveal(), body: `{}`})
		}
	}
	m.take()
	return w, m, made
}

// check sends the request. It compares the cost with the wanted one, and with the one in the log line.
func (m *meter) check(t *testing.T, w *world, name string, r request, status int, want cost) {
	t.Helper()
	if got := w.send(t, r); got.StatusCode != status {
		t.Errorf("%s = %d %s, want %d", name, got.StatusCode, got.Body, status)
	}
	got, settings := m.takeAll()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s costs (-want +got):\n%s", name, diff)
	}
	lines, err := telemetrytest.Lines(w.logs.String())
	if err != nil {
		t.Fatal(err)
	}
	line := lines[len(lines)-1]
	calls, read := float64(len(strings.Fields(got.Calls))+settings), got.Read+float64(settings)
	if line["store_calls"] != calls || line["read_units"] != read || line["write_units"] != got.Write {
		t.Errorf("%s costs %+v, but its line says %v", name, got, line)
	}
}

// TestCostsBySize: a read costs a unit for each 4 KB of the whole item. A write in a transaction costs two units for
// each KB of the item before or after, whichever is larger. (See DynamoDB's developer guide, "On-demand capacity mode",
// "Read consistency and capacity".) DynamoDB Local counts a transaction of more than 1 KB twice.
func TestCostsBySize(t *testing.T) {
	t.Parallel()
	const name, clear, twice = `{"organization_name":"B"}`, `{"metadata":{}}`, 2
	for _, c := range []struct {
		metadata    int // bytes; the rest of the record has between 500 and 1,000
		body        string
		read, write float64
	}{
		{2600, name, 1, 2*4 + 2}, // a record of four KB and an entry of one
		{4000, name, 2, 2*5 + 2},
		{6000, name, 2, 2*7 + 2},
		{60000, name, 15, 2*60 + 2},
		{61000, name, 16, 2*61 + 2},
		{2600, clear, 1, 2*4 + 2*3}, // the old metadata is in the entry, and the record was larger before
	} {
		w, m, made := measured(t, "off", c.metadata)
		w.send(t, request{method: "PATCH", key: made.keys[apikey.Admin].Reveal(), body: c.body})
		want := cost{"GetItem TransactWriteItems", c.read, c.write * twice}
		if diff := cmp.Diff(want, m.take()); diff != "" {
			t.Errorf("PATCH %s of a record with %d bytes of metadata costs (-want +got):\n%s", c.body, c.metadata, diff)
		}
	}
}

// TestCosts checks the calls and units of each request, for a record of less than 1 KB. A consistent read of up to 4 KB
// is one read unit. A write is one write unit for each KB, and two in a transaction.
func TestCosts(t *testing.T) {
	t.Parallel()
	for _, limits := range []string{"on", "off"} {
		w, m, made := measured(t, limits, 0)
		etag := w.send(t, request{method: "GET", key: made.keys[apikey.Admin].Reveal()}).Headers["Etag"]
		m.take()
		for _, c := range costs(t, w, made, etag, limits == "on") {
			m.check(t, w, c.name+", rate limits "+limits, c.send, c.status, c.want)
		}
	}
}

type costCase struct {
	name   string
	send   request
	status int
	want   cost
}

// costs returns the requests with their costs. Only the last request changes the organization, whose ETag is etag.
func costs(t *testing.T, w *world, made tenant, etag string, limited bool) []costCase {
	t.Helper()
	const read = "GetItem"
	plain, change := cost{read, 1, 0}, cost{read + " TransactWriteItems", 1, 4}
	if limited {
		plain, change = cost{read + " UpdateItem", 1, 1}, cost{read + " TransactWriteItems UpdateItem", 1, 5}
	}
	admin, reader := made.keys[apikey.Admin].Reveal(), made.keys[apikey.Read].Reveal()
	unknown, nobody := w.unissued(t, made.ID), w.unissued(t, organization.NewID())
	forged := apikey.New(made.ID, apikey.Live, apikey.NewSecret()).Reveal()
	return []costCase{
		{"GET", request{method: "GET", key: reader}, 200, plain},
		{"GET, not modified", request{method: "GET", key: reader, header: map[string]string{"if-none-match": etag}}, 304, plain},
		{"GET, another version", request{method: "GET", key: reader, header: map[string]string{"if-match": `"x"`}}, 412, plain},
		{"GET, malformed condition", request{method: "GET", key: reader, header: map[string]string{"if-match": `x`}}, 422, plain},
		{"GET, mistyped key", request{method: "GET", key: swapLast(admin)}, 401, cost{}},
		{"GET, forged key", request{method: "GET", key: forged}, 401, cost{}},
		{"GET, no key", request{method: "GET"}, 401, cost{}},
		{"GET, key unknown", request{method: "GET", key: unknown}, 401, cost{read, 1, 0}},
		{"GET, organization unknown", request{method: "GET", key: nobody}, 401, cost{read, 1, 0}},
		{"PATCH, not permitted", request{method: "PATCH", key: reader, body: `{}`}, 403, plain},
		{"PATCH, nothing", request{method: "PATCH", key: admin, body: `{}`}, 200, plain},
		{"PATCH, as it is", request{method: "PATCH", key: admin, body: `{"organization_name":"Northwind Video"}`}, 200, plain},
		{"PATCH, unreadable", request{method: "PATCH", key: admin, body: `{`}, 400, plain},
		{"PATCH, invalid", request{method: "PATCH", key: admin, body: `{"organization_name":1}`}, 422, plain},
		{"PATCH, another version", request{method: "PATCH", key: admin, body: `{"organization_name":"B"}`,
			header: map[string]string{"if-match": `"x"`}}, 412, plain},
		{"PATCH", request{method: "PATCH", key: admin, body: `{"organization_name":"B"}`,
			header: map[string]string{"if-match": etag}}, 200, change},
	}
}

// TestForgedKeysReadNoOrganization: a forged key with the identifier of an organization does not make the store read
// that organization. All forged keys together cost one read of the settings in ten seconds.
func TestForgedKeysReadNoOrganization(t *testing.T) {
	t.Parallel()
	at := newWorld(t)
	made := at.newSmallTenant(t, nil)
	m, endpoint := newMeter(t)
	begun := time.Now()
	w := worldAt(t, endpoint)
	w.store = at.store
	m.takeAll()

	admin := made.keys[apikey.Admin].Reveal()
	body := admin[:len(admin)-base62.Uint32Width]
	forged := []string{
		swapLast(admin), admin[1:], admin + "0", "", "sk_live_abc123def456",
		body + base62.Uint32(crc32.ChecksumIEEE([]byte(body))), // the checksum that anyone can make
		body + strings.Repeat("0", base62.Uint32Width),
	}
	for range 20 {
		body := "sk_live_" + made.ID.PublicPart() + "_" + base62.Random(32)
		forged = append(forged, body+base62.Random(base62.Uint32Width), body+base62.Uint32(crc32.ChecksumIEEE([]byte(body))),
			apikey.New(made.ID, apikey.Live, apikey.NewSecret()).Reveal(),
			apikey.New(organization.NewID(), apikey.Test, apikey.NewSecret()).Reveal())
	}
	for _, key := range forged {
		for _, method := range []string{"GET", "PATCH"} {
			got := w.send(t, request{method: method, key: key, body: `{}`})
			if got.StatusCode != 401 || !strings.Contains(got.Body, "api_key_invalid") && key != "" {
				t.Errorf("%s with the forged key %q = %d %s, want 401 api_key_invalid", method, key, got.StatusCode, got.Body)
			}
		}
	}
	const functions = 2
	most := functions * (1 + int(time.Since(begun)/(10*time.Second)))
	if got, settings := m.takeAll(); got != (cost{}) || settings > most {
		t.Errorf("%d forged keys cost %+v and %d reads of the settings, want nothing and at most %d", len(forged), got, settings, most)
	}
	if w.send(t, request{method: "GET", key: w.unissued(t, made.ID)}); m.take() == (cost{}) {
		t.Error("a key that the store could have issued made no call; the count proves nothing")
	}
	secrets, err := w.store.KeySecrets(t.Context())
	if err != nil || len(secrets) == 0 {
		t.Fatalf("KeySecrets = %d, %v, want one", len(secrets), err)
	}
	w.checkLogs(t, secrets[0].Reveal())
}

// TestStartReadsTheSettings: a function makes one call while it starts, and none for the settings later. If that call
// fails, the function starts all the same, and the first request makes it.
func TestStartReadsTheSettings(t *testing.T) {
	t.Parallel()
	at := newWorld(t)
	made := at.newSmallTenant(t, nil)
	var settings, others atomic.Int64
	fault := dynamotest.Pass()
	proxy := dynamotest.StartProxy(t, dynamotest.Endpoint(t), func(c dynamotest.Call) dynamotest.Fault {
		if bytes.Contains(c.Body, []byte(`"SETTINGS"`)) {
			settings.Add(1)
			return fault
		}
		others.Add(1)
		return dynamotest.Pass()
	})
	for name, f := range map[string]dynamotest.Fault{
		"well": dynamotest.Pass(), "refused": dynamotest.Refuse(400, "AccessDeniedException"),
	} {
		fault = f
		settings.Store(0)
		others.Store(0)
		w := worldAt(t, proxy.URL)
		if n := settings.Load(); n != 2 || others.Load() != 0 {
			t.Errorf("%s: two functions make %d reads of the settings and %d other calls to start, want 2 and 0", name, n, others.Load())
		}
		fault = dynamotest.Pass()
		settings.Store(0)
		for range 3 {
			if got := w.send(t, request{method: "GET", key: made.keys[apikey.Admin].Reveal()}); got.StatusCode != 200 {
				t.Errorf("%s: GET = %d %s, want 200", name, got.StatusCode, got.Body)
			}
		}
		want := map[string]int64{"well": 0, "refused": 1}[name]
		if n := settings.Load(); n != want {
			t.Errorf("%s: three requests make %d reads of the settings, want %d", name, n, want)
		}
	}
}
