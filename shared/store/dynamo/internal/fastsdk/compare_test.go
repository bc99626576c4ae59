package fastsdk_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/store/dynamo/dynamotest"
)

// outcome is the result of a call, as far as a caller can see it.
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
