package fastsdk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"organizations-api/shared/strictjson"
)

// HTTPClient sends the requests of a client of DynamoDB, fast or plain. It bounds the time of each attempt, reads the
// whole response within that time, and compares it with its checksum. The SDK itself only logs a wrong checksum. It
// does not follow redirects and keeps no cookies. It is safe for concurrent use.
type HTTPClient struct {
	transport http.RoundTripper
	timeout   time.Duration
	clock     clock // of the server
}

// NewHTTPClient returns a client that gives each attempt the timeout. A nil transport stands for connections of its
// own. Another transport must not decompress responses, as DynamoDB's checksums are of what it sent.
func NewHTTPClient(transport http.RoundTripper, timeout time.Duration) *HTTPClient {
	if transport == nil {
		const connectTimeout = time.Second
		transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout: connectTimeout,
			DisableCompression:  true,
			// A sandbox uses two connections. A local gateway uses twice as many as it has requests: beyond 128 they wait
			// for one, as DynamoDB Local does not accept hundreds of new connections within a second.
			MaxConnsPerHost:     128,
			MaxIdleConnsPerHost: 128,
			IdleConnTimeout:     90 * time.Second,
		}
	}
	return &HTTPClient{transport: transport, timeout: timeout}
}

// Do returns the response when it was read to its end. The error says that there was no response, or that it was
// broken.
func (c *HTTPClient) Do(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(request.Context(), c.timeout)
	defer cancel()
	request = request.WithContext(ctx)
	if err := holdBody(request); err != nil {
		return nil, fmt.Errorf("reading a request: %w", err)
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	text, err := readAll(response)
	if err != nil {
		return nil, fmt.Errorf("reading a response: %w", err)
	}
	if want := response.Header.Get("X-Amz-Crc32"); want != "" {
		if sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10); sum != want {
			return nil, fmt.Errorf("reading a response: its checksum is %s, not %s", sum, want)
		}
	}
	response.Body = &body{*bytes.NewBuffer(text)}
	return response, nil
}

// holdBody puts a copy in memory into the place of the request's body. Of a body whose type net/http knows to be in
// memory, it sends headers and body by one write, so as one packet and one TLS record. For the SDK's type it needs two.
func holdBody(request *http.Request) error {
	if request.Body == nil || request.ContentLength <= 0 {
		return nil
	}
	text := make([]byte, request.ContentLength)
	_, err := io.ReadFull(request.Body, text)
	if err := errors.Join(err, request.Body.Close()); err != nil {
		return err
	}
	request.Body = io.NopCloser(bytes.NewReader(text))
	return nil
}

// body is the body of a response that was read already.
type body struct{ bytes.Buffer }

// Close does nothing.
func (b *body) Close() error { return nil }

// maxResponse is more than any response has. DynamoDB returns at most 1 MB of items, and JSON makes at most six bytes
// of one byte.
const maxResponse = 8 << 20

