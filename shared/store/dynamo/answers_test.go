package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// onBothClients runs a test of how the store reads DynamoDB's answers, with fastsdk and with the SDK's plain client.
func onBothClients(t *testing.T, test func(t *testing.T, open func(*dynamotest.Script) *dynamo.Store)) {
	for name, open := range map[string]func(dynamo.Settings) (*dynamo.Store, error){"fast": dynamo.Open, "plain": dynamo.OpenPlain} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, func(sent *dynamotest.Script) *dynamo.Store {
				settings := dynamotest.CannedSettings(sent)
				settings.AttemptTimeout = 50 * time.Millisecond
				s, err := open(settings)
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}

func canned(t *testing.T) *dynamotest.Canned {
	t.Helper()
	db, err := dynamotest.NewCanned()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// TestBrokenAnswers: a response that cannot be DynamoDB's is tried again, and then the store is unreachable.
func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	const whole = `{"Item":{},"Items":[],"ConsumedCapacity":{"CapacityUnits":1}}`
	onBothClients(t, func(t *testing.T, open func(*dynamotest.Script) *dynamo.Store) {
		var all sync.WaitGroup // they mostly wait
		defer all.Wait()
		for name, answer := range map[string]func() (*http.Response, error){
			"wrong checksum": func() (*http.Response, error) {
				return dynamotest.Response(200, whole, http.Header{"X-Amz-Crc32": {"1"}}), nil
			},
			"cut": func() (*http.Response, error) {
				r := dynamotest.Response(200, whole[:20], nil)
				r.ContentLength = int64(len(whole))
				return r, nil
			},
			"half of unknown length": func() (*http.Response, error) {
				r := dynamotest.Response(200, whole[:20], nil)
				r.ContentLength = -1
				return r, nil
			},
			"not JSON":      func() (*http.Response, error) { return dynamotest.Response(200, "<html>", nil), nil },
			"not an object": func() (*http.Response, error) { return dynamotest.Response(200, "[]", nil), nil },
			"bad capacity": func() (*http.Response, error) {
				return dynamotest.Response(200, `{"ConsumedCapacity":{"CapacityUnits":"x"}}`, nil), nil
			},
			"gone": func() (*http.Response, error) { return nil, errors.New("connection reset by peer") },
			"server failed": func() (*http.Response, error) {
				return dynamotest.Response(500, `{"__type":"x#InternalServerError"}`, nil), nil
			},
		} {
			for call, do := range map[string]func(*dynamo.Store) error{
				"Find": func(s *dynamo.Store) error {
					_, err := s.Find(t.Context(), organization.NewID(), [32]byte{})
					return err
				},
				"List": func(s *dynamo.Store) error { _, _, err := s.List(t.Context(), "", 10); return err },
				"Audit": func(s *dynamo.Store) error {
					_, _, err := s.Audit(t.Context(), organization.NewID(), "", 10)
					return err
				},
			} {
				sent := &dynamotest.Script{Answer: func(int, *http.Request) (*http.Response, error) { return answer() }}
				s := open(sent)
				all.Go(func() {
					if err := do(s); store.KindOf(err) != store.Unreachable || len(sent.Requests) != 3 {
						t.Errorf("%s: %s = %v after %d attempts, want Unreachable after 3", name, call, err, len(sent.Requests))
					}
				})
			}
		}
	})
}

// TestAttributesOfOtherTypes: an attribute that nobody reads may have any type. If an attribute that is read has a
// wrong type, the item is damaged. That is not an outage, because another try would return the same item.
func TestAttributesOfOtherTypes(t *testing.T) {
	t.Parallel()
	db := canned(t)
	hash := db.Key.Hash()
	onBothClients(t, func(t *testing.T, open func(*dynamotest.Script) *dynamo.Store) {
		for _, test := range []struct {
			name, attribute, value string
			fails                  bool
		}{
			{"added later, a list", "added_later", `{"L":[{"S":"a"}]}`, false},
			{"added later, bytes", "added_later", `{"B":"eA=="}`, false},
			{"added later, without a type", "added_later", `{}`, false},
			{"null", "organization_name", `{"NULL":true}`, true},
			{"a set", "organization_name", `{"SS":["a"]}`, true},
			{"without a type", "organization_name", `{}`, true},
			{"keys", "api_keys", `{"L":[]}`, true},
			{"a key", "api_keys", `{"M":{"` + hash.Hex() + `":{"NULL":true}}}`, true},
			{"of a key", "api_keys", `{"M":{"` + hash.Hex() + `":{"M":{"permission":{"NULL":true}}}}}`, true},
		} {
			sent := &dynamotest.Script{Answer: func(_ int, r *http.Request) (*http.Response, error) {
				return replaced(db, r, test.attribute, test.value)
			}}
			_, err := open(sent).Find(t.Context(), db.Organization.ID, hash)
			if test.fails != (err != nil) || store.KindOf(err) != store.Unknown || len(sent.Requests) != 1 {
				t.Errorf("%s: Find = %v after %d attempts, want an error: %v, of no kind, after 1", test.name, err, len(sent.Requests), test.fails)
			}
			if err != nil && strings.Contains(err.Error(), hash.Hex()) {
				t.Errorf("%s: Find = %v, which has the hash of a key", test.name, err)
			}
		}
	})
}

// replaced is the answer to a GetItem in which an attribute of the item has another value.
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
	return dynamotest.Response(http.StatusOK, string(text), nil), err
}

