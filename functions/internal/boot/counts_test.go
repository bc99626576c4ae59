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

// cost is what requests cost in DynamoDB: the operations, and the capacity that DynamoDB says they consumed.
type cost struct {
	Calls       string // names of the operations, in order
	Read, Write float64
}

// meter is a proxy of DynamoDB Local that adds up the cost of all calls.
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
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := m.cost
	m.cost = cost{}
	return taken
}

// measured returns a world with a meter, and a tenant whose keys have been used. So the note of a use, which a key
// costs once an hour, is not in the costs that follow.
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

// check sends the request. It compares the cost with the wanted one, and with the one in the log line.
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

// costs returns the requests with their costs. Only the last request changes the organization, whose ETag is etag.
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

// TestMistypedKeyMakesNoCall: a mistyped key is refused without a call of the store.
func TestMistypedKeyMakesNoCall(t *testing.T) {
	t.Parallel()
	p := dynamotest.StartProxy(t, "", dynamotest.Always(dynamotest.Refuse(500, "InternalServerError")))
	w := worldAt(t, p.URL)
	key := apikey.New(organization.NewID(), apikey.Live).Reveal()
	for _, mistyped := range []string{swapLast(key), key[1:], key + "0", "", "sk_live_abc123def456"} {
		for _, method := range []string{"GET", "PATCH"} {
			if got := w.send(t, request{method: method, key: mistyped, body: `{}`}); got.StatusCode != 401 {
				t.Errorf("%s with a mistyped key = %d, want 401", method, got.StatusCode)
			}
		}
	}
	if n := p.Calls(""); n != 0 {
		t.Errorf("mistyped keys made %d calls, want 0", n)
	}
	w.send(t, request{method: "GET", key: key})
	if p.Calls("") == 0 {
		t.Error("a key that may be one made no call; the count proves nothing")
	}
}
