// Package fastsdk makes the three calls that serve requests, GetItem, UpdateItem and TransactWriteItems, at a lower
// cost than the SDK's client, with the same results and the same errors.
//
// # Why
//
// The SDK sends each call through a stack of about 25 steps, and puts that stack together anew for every call. Most
// steps do nothing for a call to DynamoDB, or find out again what never changes: the endpoint, the way to sign, the
// logger. With a network that answers at once, on one machine:
//
//	                      plain client               fastsdk
//	GetItem               522 allocations, 110 µs    167, 35 µs
//	UpdateItem            342, 55 µs                 152, 28 µs
//	TransactWriteItems    347, 60 µs                 151, 21 µs
//	GET, event to answer  1,051, 310 µs              455, 145 µs
//	PATCH                 1,542, 500 µs              743, 255 µs
//
// The times are CPU time, the least of many runs beside other work. The first three rows are from BenchmarkClients of
// this package; the plain client has the same [HTTPClient]. The last two rows are from BenchmarkEvent of
// functions/internal/boot. Over a network, all the rest of a request counts as well: docs/performance.md.
//
// # How
//
//   - The stack of an operation is taken from the SDK's client once, and used again by later calls
//     (operation.assemble).
//   - Steps that a call to DynamoDB does not need are removed from it (dropSteps lists them, each with the reason).
//   - The step that signs is replaced by one that knows endpoint and region already. The signature is the SDK's
//     (signing).
//   - The step that reads a success is replaced by one that parses the answer in one pass. Every other answer is read
//     by the SDK's step (reading).
//
// Validation, the idempotency token, serialization, retries, the correction of the clock, and all errors stay the
// SDK's. Steps are removed by their names, as the SDK has no other way. If a version of the SDK has no step of a
// name, every call fails at once. TestSteps lists every step of the SDK's stack, and fails when the SDK adds or
// removes one.
//
// # What is lost
//
// Requests have no User-Agent of the SDK and no Amz-Sdk-Invocation-Id. These options have no effect: Interceptors,
// ClientLogMode, AuthSchemes, EndpointDiscovery, AccountIDEndpointMode, MeterProvider and TracerProvider. Outputs have
// what this project reads of them: the item, the attributes, and the capacity units. Clocks are compared when DynamoDB
// refuses a call and not after every response; the outcome is the same.
//
// # The way back
//
// [Client] has the methods of *dynamodb.Client, and the store uses it through an interface that both satisfy. To go
// back to the plain client, let newClient in the store's store.go return its argument; then delete this package
// except [HTTPClient]. Tests of this package compare the two clients, and tests of the store run on both.
//
// The package imports the SDK and the JSON parser, and nothing else of this project.
package fastsdk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Client makes three calls of DynamoDB. It is safe for concurrent use.
type Client struct {
	sdk                *dynamodb.Client
	getItem            operation[dynamodb.GetItemInput, dynamodb.GetItemOutput]
	updateItem         operation[dynamodb.UpdateItemInput, dynamodb.UpdateItemOutput]
	transactWriteItems operation[dynamodb.TransactWriteItemsInput, dynamodb.TransactWriteItemsOutput]
}

// New returns a client with the options of the SDK's client, which sends its requests by http. The way to sign is
// always AWS Signature Version 4. New makes no call and assembles no stack, so that it takes no time at start-up.
func New(sdk *dynamodb.Client, http *HTTPClient) *Client {
	c := &Client{sdk: sdk}
	options := sdk.Options()
	c.getItem.sdk, c.getItem.options, c.getItem.http = sdk, options, http
	c.updateItem.sdk, c.updateItem.options, c.updateItem.http = sdk, options, http
	c.transactWriteItems.sdk, c.transactWriteItems.options, c.transactWriteItems.http = sdk, options, http
	return c
}

// method is an operation's method of the SDK's client, and what makes its output of an answer. Only the method of
// [Client] names it, and not New: the linker leaves out of a function the operations that it does not call.
type method[In, Out any] struct {
	name   string
	call   func(*dynamodb.Client, context.Context, *In, ...func(*dynamodb.Options)) (*Out, error)
	decode func(answer) *Out
}

var getItemMethod = method[dynamodb.GetItemInput, dynamodb.GetItemOutput]{
	"GetItem", (*dynamodb.Client).GetItem, func(a answer) *dynamodb.GetItemOutput {
		return &dynamodb.GetItemOutput{Item: a.item, ConsumedCapacity: a.firstConsumed()}
	},
}

var updateItemMethod = method[dynamodb.UpdateItemInput, dynamodb.UpdateItemOutput]{
	"UpdateItem", (*dynamodb.Client).UpdateItem, func(a answer) *dynamodb.UpdateItemOutput {
		return &dynamodb.UpdateItemOutput{Attributes: a.item, ConsumedCapacity: a.firstConsumed()}
	},
}

