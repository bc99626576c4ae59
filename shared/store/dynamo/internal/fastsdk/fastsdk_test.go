package fastsdk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/store/dynamo/internal/fastsdk"
)

// client is what both clients are.
type client interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	TransactWriteItems(
		context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
	) (*dynamodb.TransactWriteItemsOutput, error)
}

var credentials = aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "token"}

// settings are options of the SDK's client. Attempts have 50 ms, and follow each other at once.
func settings() dynamodb.Options {
	return dynamodb.Options{
		Region:      "eu-central-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil }),
		Retryer:     retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond }),
	}
}

// newClients returns the plain client and the fast one, both with the options and on the transport.
func newClients(options dynamodb.Options, transport http.RoundTripper) (plain, fast client) {
	h := fastsdk.NewHTTPClient(transport, 50*time.Millisecond)
	options.HTTPClient = h
	sdk := dynamodb.New(options)
	return sdk, fastsdk.New(sdk, h)
}

// The calls that tests make.
func getItem(ctx context.Context, c client) (any, error) {
	return c.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String("T"), Key: map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "a"}},
	})
}

func updateItem(ctx context.Context, c client) (any, error) {
	return c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String("T"), Key: map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "a"}},
		UpdateExpression: aws.String("ADD n :n"),
	})
}

func transact(ctx context.Context, c client) (any, error) {
	return c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: aws.String("T"), Item: map[string]types.AttributeValue{}}},
	}})
}

var calls = map[string]func(context.Context, client) (any, error){
	"GetItem": getItem, "UpdateItem": updateItem, "TransactWriteItems": transact,
}

// outcome is what a caller can see of a call.
type outcome struct {
	Result   string
	Units    float64
	Attempts int

	Code, Message, RequestID string // of an error that DynamoDB returned
	Status                   int
	Refusal                  string // the item of a condition that failed, or the reasons of a cancelled transaction

	Invalid, Unsent, Unread, Canceled bool // which error it is, if DynamoDB returned none
	Operation                         string
}

func outcomeOf(result any, err error, attempts int) outcome {
	o := outcome{Attempts: attempts}
	if err == nil {
		o.Result, o.Units = show(result)
		return o
	}
	var (
		api       smithy.APIError
		response  interface{ HTTPStatusCode() int }
		requestID interface{ ServiceRequestID() string }
		condition *types.ConditionalCheckFailedException
		cancelled *types.TransactionCanceledException
		invalid   smithy.InvalidParamsError
		unsent    *smithyhttp.RequestSendError
		unread    *smithy.DeserializationError
		canceled  *smithy.CanceledError
		operation *smithy.OperationError
	)
	if errors.As(err, &api) {
		o.Code, o.Message = api.ErrorCode(), api.ErrorMessage()
	}
	if errors.As(err, &response) {
		o.Status = response.HTTPStatusCode()
	}
	if errors.As(err, &requestID) {
		o.RequestID = requestID.ServiceRequestID()
	}
	if errors.As(err, &condition) {
		o.Refusal = showItem(condition.Item)
	}
	if errors.As(err, &cancelled) {
		for _, reason := range cancelled.CancellationReasons {
			o.Refusal += aws.ToString(reason.Code) + showItem(reason.Item)
		}
	}
	o.Invalid, o.Unsent = errors.As(err, &invalid), errors.As(err, &unsent)
	o.Unread, o.Canceled = errors.As(err, &unread), errors.As(err, &canceled)
	if errors.As(err, &operation) {
		o.Operation = operation.Service() + " " + operation.Operation()
	}
	return o
}

