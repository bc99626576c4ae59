package dynamo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// tripper answers requests and keeps them, with their bodies.
type tripper struct {
	answer   func(attempt int, r *http.Request) (*http.Response, error)
	requests []*http.Request
	bodies   [][]byte
}

func (f *tripper) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	f.requests, f.bodies = append(f.requests, r), append(f.bodies, body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return f.answer(len(f.requests), r)
}

func storeOn(t *testing.T, transport http.RoundTripper, endpoint string) *dynamo.Store {
	t.Helper()
	s, err := dynamo.Open(dynamo.Settings{
		Region: "eu-central-1", Endpoint: endpoint, Credentials: dynamo.Credentials("AKIDEXAMPLE", "secret", "token"),
		Tables: dynamotest.CannedTables(), Transport: transport, AttemptTimeout: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func response(status int, body string, header http.Header) *http.Response {
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// TestRequestsAreSigned signs each request again, from what was sent, and demands the same signature: nothing of it is
// left unsigned, and the endpoint is the one that was asked for.
func TestRequestsAreSigned(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"":                              "https://dynamodb.eu-central-1.amazonaws.com/",
		"http://127.0.0.1:8000":         "http://127.0.0.1:8000/",
		"https://proxy.example/prefix/": "https://proxy.example/prefix/",
	} {
		db, err := dynamotest.NewCanned()
		if err != nil {
			t.Fatal(err)
		}
		sent := &tripper{answer: func(_ int, r *http.Request) (*http.Response, error) { return db.RoundTrip(r) }}
		s := storeOn(t, sent, endpoint)
		if _, err := s.Find(t.Context(), db.Organization.ID, db.Key.Hash()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Count(t.Context(), db.Organization.ID, organization.Metadata, time.Now()); err != nil {
			t.Fatal(err)
		}
		after, changes := db.Organization.Apply(organization.Patch{Name: organization.Set("B")}, time.Now())
		if err := s.Update(t.Context(), store.Update{
			Before: db.Organization, After: after, Audit: store.Entry{ID: "x", Action: store.Updated, Changes: changes},
		}); err != nil {
			t.Fatal(err)
		}
		for i, r := range sent.requests {
			if got := r.URL.String(); got != want {
				t.Errorf("a request goes to %s, want %s", got, want)
			}
			checkSignature(t, r, sent.bodies[i])
		}
	}
}

func checkSignature(t *testing.T, r *http.Request, body []byte) {
	t.Helper()
	got := r.Header.Get("Authorization")
	again := r.Clone(context.Background())
	again.Header.Del("Authorization")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("X-Amz-Date = %v, %v, want now", at, err)
	}
	credentials := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "token"}
	hash := fmt.Sprintf("%x", sha256.Sum256(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, again, hash, "dynamodb", "eu-central-1", at); err != nil {
		t.Fatal(err)
	}
	if want := again.Header.Get("Authorization"); got != want {
		t.Errorf("Authorization = %s, want %s", got, want)
	}
	for _, header := range []string{"content-type", "x-amz-target", "x-amz-security-token", "host", "content-length"} {
		if !strings.Contains(got, header) {
			t.Errorf("the signature %s is not over %s", got, header)
		}
	}
}

// TestBrokenAnswers: what cannot be an answer of DynamoDB is tried again, and then the store is unreachable.
func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	const whole = `{"Item":{},"ConsumedCapacity":{"CapacityUnits":1}}`
	wrongSum := http.Header{"X-Amz-Crc32": {strconv.Itoa(int(crc32.ChecksumIEEE([]byte("other"))))}}
	for name, answer := range map[string]func() (*http.Response, error){
		"wrong checksum": func() (*http.Response, error) { return response(200, whole, wrongSum), nil },
		"broke off": func() (*http.Response, error) {
			r := response(200, whole[:20], nil)
			r.ContentLength = int64(len(whole))
			return r, nil
		},
		"half of unknown length": func() (*http.Response, error) {
			r := response(200, whole[:20], nil)
			r.ContentLength = -1
			return r, nil
		},
		"no JSON":   func() (*http.Response, error) { return response(200, "<html>", nil), nil },
		"no object": func() (*http.Response, error) { return response(200, "[]", nil), nil },
		"no capacity": func() (*http.Response, error) {
			return response(200, `{"ConsumedCapacity":{"CapacityUnits":"x"}}`, nil), nil
		},
		"gone":          func() (*http.Response, error) { return nil, errors.New("connection reset by peer") },
		"server failed": func() (*http.Response, error) { return response(500, `{"__type":"x#InternalServerError"}`, nil), nil },
	} {
		sent := &tripper{answer: func(int, *http.Request) (*http.Response, error) { return answer() }}
		_, err := storeOn(t, sent, "").Find(t.Context(), organization.NewID(), [32]byte{})
		if store.KindOf(err) != store.Unreachable {
			t.Errorf("%s: Find = %v, want Unreachable", name, err)
		}
	}
}

// TestAttributesOfOtherTypes: an attribute that nobody reads may be anything. One that is read and is not what it should be is
// no outage: the item is damaged, and asking again gives the same.
func TestAttributesOfOtherTypes(t *testing.T) {
	t.Parallel()
	db, err := dynamotest.NewCanned()
	if err != nil {
		t.Fatal(err)
	}
	hash := db.Key.Hash()
	for _, test := range []struct {
		name, attribute, value string
		fails                  bool
	}{
		{"added later, a list", "added_later", `{"L":[{"S":"a"}]}`, false},
		{"added later, bytes", "added_later", `{"B":"eA=="}`, false},
		{"added later, of no type", "added_later", `{}`, false},
		{"null", "organization_name", `{"NULL":true}`, true},
		{"a set", "organization_name", `{"SS":["a"]}`, true},
		{"no type", "organization_name", `{}`, true},
		{"keys", "api_keys", `{"L":[]}`, true},
		{"a key", "api_keys", `{"M":{"` + hash.Hex() + `":{"NULL":true}}}`, true},
		{"of a key", "api_keys", `{"M":{"` + hash.Hex() + `":{"M":{"permission":{"NULL":true}}}}}`, true},
	} {
		sent := &tripper{answer: func(_ int, r *http.Request) (*http.Response, error) {
			return replaced(db, r, test.attribute, test.value)
		}}
		_, err := storeOn(t, sent, "").Find(t.Context(), db.Organization.ID, hash)
		if test.fails != (err != nil) || store.KindOf(err) != store.Unknown || len(sent.requests) != 1 {
			t.Errorf("%s: Find = %v after %d attempts, want an error: %v, of no kind, after 1", test.name, err, len(sent.requests), test.fails)
		}
		if err != nil && strings.Contains(err.Error(), hash.Hex()) {
			t.Errorf("%s: Find = %v, which has the hash of a key", test.name, err)
		}
	}
}

// replaced is the answer to a GetItem with another attribute in the item, in the place of one of that name.
func replaced(db *dynamotest.Canned, r *http.Request, attribute, value string) (*http.Response, error) {
	answer, err := db.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	var body map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return nil, err
	}
	body["Item"].(map[string]any)[attribute] = json.RawMessage(value)
	text, err := json.Marshal(body)
	return response(http.StatusOK, string(text), nil), err
}

// TestAttempts: a read is tried three times, and a count once, as it may have been counted.
func TestAttempts(t *testing.T) {
	t.Parallel()
	throttled := func(int, *http.Request) (*http.Response, error) {
		return response(400, `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slowly"}`,
			http.Header{"X-Amzn-Requestid": {"REQUEST1"}}), nil
	}
	reading, counting := &tripper{answer: throttled}, &tripper{answer: throttled}
	ctx, usage := store.WithUsage(t.Context())
	_, err := storeOn(t, reading, "").Find(ctx, organization.NewID(), [32]byte{})
	if store.KindOf(err) != store.Throttled || !strings.Contains(err.Error(), "REQUEST1") || len(reading.requests) != 3 {
		t.Errorf("Find = %v after %d attempts, want Throttled with DynamoDB's request id after 3", err, len(reading.requests))
	}
	if want := (store.Usage{Calls: 1, Throttles: 3}); *usage != want {
		t.Errorf("usage of Find = %+v, want %+v", *usage, want)
	}
	ctx, usage = store.WithUsage(t.Context())
	_, err = storeOn(t, counting, "").Count(ctx, organization.NewID(), organization.Metadata, time.Now())
	if store.KindOf(err) != store.Throttled || len(counting.requests) != 1 {
		t.Errorf("Count = %v after %d attempts, want Throttled after 1", err, len(counting.requests))
	}
	if want := (store.Usage{Calls: 1, Throttles: 1}); *usage != want {
		t.Errorf("usage of Count = %+v, want %+v", *usage, want)
	}
}

// TestThrottledTransaction: that one of its items is asked for too much is among the reasons of a transaction's refusal.
func TestThrottledTransaction(t *testing.T) {
	t.Parallel()
	db, err := dynamotest.NewCanned()
	if err != nil {
		t.Fatal(err)
	}
	sent := &tripper{answer: func(int, *http.Request) (*http.Response, error) {
		return response(400, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
			"CancellationReasons":[{"Code":"None"},{"Code":"ThrottlingError"}]}`, nil), nil
	}}
	after, _ := db.Organization.Apply(organization.Patch{Name: organization.Set("B")}, time.Now())
	ctx, usage := store.WithUsage(t.Context())
	err = storeOn(t, sent, "").Update(ctx, store.Update{Before: db.Organization, After: after, Audit: store.Entry{ID: "x"}})
	if want := (store.Usage{Calls: 1, Throttles: len(sent.requests)}); store.KindOf(err) != store.Throttled || *usage != want {
		t.Errorf("Update = %v with %+v after %d attempts, want Throttled with %+v", err, *usage, len(sent.requests), want)
	}
}

// TestAttemptsAreBounded: an attempt that takes too long ends, and another follows.
func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	db, err := dynamotest.NewCanned()
	if err != nil {
		t.Fatal(err)
	}
	sent := &tripper{answer: func(attempt int, r *http.Request) (*http.Response, error) {
		if attempt == 1 {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		return db.RoundTrip(r)
	}}
	ctx, usage := store.WithUsage(t.Context())
	found, err := storeOn(t, sent, "").Find(ctx, db.Organization.ID, db.Key.Hash())
	if err != nil || found.Key == nil || len(sent.requests) != 2 || *usage != (store.Usage{Calls: 1, ReadUnits: 1}) {
		t.Errorf("Find = %+v, %v after %d attempts with %+v, want the organization after 2", found, err, len(sent.requests), *usage)
	}
}

// TestTokenStaysTheSame: attempts of one transaction are one transaction.
func TestTokenStaysTheSame(t *testing.T) {
	t.Parallel()
	db, err := dynamotest.NewCanned()
	if err != nil {
		t.Fatal(err)
	}
	sent := &tripper{answer: func(attempt int, r *http.Request) (*http.Response, error) {
		if attempt == 1 {
			return nil, errors.New("connection reset by peer")
		}
		return db.RoundTrip(r)
	}}
	after, _ := db.Organization.Apply(organization.Patch{Name: organization.Set("B")}, time.Now())
	err = storeOn(t, sent, "").Update(t.Context(), store.Update{Before: db.Organization, After: after, Audit: store.Entry{ID: "x"}})
	if err != nil || len(sent.bodies) != 2 || !bytes.Equal(sent.bodies[0], sent.bodies[1]) || !bytes.Contains(sent.bodies[0], []byte("ClientRequestToken")) {
		t.Errorf("Update = %v with the requests %s, want two of one token", err, bytes.Join(sent.bodies, []byte("\n")))
	}
}