// readAll reads the body to its end, so that the connection can be used again, and closes it.
func readAll(response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	if n := response.ContentLength; n >= 0 && n <= maxResponse {
		text := make([]byte, n)
		_, err := io.ReadFull(response.Body, text)
		return text, err
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	if err == nil && len(text) > maxResponse {
		err = fmt.Errorf("it is longer than %d bytes", maxResponse)
	}
	return text, err
}

// clock is this machine's clock, corrected by how far the server's clock is ahead of it. AWS refuses a signature
// whose time is more than five minutes off. The zero clock is not corrected. It is safe for concurrent use.
type clock struct {
	ahead atomic.Int64 // nanoseconds
}

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// corrected reports whether the two clocks differ by more than a response's Date header can be off.
func (c *clock) corrected() bool { return c.ahead.Load() != 0 }

// correct sets how far the server's clock is ahead. Less than a minute counts as nothing: the Date header has whole
// seconds only, and the response took some time to come.
func (c *clock) correct(ahead time.Duration) {
	if ahead.Abs() < time.Minute {
		ahead = 0
	}
	c.ahead.Store(int64(ahead))
}

const readingStep = "OperationDeserializer"

// replaceReading replaces two steps of the SDK by one reading step: the step that reads a response, and the step that
// measures the server's clock.
func replaceReading(stack *middleware.Stack, decode func(answer) any, clock *clock) error {
	r := &reading{decode: decode, clock: clock}
	var err error
	if r.measure, err = stack.Deserialize.Remove((*awsmiddleware.RecordResponseTiming)(nil).ID()); err != nil {
		return err
	}
	r.sdk, err = stack.Deserialize.Swap(readingStep, r)
	return err
}

// reading is the step that reads a response: a success by itself, and every other one by the SDK's step.
type reading struct {
	decode  func(answer) any                 // makes the output of the operation
	sdk     middleware.DeserializeMiddleware // the step that it replaces
	measure middleware.DeserializeMiddleware // the SDK's step that compares the clocks
	clock   *clock
}

// ID returns the name of the SDK's step that it replaces.
func (r *reading) ID() string { return readingStep }

// HandleDeserialize returns a *smithy.DeserializationError, as the SDK's step does, if a success is not an answer of
// DynamoDB. An attribute of an unexpected type is not an error here. The code that reads the attribute refuses it.
func (r *reading) HandleDeserialize(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
	out, metadata, err = next.HandleDeserialize(ctx, in)
	if err != nil {
		return out, metadata, err
	}
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if !ok {
		return out, metadata, &smithy.DeserializationError{Err: fmt.Errorf("a response of the type %T", out.RawResponse)}
	}
	refused := response.StatusCode != http.StatusOK
	if refused || r.clock.corrected() {
		metadata = r.compareClocks(ctx, in, received{out, metadata})
	}
	if refused {
		awsmiddleware.SetRequestIDMetadata(&metadata, response.Header.Get("X-Amzn-Requestid"))
		return r.sdk.HandleDeserialize(ctx, in, received{out, metadata})
	}
	text, ok := response.Body.(*body)
	if !ok {
		return out, metadata, &smithy.DeserializationError{Err: fmt.Errorf("a body of the type %T", response.Body)}
	}
	a, err := parseAnswer(text.Bytes())
	if err != nil {
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	out.Result = r.decode(a)
	return out, metadata, nil
}

// compareClocks corrects the clock by the response's Date header. It returns the metadata with the difference, by
// which the SDK's retry step tells a signature that was refused for its time. As long as the clocks agree, only
// refusals are measured, which saves a successful call the time.
func (r *reading) compareClocks(ctx context.Context, in middleware.DeserializeInput, response received) middleware.Metadata {
	_, metadata, _ := r.measure.HandleDeserialize(ctx, in, response) // its error is the response's, which has none
	if ahead, ok := awsmiddleware.GetAttemptSkew(metadata); ok {
		r.clock.correct(ahead)
	}
	return metadata
}

// received gives the SDK's steps a response that is there already.
type received struct {
	out      middleware.DeserializeOutput
	metadata middleware.Metadata
}

func (r received) HandleDeserialize(
	context.Context, middleware.DeserializeInput,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	return r.out, r.metadata, nil
}

type item = map[string]types.AttributeValue

// answer has the parts of a successful response that are used.
type answer struct {
	item     item                     // of GetItem: the item; of UpdateItem: the attributes
	consumed []types.ConsumedCapacity // one for each table
}

func (a answer) firstConsumed() *types.ConsumedCapacity {
	if len(a.consumed) == 0 {
		return nil
	}
	return &a.consumed[0]
}

// parseAnswer returns an error if the text is not a JSON object, or if its consumed capacity is not a number.
func parseAnswer(text []byte) (a answer, err error) {
	body, err := strictjson.Parse(text)
	if err != nil {
		return answer{}, fmt.Errorf("reading a response: %w", err)
	}
	if body.Kind() != strictjson.Object {
		return answer{}, errors.New("the response is not an object")
	}
	for name, value := range body.Members() {
		switch name {
		case "Item", "Attributes":
			const attributes = 24 // more than a record has
			a.item = parseItem(value, attributes)
		case "ConsumedCapacity":
			a.consumed, err = parseConsumed(value)
		}
		if err != nil {
			return answer{}, err
		}
	}
	return a, nil
}

// parseConsumed reads one object, or a list of objects.
func parseConsumed(value strictjson.Value) (all []types.ConsumedCapacity, err error) {
	for _, element := range value.Elements() {
		one, err := parseConsumed(element)
		if err != nil {
			return nil, err
		}
		all = append(all, one...)
	}
	for name, member := range value.Members() {
		if name == "CapacityUnits" {
			units, err := strconv.ParseFloat(member.Text(), 64)
			if err != nil {
				return nil, errors.New("the consumed capacity is not a number")
			}
			all = append(all, types.ConsumedCapacity{CapacityUnits: &units})
		}
	}
	return all, nil
}

// parseItem reads attributes of the types that our items have: {"S":"text"}, {"N":"1"}, {"BOOL":true} and {"M":{…}}.
// An attribute of another type becomes an *types.UnknownUnionMember: a later version of the service may have added
// it. room is how many attributes are expected; there may be more.
func parseItem(value strictjson.Value, room int) item {
	it := make(item, room)
	var texts []types.AttributeValueMemberS // most attributes are texts or numbers: one allocation for all of them
	var numbers []types.AttributeValueMemberN
	for name, member := range value.Members() {
		switch kind, v := typed(member); kind {
		case "S":
			it[name] = appendTo(&texts, types.AttributeValueMemberS{Value: v.Str()}, room)
		case "N":
			it[name] = appendTo(&numbers, types.AttributeValueMemberN{Value: v.Str()}, room)
		case "BOOL":
			it[name] = &types.AttributeValueMemberBOOL{Value: v.Text() == "true"}
		case "M":
			const room = 8 // more than a key or a map of limits has
			it[name] = &types.AttributeValueMemberM{Value: parseItem(v, room)}
		default:
			it[name] = &types.UnknownUnionMember{Tag: kind}
		}
	}
	return it
}

// appendTo appends the value to a list and returns a pointer to it there. A list that is nil is made with the room. A
// list that needs more room is copied; pointers into the old list stay good.
func appendTo[T any](list *[]T, value T, room int) *T {
	if *list == nil {
		*list = make([]T, 0, room)
	}
	*list = append(*list, value)
	return &(*list)[len(*list)-1]
}

// typed returns the type and the value of an attribute. An attribute without a type has the type "".
func typed(attribute strictjson.Value) (string, strictjson.Value) {
	for kind, v := range attribute.Members() {
		return kind, v
	}
	return "", strictjson.Value{}
}