// show returns the item, or the attributes, of a result and the units that it consumed.
func show(result any) (item string, consumed float64) {
	var capacity []types.ConsumedCapacity
	switch out := result.(type) {
	case *dynamodb.GetItemOutput:
		item = showItem(out.Item)
		if out.ConsumedCapacity != nil {
			capacity = []types.ConsumedCapacity{*out.ConsumedCapacity}
		}
	case *dynamodb.UpdateItemOutput:
		item = showItem(out.Attributes)
		if out.ConsumedCapacity != nil {
			capacity = []types.ConsumedCapacity{*out.ConsumedCapacity}
		}
	case *dynamodb.TransactWriteItemsOutput:
		capacity = out.ConsumedCapacity
	}
	for _, table := range capacity {
		consumed += *table.CapacityUnits
	}
	return item, consumed
}

func showItem(item map[string]types.AttributeValue) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(item)) {
		switch value := item[name].(type) {
		case *types.AttributeValueMemberM:
			fmt.Fprintf(&b, "%s:{%s} ", name, showItem(value.Value))
		case *types.AttributeValueMemberS, *types.AttributeValueMemberN, *types.AttributeValueMemberBOOL:
			fmt.Fprintf(&b, "%s:%T:%+v ", name, value, value)
		default:
			fmt.Fprintf(&b, "%s:another type ", name)
		}
	}
	return b.String()
}

// endless is a body that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
func (endless) Close() error               { return nil }

// success is what DynamoDB answers to a call, with the item and the capacity as JSON.
func success(call, item, capacity string) string {
	switch call {
	case "GetItem":
		return `{"Item":` + item + `,"ConsumedCapacity":` + capacity + `}`
	case "UpdateItem":
		return `{"Attributes":` + item + `,"ConsumedCapacity":` + capacity + `}`
	default:
		return `{"ConsumedCapacity":[` + capacity + `,` + capacity + `]}`
	}
}

// TestAsThePlainClient compares the two clients: same responses, same outcome, for each of the three calls.
func TestAsThePlainClient(t *testing.T) {
	t.Parallel()
	for call, do := range calls {
		whole := success(call, `{"a":{"S":"x"}}`, `{"CapacityUnits":1}`)
		respond := func(status int, body string, header http.Header) func(int) (*http.Response, error) {
			return func(int) (*http.Response, error) { return dynamotest.Response(status, body, header), nil }
		}
		refuse := func(code, more string) func(int) (*http.Response, error) {
			body := `{"__type":"com.amazonaws.dynamodb.v20120810#` + code + `","message":"no"` + more + `}`
			return respond(400, body, http.Header{"X-Amzn-Requestid": {"REQUEST1"}})
		}
		lost := func(int) (*http.Response, error) { return nil, errors.New("connection reset by peer") }
		tooLong := func(length int64) func(int) (*http.Response, error) {
			return func(int) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: endless{}, ContentLength: length}, nil
			}
		}
		for name, answer := range map[string]func(attempt int) (*http.Response, error){
			"whole":        respond(200, whole, nil),
			"nothing":      respond(200, `{}`, nil),
			"new members":  respond(200, `{"Later":[{"a":1}],`+whole[1:], nil),
			"all types":    respond(200, success(call, allTypes, `{"TableName":"T","CapacityUnits":2.5}`), nil),
			"bad capacity": respond(200, success(call, `{}`, `{"CapacityUnits":"x"}`), nil),

			"not JSON":                      respond(200, `<html>`, nil),
			"not an object":                 respond(200, `[]`, nil),
			"half":                          respond(200, whole[:20], nil),
			"cut":                           cut(whole),
			"too long":                      tooLong(-1),
			"said to be too long":           tooLong(math.MaxInt64),
			"wrong checksum":                respond(200, whole, http.Header{"X-Amz-Crc32": {"1"}}),
			"refusal with a wrong checksum": respond(400, `{"__type":"ValidationException"}`, http.Header{"X-Amz-Crc32": {"1"}}),
			"page of a server":              respond(503, `<html>`, nil),
			"server error":                  respond(500, `{"__type":"x#InternalServerError"}`, nil),
			"connection lost":               lost,

			"throttled":   refuse("ThrottlingException", ""),
			"invalid":     refuse("ValidationException", ""),
			"no table":    refuse("ResourceNotFoundException", ""),
			"not allowed": refuse("AccessDeniedException", ""),
			"signature":   refuse("InvalidSignatureException", ""), // and the clock is right
			"condition":   refuse("ConditionalCheckFailedException", `,"Item":{"a":{"S":"x"}}`),
			"cancelled": refuse("TransactionCanceledException",
				`,"CancellationReasons":[{"Code":"ConditionalCheckFailed","Item":{"a":{"N":"1"}}},{"Code":"None"}]`),
			"new code":        refuse("FromTomorrowException", ""),
			"once lost":       inTurn(lost, respond(200, whole, nil)),
			"once cut":        inTurn(cut(whole), respond(200, whole, nil)),
			"twice throttled": inTurn(refuse("ThrottlingException", ""), refuse("RequestLimitExceeded", ""), respond(200, whole, nil)),
		} {
			var outcomes []outcome
			for i := range 2 {
				sent := &dynamotest.Script{Answer: func(attempt int, _ *http.Request) (*http.Response, error) { return answer(attempt) }}
				plain, fast := newClients(settings(), sent)
				result, err := do(t.Context(), []client{plain, fast}[i])
				outcomes = append(outcomes, outcomeOf(result, err, len(sent.Requests)))
			}
			if diff := cmp.Diff(outcomes[0], outcomes[1]); diff != "" {
				t.Errorf("%s, %s (-plain +fast):\n%s", call, name, diff)
			}
		}
	}
}

