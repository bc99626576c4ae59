package fastsdk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
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
	"github.com/aws/smithy-go/middleware"
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

// TestRequestsAreSigned signs each sent request again, and compares the signatures. So every part of the request is
// signed, and the endpoint is the right one.
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

// TestOptionsOfACall: a call uses the options that are given to it.
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
