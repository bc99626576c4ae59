package dynamotest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
)

// Canned answers GetItem, UpdateItem and TransactWriteItems, each always in the same way: with the item, with a count of
// 1, and with success. It is an http.Handler and an http.RoundTripper, safe for concurrent use.
type Canned struct {
	Organization organization.Organization
	Key          apikey.Key // of the permission admin

	answers map[string]answer // by operation
}

// answer is a response that is ready to be sent.
type answer struct {
	body   []byte
	header http.Header
}

// Tables are names for a store on it; it answers for any.
func CannedTables() dynamo.Tables { return dynamo.TablesWithPrefix("canned") }

// NewCanned returns a DynamoDB with an organization of an everyday size: its item has about one kilobyte.
func NewCanned() (*Canned, error) {
	email := "billing@northwind.example"
	o := organization.New("Northwind Video", organization.Pro, &email, time.Now())
	o.NotificationsEmail = &email
	o.Metadata = organization.NewObject(`{"region":"eu","segments":["video","audio"],"contract":{"since":2024,"seats":25}}`)
	o.Override = organization.RateLimits{Search: 120}
	d := &Canned{Organization: o, Key: apikey.New(o.ID, apikey.Live)}
	item, err := d.stored()
	if err != nil {
		return nil, err
	}
	d.answers = map[string]answer{
		"GetItem":    newAnswer(`{"ConsumedCapacity":{"CapacityUnits":1.0,"TableName":"canned-organizations"},"Item":` + item + `}`),
		"UpdateItem": newAnswer(`{"Attributes":{"requests":{"N":"1"}},"ConsumedCapacity":{"CapacityUnits":1.0,"TableName":"canned-counters"}}`),
		"TransactWriteItems": newAnswer(
			`{"ConsumedCapacity":[{"CapacityUnits":4.0,"TableName":"canned-organizations","WriteCapacityUnits":4.0}]}`),
	}
	return d, nil
}

// stored returns the item that a store writes for the organization, from the request by which it does.
func (d *Canned) stored() (string, error) {
	recorder := &recorder{}
	s, err := dynamo.Open(dynamo.Settings{
		Region: "us-east-1", Credentials: dynamo.Credentials("canned", "canned", ""), Tables: CannedTables(), Transport: recorder,
	})
	if err != nil {
		return "", err
	}
	key := apikey.NewRecord(d.Key, apikey.Admin, d.Organization.CreatedAt, nil)
	created := store.Entry{ID: store.NewEntryID(d.Organization.CreatedAt), Action: store.Created, Actor: store.OperatorActor}
	if err := s.Create(context.Background(), d.Organization, key, created); err != nil {
		return "", fmt.Errorf("recording an item: %w", err)
	}
	var request struct {
		TransactItems []struct {
			Put struct{ Item json.RawMessage }
		}
	}
	if err := json.Unmarshal(recorder.body, &request); err != nil {
		return "", fmt.Errorf("reading the recorded item: %w", err)
	}
	if len(request.TransactItems) == 0 || len(request.TransactItems[0].Put.Item) == 0 {
		return "", errors.New("the store wrote no item")
	}
	return string(request.TransactItems[0].Put.Item), nil
}

// recorder keeps the body of a request and answers with success.
type recorder struct{ body []byte }

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	var err error
	if r.body, err = io.ReadAll(request.Body); err != nil {
		return nil, err
	}
	return newAnswer("{}").response(request), nil
}

// newAnswer gives a body the header that DynamoDB gives it.
func newAnswer(body string) answer {
	sum := crc32.ChecksumIEEE([]byte(body))
	return answer{body: []byte(body), header: http.Header{
		"Content-Type":     {"application/x-amz-json-1.0"},
		"Content-Length":   {strconv.Itoa(len(body))},
		"X-Amz-Crc32":      {strconv.FormatUint(uint64(sum), 10)},
		"X-Amzn-Requestid": {"CANNED0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"},
	}}
}

func (a answer) response(request *http.Request) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: request,
	}
}

// operation returns what a request asks for.
func (d *Canned) operation(r *http.Request) (answer, error) {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	a, ok := d.answers[name]
	if !ok {
		return answer{}, fmt.Errorf("there is no answer to %q", name)
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=") {
		return answer{}, errors.New("the request is not signed")
	}
	return a, nil
}

// RoundTrip answers without a network.
func (d *Canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	a, err := d.operation(r)
	if err != nil {
		return nil, err
	}
	return a.response(r), nil
}

// ServeHTTP answers over a network, and a GET as DynamoDB does: it is healthy.
func (d *Canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, "healthy: canned")
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	a, err := d.operation(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	_, _ = w.Write(a.body)
}

// Event returns an event for a function, such as those in the folder events, with the organization's key in it.
func (d *Canned) Event(recorded []byte) []byte {
	return bytes.Replace(recorded, []byte("YOUR_API_KEY"), []byte(d.Key.Reveal()), 1)
}