// allTypes is an item with attributes of all types.
const allTypes = `{"s":{"S":"é\u00e9\n"},"n":{"N":"-12"},"b":{"BOOL":true},"c":{"BOOL":false},"m":{"M":{"s":{"S":""},"m":{"M":{}}}},
	"l":{"L":[{"S":"a"}]},"null":{"NULL":true},"set":{"SS":["a"]},"numbers":{"NS":["1"]},"bytes":{"B":"eA=="}}`

// cut is a response that breaks off.
func cut(whole string) func(int) (*http.Response, error) {
	return func(int) (*http.Response, error) {
		r := dynamotest.Response(200, whole[:20], nil)
		r.ContentLength = int64(len(whole))
		return r, nil
	}
}

// inTurn gives each attempt its own answer.
func inTurn(answers ...func(int) (*http.Response, error)) func(int) (*http.Response, error) {
	return func(attempt int) (*http.Response, error) { return answers[attempt-1](attempt) }
}

// TestEndsEarly compares calls that come to no response: both clients return the same kind of error.
func TestEndsEarly(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	refusing := settings()
	refusing.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("signed out")
	})
	hang := func(_ int, r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	for name, test := range map[string]struct {
		ctx     context.Context
		options dynamodb.Options
		do      func(context.Context, client) (any, error)
	}{
		"hanging":        {t.Context(), settings(), getItem},
		"cancelled":      {cancelled, settings(), getItem},
		"no credentials": {t.Context(), refusing, getItem},
		"invalid input": {t.Context(), settings(), func(ctx context.Context, c client) (any, error) {
			return c.GetItem(ctx, &dynamodb.GetItemInput{})
		}},
	} {
		var outcomes []outcome
		for i := range 2 {
			sent := &dynamotest.Script{Answer: hang}
			plain, fast := newClients(test.options, sent)
			result, err := test.do(test.ctx, []client{plain, fast}[i])
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			outcomes = append(outcomes, outcomeOf(result, err, len(sent.Requests)))
		}
		if diff := cmp.Diff(outcomes[0], outcomes[1]); diff != "" {
			t.Errorf("%s (-plain +fast):\n%s", name, diff)
		}
	}
}

