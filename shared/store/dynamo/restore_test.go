package dynamo_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/store/storetest"
)

// reluctant stands before a DynamoDB and does only part of each batch, as DynamoDB does when it is throttled, and lets every
// second transaction meet another.
type reluctant struct {
	backend      string
	transactions atomic.Int64
	left         atomic.Int64 // parts of batches that were left over
}

func (p *reluctant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var left map[string]json.RawMessage
	member := ""
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case operation == "BatchWriteItem":
		body, left = p.part(body, writes)
		member = "UnprocessedItems"
	case operation == "BatchGetItem":
		body, left = p.part(body, keys)
		member = "UnprocessedKeys"
	case operation == "TransactWriteItems" && p.transactions.Add(1)%2 == 1:
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",`+
			`"Message":"cancelled","CancellationReasons":[{"Code":"TransactionConflict"}`+
			strings.Repeat(`,{"Code":"None"}`, bytes.Count(body, []byte(`"Put":`))-1)+`]}`)
		return
	}
	p.forward(w, r, body, member, left)
}

// forward passes the request on, and adds to the answer what was left over.
func (p *reluctant) forward(w http.ResponseWriter, r *http.Request, body []byte, member string, left map[string]json.RawMessage) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, p.backend, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	request.Header = r.Header.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if member != "" && left != nil {
		answer[member] = left
		p.left.Add(1)
	}
	w.Header().Set("Content-Type", response.Header.Get("Content-Type"))
	w.WriteHeader(response.StatusCode)
	_ = json.NewEncoder(w).Encode(answer)
}

// part leaves over the second half of the items of the one table of a batch.
func (p *reluctant) part(body []byte, halve func(json.RawMessage) (first, second json.RawMessage)) ([]byte, map[string]json.RawMessage) {
	var request map[string]json.RawMessage
	var tables map[string]json.RawMessage
	if json.Unmarshal(body, &request) != nil || json.Unmarshal(request["RequestItems"], &tables) != nil {
		return body, nil
	}
	left := make(map[string]json.RawMessage)
	for table, items := range tables {
		first, second := halve(items)
		if second == nil {
			return body, nil
		}
		tables[table], left[table] = first, second
	}
	request["RequestItems"], _ = json.Marshal(tables)
	body, _ = json.Marshal(request)
	return body, left
}

func writes(items json.RawMessage) (first, second json.RawMessage) {
	var all []json.RawMessage
	if json.Unmarshal(items, &all) != nil || len(all) < 2 {
		return items, nil
	}
	first, _ = json.Marshal(all[:len(all)/2])
	second, _ = json.Marshal(all[len(all)/2:])
	return first, second
}

func keys(items json.RawMessage) (first, second json.RawMessage) {
	var asked map[string]json.RawMessage
	if json.Unmarshal(items, &asked) != nil {
		return items, nil
	}
	one, two := writes(asked["Keys"])
	if two == nil {
		return items, nil
	}
	asked["Keys"] = one
	first, _ = json.Marshal(asked)
	asked["Keys"] = two
	second, _ = json.Marshal(asked)
	return first, second
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
		key := apikey.NewRecord(apikey.New(o.ID, apikey.Live), apikey.Admin, now, nil)
		exports = append(exports, store.Export{
			Organization: o, Keys: []apikey.Record{key}, Trail: store.Entries(entries...),
		})
	}
	return exports
}

// TestRestoreInParts restores through a DynamoDB that does everything by halves.
func TestRestoreInParts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	direct := open(t)
	proxy := &reluctant{backend: dynamotest.Endpoint(t)}
	server := httptest.NewServer(proxy)
	defer server.Close()
	through, err := dynamo.Open(dynamotest.SettingsOn(server.URL, prefix()))
	if err != nil {
		t.Fatal(err)
	}
	exports := made(30)
	for _, want := range []bool{true, false} {
		created, err := through.Restore(ctx, exports)
		if err != nil {
			t.Fatalf("Restore = %v, want no error", err)
		}
		for i, d := range exports {
			if created[i] != want {
				t.Errorf("%s was created: %v, want %v", d.Organization.ID, created[i], want)
			}
			if same, err := store.Matches(ctx, direct, d); err != nil || !same {
				t.Errorf("Matches(%s) = %v, %v, want true", d.Organization.ID, same, err)
			}
		}
	}
	if proxy.left.Load() < 10 || proxy.transactions.Load() < 6 {
		t.Errorf("%d batches were left over and %d transactions made: nothing was shown", proxy.left.Load(), proxy.transactions.Load())
	}
	for _, d := range exports {
		if err := direct.Purge(ctx, d.Organization.ID); err != nil {
			t.Errorf("Purge(%s) = %v, want no error", d.Organization.ID, err)
		}
	}
}