var transactWriteItemsMethod = method[dynamodb.TransactWriteItemsInput, dynamodb.TransactWriteItemsOutput]{
	"TransactWriteItems", (*dynamodb.Client).TransactWriteItems, func(a answer) *dynamodb.TransactWriteItemsOutput {
		return &dynamodb.TransactWriteItemsOutput{ConsumedCapacity: a.consumed}
	},
}

// GetItem returns the item and the consumed capacity. A call with options of its own is made by the SDK's client.
func (c *Client) GetItem(
	ctx context.Context, in *dynamodb.GetItemInput, options ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	if len(options) > 0 {
		return c.sdk.GetItem(ctx, in, options...)
	}
	out, metadata, err := c.getItem.do(ctx, &getItemMethod, in)
	if err != nil {
		return nil, err
	}
	out.ResultMetadata = metadata
	return out, nil
}

// UpdateItem returns the attributes and the consumed capacity. A call with options of its own is made by the SDK's
// client.
func (c *Client) UpdateItem(
	ctx context.Context, in *dynamodb.UpdateItemInput, options ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	if len(options) > 0 {
		return c.sdk.UpdateItem(ctx, in, options...)
	}
	out, metadata, err := c.updateItem.do(ctx, &updateItemMethod, in)
	if err != nil {
		return nil, err
	}
	out.ResultMetadata = metadata
	return out, nil
}

// TransactWriteItems returns the consumed capacity. A call with options of its own is made by the SDK's client.
func (c *Client) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, options ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	if len(options) > 0 {
		return c.sdk.TransactWriteItems(ctx, in, options...)
	}
	out, metadata, err := c.transactWriteItems.do(ctx, &transactWriteItemsMethod, in)
	if err != nil {
		return nil, err
	}
	out.ResultMetadata = metadata
	return out, nil
}

// operation keeps the assembled stacks of one operation.
type operation[In, Out any] struct {
	sdk     *dynamodb.Client
	options dynamodb.Options
	http    *HTTPClient

	idle sync.Pool // of pipelines that no call uses at the moment
}

// pipeline is an assembled stack, from an operation's input to its output. One call at a time can use it: the SDK's
// steps keep a pointer to the next one. They keep nothing of the call itself.
type pipeline = middleware.Handler

// do makes the call. Its error is the one that the SDK's client returns.
func (o *operation[In, Out]) do(ctx context.Context, m *method[In, Out], in *In) (*Out, middleware.Metadata, error) {
	p, ok := o.idle.Get().(pipeline)
	if !ok {
		var err error
		if p, err = o.assemble(m); err != nil {
			return nil, middleware.Metadata{}, fmt.Errorf("assembling the steps of %s: %w", m.name, err)
		}
	}
	defer o.idle.Put(p)
	out, metadata, err := p.Handle(ctx, in)
	if err != nil {
		err = &smithy.OperationError{ServiceID: dynamodb.ServiceID, OperationName: m.name, Err: err}
		return nil, metadata, err
	}
	return out.(*Out), metadata, nil
}

// assemble returns a new pipeline.
func (o *operation[In, Out]) assemble(m *method[In, Out]) (pipeline, error) {
	stack, err := o.stack(m)
	if err != nil {
		return nil, err
	}
	if err := o.rebuild(m, stack); err != nil {
		return nil, err
	}
	return middleware.DecorateHandler(smithyhttp.NewClientHandlerWithOptions(o.http),
		stack.Initialize, stack.Serialize, stack.Build, stack.Finalize, stack.Deserialize), nil
}

// rebuild drops and replaces steps of the SDK's stack.
func (o *operation[In, Out]) rebuild(m *method[In, Out], stack *middleware.Stack) error {
	decode := func(a answer) any { return m.decode(a) }
	return errors.Join(
		dropSteps(stack, o.options.Retryer.MaxAttempts() == 1),
		replaceSigning(stack, o.options, &o.http.clock),
		replaceReading(stack, decode, &o.http.clock),
	)
}

var errTaken = errors.New("the stack was taken")

// stack returns the SDK's own stack for the operation. The SDK gives it to a function of a call's options when it is
// complete. The function keeps it and ends the call by an error, before the first step.
func (o *operation[In, Out]) stack(m *method[In, Out]) (*middleware.Stack, error) {
	var taken *middleware.Stack
	take := func(stack *middleware.Stack) error {
		taken = stack
		return errTaken
	}
	_, err := m.call(o.sdk, context.Background(), nil, func(options *dynamodb.Options) {
		options.APIOptions = append(options.APIOptions, take)
	})
	if !errors.Is(err, errTaken) {
		return nil, err
	}
	return taken, nil
}