// TestRequestsAreSigned signs each request again, from what was sent, and wants the same signature. So no part of the
// request is left unsigned, and the endpoint is the one that was asked for.
func TestRequestsAreSigned(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"":                              "https://dynamodb.eu-central-1.amazonaws.com/",
		"http://127.0.0.1:8000":         "http://127.0.0.1:8000/",
		"https://proxy.example/prefix/": "https://proxy.example/prefix/",
	} {
		options := settings()
		if endpoint != "" {
			options.BaseEndpoint = &endpoint
		}
		for name, do := range calls {
			sent := &dynamotest.Script{Answer: func(int, *http.Request) (*http.Response, error) {
				return dynamotest.Response(200, "{}", nil), nil
			}}
			_, fast := newClients(options, sent)
			if _, err := do(t.Context(), fast); err != nil {
				t.Fatal(err)
			}
			r := sent.Requests[0]
			if got := r.URL.String(); got != want {
				t.Errorf("%s goes to %s, want %s", name, got, want)
			}
			if target := r.Header.Get("X-Amz-Target"); target != "DynamoDB_20120810."+name {
				t.Errorf("X-Amz-Target of %s = %s", name, target)
			}
			checkSignature(t, r, sent.Bodies[0])
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

// TestTokenStaysTheSame: all attempts of a transaction have one token, and another transaction has another.
func TestTokenStaysTheSame(t *testing.T) {
	t.Parallel()
	sent := &dynamotest.Script{Answer: func(attempt int, _ *http.Request) (*http.Response, error) {
		if attempt == 1 {
			return nil, errors.New("connection reset by peer")
		}
		return dynamotest.Response(200, "{}", nil), nil
	}}
	_, fast := newClients(settings(), sent)
	for range 2 {
		if _, err := transact(t.Context(), fast); err != nil {
			t.Fatal(err)
		}
	}
	first, second, third := sent.Bodies[0], sent.Bodies[1], sent.Bodies[2]
	if !bytes.Contains(first, []byte("ClientRequestToken")) || !bytes.Equal(first, second) || bytes.Equal(second, third) {
		t.Errorf("the requests are %s, want two with one token and a third with another", bytes.Join(sent.Bodies, []byte("\n")))
	}
}

// skewed is a transport to a DynamoDB whose clock is ahead of ours. It refuses a signature that is five minutes off.
type skewed struct {
	ahead    time.Duration
	requests int
}

func (s *skewed) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests++
	_, _ = io.Copy(io.Discard, r.Body)
	now := time.Now().Add(s.ahead)
	header := http.Header{"Date": {now.UTC().Format(http.TimeFormat)}}
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || now.Sub(signed).Abs() > 5*time.Minute {
		return dynamotest.Response(400, `{"__type":"InvalidSignatureException","message":"Signature expired"}`, header), nil
	}
	return dynamotest.Response(200, "{}", header), nil
}

// TestClock: a call whose signature is refused because the clocks differ is tried again with the server's time, and later
// calls are signed with that time at once, by the plain client and by ours.
func TestClock(t *testing.T) {
	t.Parallel()
	for i, name := range []string{"plain", "fast"} {
		server := &skewed{}
		plain, fast := newClients(settings(), server)
		c := []client{plain, fast}[i]
		for _, test := range []struct {
			ahead    time.Duration
			call     string
			attempts int
		}{
			{0, "GetItem", 1},
			{time.Hour, "GetItem", 2},
			{time.Hour, "GetItem", 1},
			{time.Hour, "UpdateItem", 1},
			{time.Hour, "TransactWriteItems", 1},
			{-10 * time.Minute, "TransactWriteItems", 2}, // somebody sets a clock
			{-10 * time.Minute, "GetItem", 1},
			{0, "UpdateItem", 2}, // and sets it right
			{0, "GetItem", 1},
		} {
			server.ahead, server.requests = test.ahead, 0
			if _, err := calls[test.call](t.Context(), c); err != nil || server.requests != test.attempts {
				t.Errorf("%s, %s with a clock that is %v ahead = %v after %d attempts, want %d and no error",
					name, test.call, test.ahead, err, server.requests, test.attempts)
			}
		}
	}
}

// TestClockOfOneAttempt: a client without retries learns the server's time from a client with the same HTTPClient.
func TestClockOfOneAttempt(t *testing.T) {
	t.Parallel()
	server := &skewed{ahead: time.Hour}
	h := fastsdk.NewHTTPClient(server, time.Second)
	options := settings()
	options.HTTPClient = h
	retrying := fastsdk.New(dynamodb.New(options), h)
	options.Retryer = aws.NopRetryer{}
	once := fastsdk.New(dynamodb.New(options), h)
	if _, err := updateItem(t.Context(), once); err == nil || server.requests != 1 {
		t.Errorf("UpdateItem = %v after %d attempts, want an error after 1", err, server.requests)
	}
	if _, err := updateItem(t.Context(), once); err != nil {
		t.Errorf("UpdateItem after a refusal = %v, want no error", err)
	}
	server.ahead = -time.Hour
	if _, err := getItem(t.Context(), retrying); err != nil {
		t.Error(err)
	}
	if _, err := updateItem(t.Context(), once); err != nil {
		t.Errorf("UpdateItem after a GetItem = %v, want no error", err)
	}
}

// TestOptionsOfACall: a call with options of its own obeys them.
func TestOptionsOfACall(t *testing.T) {
	t.Parallel()
	sent := &dynamotest.Script{Answer: func(int, *http.Request) (*http.Response, error) {
		return dynamotest.Response(200, "{}", nil), nil
	}}
	_, fast := newClients(settings(), sent)
	elsewhere := func(o *dynamodb.Options) { o.BaseEndpoint = aws.String("http://127.0.0.1:1") }
	ctx := t.Context()
	_, err1 := fast.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("T"), Key: map[string]types.AttributeValue{}}, elsewhere)
	_, err2 := fast.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String("T"), Key: map[string]types.AttributeValue{}}, elsewhere)
	_, err3 := fast.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{}}, elsewhere)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	for _, r := range sent.Requests {
		if r.URL.Host != "127.0.0.1:1" {
			t.Errorf("a call goes to %s, want 127.0.0.1:1", r.URL.Host)
		}
	}
}

