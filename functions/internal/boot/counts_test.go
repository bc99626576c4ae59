package boot

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/telemetry/telemetrytest"
)

// cost is what DynamoDB was asked for, in its own words: the operations, and the capacity that it says each consumed.
type cost struct {
	Calls       string // operations in their order
	Read, Write float64
}

// meter stands before DynamoDB Local and reads what passes.
type meter struct {
	mu   sync.Mutex
	cost cost
}

func newMeter(t *testing.T) (*meter, string) {
	t.Helper()
	behind, err := url.Parse(dynamotest.Endpoint(t))
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.ModifyResponse = m.read
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return m, server.URL
}

func (m *meter) read(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, operation, isCall := strings.Cut(r.Request.Header.Get("X-Amz-Target"), ".")
	if !isCall {
		return nil // priming
	}
	units, err := consumed(body)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cost.Calls = strings.TrimSpace(m.cost.Calls + " " + operation)
	if operation == "GetItem" {
		m.cost.Read += units
	} else {
		m.cost.Write += units
	}
	return nil
}

// consumed sums up what an answer has under ConsumedCapacity, which is an object or a list of them.
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

// take returns the cost since it was last taken.
func (m *meter) take() cost {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := m.cost
	m.cost = cost{}
	return taken
}

// measured is a world whose calls are metered, with a tenant whose keys were in use before: what a key costs once an hour
// is not in what follows.
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
		o.Override = organization.RateLimits{Metadata: 1000}
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

// check sends the request and compares its cost with what is wanted, and with what its log line says.
func (m *meter) check(t *testing.T, w *world, name string, r request, status int, want cost) {
	t.Helper()
	if got := w.send(t, r); got.StatusCode != status {
		t.Errorf("%s = %d %s, want %d", name, got.StatusCode, got.Body, status)
	}
	got := m.take()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s costs (-want +got):\n%s", name, diff)
	}
	lines, err := telemetrytest.Lines(w.logs.String())
	if err != nil {
		t.Fatal(err)
	}
	line := lines[len(lines)-1]
	calls := float64(len(strings.Fields(got.Calls)))
	if line["store_calls"] != calls || line["read_units"] != got.Read || line["write_units"] != got.Write {
		t.Errorf("%s costs %+v, but its line says %v", name, got, line)
	}
}

// TestCostsBySize: a read costs a unit for each 4 KB of the whole item, and a write, which is in a transaction, two for each
// KB of the larger of the item before and after. (The developer guide of DynamoDB has both, under "Read consistency and
// capacity" of "On-demand capacity mode".) DynamoDB Local counts a transaction that writes more than 1 KB twice over.
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
		{2600, clear, 1, 2*4 + 2*3}, // what was there is in the entry, and its record was larger before
	} {
		w, m, made := measured(t, "off", c.metadata)
		w.send(t, request{method: "PATCH", key: made.keys[apikey.Admin].Reveal(), body: c.body})
		want := cost{"GetItem TransactWriteItems", c.read, c.write * twice}
		if diff := cmp.Diff(want, m.take()); diff != "" {
			t.Errorf("PATCH %s of a record with %d bytes of metadata costs (-want +got):\n%s", c.body, c.metadata, diff)
		}
	}
}

// TestCosts: what each request costs, to the call and the unit. A record here has less than 1 KB: one read unit for a
// consistent read of up to 4 KB, one write unit for each KB that is written, and twice that in a transaction.
func TestCosts(t *testing.T) {
	t.Parallel()
	for _, limits := range []string{"on", "off"} {
		w, m, made := measured(t, limits, 0)
		etag := w.send(t, request{method: "GET", key: made.keys[apikey.Admin].Reveal()}).Headers["Etag"]
		m.take()
		for _, c := range costs(made, etag, limits == "on") {
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

// costs are the requests in an order in which only the last one changes the organization, whose entity tag is etag.
func costs(made tenant, etag string, limited bool) []costCase {
	const read, change = "GetItem", " TransactWriteItems"
	plain := cost{read, 1, 0}
	if limited {
		plain = cost{read + " UpdateItem", 1, 1}
	}
	admin, reader := made.keys[apikey.Admin].Reveal(), made.keys[apikey.Read].Reveal()
	unknown, nobody := apikey.New(made.ID, apikey.Live).Reveal(), apikey.New(organization.NewID(), apikey.Live).Reveal()
	return []costCase{
		{"GET", request{method: "GET", key: reader}, 200, plain},
		{"GET, not modified", request{method: "GET", key: reader, header: map[string]string{"if-none-match": etag}}, 304, plain},
		{"GET, another version", request{method: "GET", key: reader, header: map[string]string{"if-match": `"x"`}}, 412, plain},
		{"GET, malformed condition", request{method: "GET", key: reader, header: map[string]string{"if-match": `x`}}, 422, plain},
		{"GET, mistyped key", request{method: "GET", key: swapLast(admin)}, 401, cost{}},
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
			header: map[string]string{"if-match": etag}}, 200, cost{plain.Calls + change, 1, plain.Write + 4}},
	}
}