// inTurn gives each attempt its own answer: the body of a refusal, "" for a success, or lost.
func inTurn(db *dynamotest.Canned, answers ...string) *dynamotest.Script {
	return &dynamotest.Script{Answer: func(attempt int, r *http.Request) (*http.Response, error) {
		switch answer := answers[attempt-1]; answer {
		case lost:
			<-r.Context().Done()
			return nil, r.Context().Err()
		case "":
			return db.RoundTrip(r)
		default:
			return dynamotest.Response(400, answer, http.Header{"X-Amzn-Requestid": {"REQUEST1"}}), nil
		}
	}}
}

// Answers to an attempt.
const (
	lost      = "lost"
	throttled = `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slowly"}`
)

func cancelled(code string) string {
	return `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
		"CancellationReasons":[{"Code":"None"},{"Code":"` + code + `"}]}`
}

// TestAttempts: a read and a change are attempted three times. A count is attempted once, as a failed attempt may
// have counted. Each attempt that was throttled is in the usage, also if that is among the reasons why a transaction
// was cancelled.
func TestAttempts(t *testing.T) {
	t.Parallel()
	db := canned(t)
	find := func(ctx context.Context, s *dynamo.Store) error {
		_, err := s.Find(ctx, db.Organization.ID, db.Key.Hash())
		return err
	}
	update := func(ctx context.Context, s *dynamo.Store) error {
		after, _ := db.Organization.Apply(organization.Patch{Name: organization.Set("B")}, time.Now())
		return s.Update(ctx, store.Update{Before: db.Organization, After: after, Audit: store.Entry{ID: "x"}})
	}
	count := func(ctx context.Context, s *dynamo.Store) error {
		_, err := s.Count(ctx, db.Organization.ID, organization.Metadata, time.Now(), 1)
		return err
	}
	note := func(ctx context.Context, s *dynamo.Store) error {
		return s.NoteUse(ctx, db.Organization.ID, "key_1", time.Now())
	}
	busy, full, wrong := cancelled("ThrottlingError"), cancelled("ProvisionedThroughputExceeded"), cancelled("ValidationError")
	onBothClients(t, func(t *testing.T, open func(*dynamotest.Script) *dynamo.Store) {
		for _, test := range []struct {
			name    string
			do      func(context.Context, *dynamo.Store) error
			answers []string
			kind    store.Kind
			usage   store.Usage
		}{
			{"Find", find, []string{throttled, throttled, throttled}, store.Throttled, store.Usage{Calls: 1, Throttles: 3}},
			{"Find after an attempt that took too long", find, []string{lost, ""}, store.Unknown, store.Usage{Calls: 1, ReadUnits: 1}},
			{"Count", count, []string{throttled}, store.Throttled, store.Usage{Calls: 1, Throttles: 1}},
			{"Count that took too long", count, []string{lost}, store.Unreachable, store.Usage{Calls: 1}},
			{"NoteUse", note, []string{throttled}, store.Throttled, store.Usage{Calls: 1, Throttles: 1}},
			{"Update", update, []string{busy, full, busy}, store.Throttled, store.Usage{Calls: 1, Throttles: 3}},
			{"Update in the end", update, []string{busy, full, ""}, store.Unknown, store.Usage{Calls: 1, WriteUnits: 4, Throttles: 2}},
			{"Update that is refused", update, []string{wrong}, store.Unknown, store.Usage{Calls: 1}},
			{"Update that is refused when it may have been made", update, []string{lost, wrong}, store.Unreachable, store.Usage{Calls: 1}},
		} {
			sent := inTurn(db, test.answers...)
			ctx, meter := store.WithMeter(t.Context())
			err := test.do(ctx, open(sent))
			succeeds := test.answers[len(test.answers)-1] == ""
			if store.KindOf(err) != test.kind || succeeds != (err == nil) || len(sent.Requests) != len(test.answers) {
				t.Errorf("%s = %v after %d attempts, want the kind %q after %d", test.name, err, len(sent.Requests), test.kind, len(test.answers))
			}
			if got := meter.Sum(); got != test.usage {
				t.Errorf("usage of %s = %+v, want %+v", test.name, got, test.usage)
			}
			if test.answers[0] == throttled && !strings.Contains(err.Error(), "REQUEST1") {
				t.Errorf("%s = %v, want DynamoDB's request id in it", test.name, err)
			}
		}
	})
}