// TestStepsOfTheCaller: a step that the options add is part of every call, and sees its attempts.
func TestStepsOfTheCaller(t *testing.T) {
	t.Parallel()
	var attempts []int
	options := settings()
	options.APIOptions = append(options.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Mine", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleInitialize(ctx, in)
			made, _ := retry.GetAttemptResults(metadata)
			attempts = append(attempts, len(made.Results))
			return out, metadata, err
		}), middleware.Before)
	})
	for i := range 2 {
		sent := &dynamotest.Script{Answer: func(int, *http.Request) (*http.Response, error) {
			return dynamotest.Response(400, `{"__type":"ThrottlingException"}`, nil), nil
		}}
		plain, fast := newClients(options, sent)
		_, _ = getItem(t.Context(), []client{plain, fast}[i])
	}
	if diff := cmp.Diff([]int{3, 3}, attempts); diff != "" {
		t.Errorf("attempts that the step sees (-want +got):\n%s", diff)
	}
}

// TestAtOnce: calls at the same time do not disturb each other.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	db, err := dynamotest.NewCanned()
	if err != nil {
		t.Fatal(err)
	}
	_, fast := newClients(settings(), db)
	errs := make(chan error)
	const callers, each = 8, 50
	for range callers {
		go func() {
			var err error
			for range each {
				for _, do := range calls {
					_, e := do(t.Context(), fast)
					err = errors.Join(err, e)
				}
			}
			errs <- err
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// BenchmarkClients measures the calls of both clients with a network that answers at once.
func BenchmarkClients(b *testing.B) {
	db, err := dynamotest.NewCanned()
	if err != nil {
		b.Fatal(err)
	}
	plain, fast := newClients(settings(), db)
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		for i, name := range []string{"plain", "fast"} {
			b.Run(call+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := calls[call](b.Context(), []client{plain, fast}[i]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