// dropSteps removes the steps that a call to DynamoDB does not need. Steps whose type the SDK exports are named by
// it.
func dropSteps(stack *middleware.Stack, oneAttempt bool) error {
	err := errors.Join(
		drop(stack.Serialize,
			"setOperationInput", // keeps the input for ResolveAuthScheme and ResolveEndpointV2, which are dropped too
			"ResolveEndpoint",   // does nothing since ResolveEndpointV2 came
		),
		drop(stack.Build,
			(*awsmiddleware.ClientRequestID)(nil).ID(),    // adds a header that DynamoDB does not read
			(*awsmiddleware.RequestUserAgent)(nil).ID(),   // adds a header that DynamoDB does not read
			(*awsmiddleware.RecursionDetection)(nil).ID(), // is for services that call Lambda functions
		),
		drop(stack.Finalize,
			"DisableAcceptEncodingGzip",                      // HTTPClient never asks for compression
			(*smithyhttp.InterceptBeforeRetryLoop)(nil).ID(), // there are no interceptors
			(*smithyhttp.InterceptAttempt)(nil).ID(),         // there are no interceptors
			"ResolveAuthScheme",                              // it is always Signature Version 4; see signing
			"GetIdentity",                                    // see signing
			"ResolveEndpointV2",                              // see signing
			"disableHTTPS",                                   // see signing: the endpoint has its scheme
			"DiscoverEndpoint",                               // no operation of ours requires it
			(*v4.ComputePayloadSHA256)(nil).ID(),             // see signing
			"setLegacyContextSigningOptions",                 // is for stacks that set a signing name in the context
		),
		drop(stack.Deserialize,
			(*awsmiddleware.AddRawResponse)(nil).ID(),     // nobody reads the raw response
			(*awsmiddleware.RequestIDRetriever)(nil).ID(), // see reading
			"DynamoDB:ResponseChecksumValidation",         // HTTPClient compares the checksum
			(*smithyhttp.RequestResponseLogger)(nil).ID(), // nobody logs requests
		),
	)
	if oneAttempt {
		err = errors.Join(err, drop(stack.Finalize, (*retry.Attempt)(nil).ID()))
	}
	return err
}

func drop[M any](step interface{ Remove(id string) (M, error) }, ids ...string) error {
	for _, id := range ids {
		if _, err := step.Remove(id); err != nil {
			return fmt.Errorf("removing a step of the SDK: %w", err)
		}
	}
	return nil
}

const signingStep = "Signing"

// replaceSigning puts a signing step into the place of the SDK's.
func replaceSigning(stack *middleware.Stack, options dynamodb.Options, clock *clock) error {
	endpoint, err := resolveEndpoint(options)
	if err != nil {
		return err
	}
	_, err = stack.Finalize.Swap(signingStep, &signing{
		endpoint:    endpoint,
		region:      options.Region,
		credentials: options.Credentials,
		signer:      options.HTTPSignerV4,
		clock:       clock,
	})
	return err
}

// resolveEndpoint returns the URL that all calls of a client with the options go to.
func resolveEndpoint(options dynamodb.Options) (*url.URL, error) {
	parameters := dynamodb.EndpointParameters{Region: &options.Region, Endpoint: options.BaseEndpoint}.WithDefaults()
	resolved, err := options.EndpointResolverV2.ResolveEndpoint(context.Background(), parameters)
	return &resolved.URI, err
}

// signing is the step that addresses a request to the endpoint and signs it. It is safe for concurrent use.
type signing struct {
	endpoint    *url.URL
	region      string
	credentials aws.CredentialsProvider
	signer      dynamodb.HTTPSignerV4
	clock       *clock
}

// ID returns the name of the SDK's step that it replaces.
func (s *signing) ID() string { return signingStep }

// HandleFinalize signs each attempt anew, as its time is part of the signature.
func (s *signing) HandleFinalize(
	ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	request, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, metadata, fmt.Errorf("signing a request of the type %T", in.Request)
	}
	request.URL.Scheme, request.URL.Host = s.endpoint.Scheme, s.endpoint.Host
	request.URL.Path = smithyhttp.JoinPath(s.endpoint.Path, request.URL.Path)
	hash, err := payloadHash(request)
	if err != nil {
		return out, metadata, fmt.Errorf("hashing a request: %w", err)
	}
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return out, metadata, fmt.Errorf("getting credentials: %w", err)
	}
	err = s.signer.SignHTTP(ctx, credentials, request.Request, hash, "dynamodb", s.region, s.clock.now())
	if err != nil {
		return out, metadata, fmt.Errorf("signing a request: %w", err)
	}
	return next.HandleFinalize(ctx, in)
}

// payloadHash returns the SHA-256 of the body, in hexadecimal, and leaves the body as it was.
func payloadHash(request *smithyhttp.Request) (string, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, request.GetStream()); err != nil {
		return "", err
	}
	var text [3 * sha256.Size]byte // the digits, and what they are made of
	sum := hash.Sum(text[len(text)-sha256.Size : len(text)-sha256.Size])
	digits := text[:hex.Encode(text[:], sum)]
	return string(digits), request.RewindStream()
}