// TestAnswersOfOthers: an answer that has the data of another organization, or another key, is an error of no kind,
// and nothing is written because of it. Whoever believed it would serve one tenant the record of another.
func TestAnswersOfOthers(t *testing.T) {
	t.Parallel()
	db := canned(t)
	theirs, other := db.Organization, organization.NewID()
	item := func(partition, sort string) string {
		return `{"PK":{"S":"` + partition + string(theirs.ID) + `"},"SK":{"S":"` + sort + `"}}`
	}
	entryOf := `{"Items":[` + item("ORG#", "AUDIT#2026-01-05T09:30:15.000000Z-00000000") + `]}`
	left := func(operation string) string {
		return `{"UnprocessedItems":{"canned-organizations":[{"` + operation + `Request":{"Key":` +
			item("ORG#", "AUDIT#2026-01-05T09:30:15.000000Z-00000000") + `}}]}}`
	}
	ours := organization.New("Northwind Video", organization.Pro, nil, time.Now())
	ours.ID = other
	export := store.Export{Organization: ours, Trail: store.Entries(entry())}
	update := func(ctx context.Context, s *dynamo.Store) error {
		after, _ := ours.Apply(organization.Patch{Name: organization.Set("B")}, time.Now())
		return s.Update(ctx, store.Update{Before: ours, After: after, Audit: entry()})
	}
	trailOf := func(ctx context.Context, s *dynamo.Store) error {
		e, err := s.Export(ctx, theirs.ID)
		if err != nil {
			return nil // the trail is what is asked for here
		}
		for _, err := range e.Trail {
			if err != nil {
				return err
			}
		}
		return nil
	}
	restore := func(ctx context.Context, s *dynamo.Store) error {
		_, err := s.Restore(ctx, []store.Export{export})
		return err
	}
	onBothClients(t, func(t *testing.T, open func(*dynamotest.Script) *dynamo.Store) {
		for name, test := range map[string]struct {
			do      func(context.Context, *dynamo.Store) error
			answers map[string]string // by operation, in the place of the canned ones
		}{
			"Find": {do: func(ctx context.Context, s *dynamo.Store) error {
				_, err := s.Find(ctx, other, db.Key.Hash())
				return err
			}},
			"Find of another key": {do: func(ctx context.Context, s *dynamo.Store) error {
				_, err := s.Find(ctx, theirs.ID, apikey.Hash{})
				return err
			}},
			"Get": {do: func(ctx context.Context, s *dynamo.Store) error { _, _, err := s.Get(ctx, other); return err }},
			"HasChange": {do: func(ctx context.Context, s *dynamo.Store) error {
				_, err := s.HasChange(ctx, other, "once")
				return err
			}},
			"RevokeKey": {do: func(ctx context.Context, s *dynamo.Store) error {
				return s.RevokeKey(ctx, other, "key_1", time.Now(), entry())
			}},
			"Export": {do: func(ctx context.Context, s *dynamo.Store) error { _, err := s.Export(ctx, other); return err }},
			"trail of an export": {trailOf, map[string]string{
				"Query": `{"Items":[{"PK":{"S":"ORG#` + string(other) + `"},"SK":{"S":"AUDIT#x"}}]}`,
			}},
			"Audit": {func(ctx context.Context, s *dynamo.Store) error {
				_, _, err := s.Audit(ctx, other, "", 10)
				return err
			}, map[string]string{"Query": entryOf}},
			"KeyUses": {func(ctx context.Context, s *dynamo.Store) error {
				_, err := s.KeyUses(ctx, other)
				return err
			}, map[string]string{"Query": `{"Items":[` + item("USE#", "key_1") + `]}`}},
			"Purge": {func(ctx context.Context, s *dynamo.Store) error { return s.Purge(ctx, other) },
				map[string]string{"Query": entryOf, "TransactWriteItems": `{}`}},
			"Update, refused": {update, map[string]string{
				"TransactWriteItems": `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
					"CancellationReasons":[{"Code":"ConditionalCheckFailed","Item":` + item("ORG#", "ORG") + `},{"Code":"None"}]}`,
			}},
			"Restore, present": {restore, map[string]string{
				"BatchGetItem": `{"Responses":{"canned-organizations":[` + item("ORG#", "ORG") + `]}}`,
			}},
			"Restore, unprocessed reads": {restore, map[string]string{
				"BatchGetItem": `{"UnprocessedKeys":{"canned-organizations":{"Keys":[` + item("ORG#", "ORG") + `]}}}`,
			}},
			"Restore, unprocessed writes": {restore, map[string]string{
				"BatchGetItem": `{"Responses":{}}`, "BatchWriteItem": left("Delete"),
			}},
		} {
			sent := &dynamotest.Script{Answer: func(_ int, r *http.Request) (*http.Response, error) {
				_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
				body, ok := test.answers[operation]
				switch {
				case strings.Contains(body, "__type"):
					return dynamotest.Response(400, body, nil), nil
				case ok:
					return dynamotest.Response(200, body, nil), nil
				default:
					return db.RoundTrip(r)
				}
			}}
			err := test.do(t.Context(), open(sent))
			if !errors.Is(err, store.ErrNotAsked) || store.KindOf(err) != store.Unknown {
				t.Errorf("%s, answered with the data of another = %v, want ErrNotAsked, of no kind", name, err)
			}
			for i, r := range sent.Requests {
				target := r.Header.Get("X-Amz-Target")
				if strings.HasSuffix(target, "DeleteItem") || strings.Contains(string(sent.Bodies[i]), string(theirs.ID)) &&
					strings.Contains(target, "Write") {
					t.Errorf("%s, answered with the data of another, makes the call %s %s", name, target, sent.Bodies[i])
				}
			}
			if err != nil && strings.Contains(err.Error(), db.Key.Hash().Hex()) {
				t.Errorf("%s = %v, which has the hash of a key", name, err)
			}
		}
	})
}
