package fastsdk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"organizations-api/shared/strictjson"
)

const readingStep = "OperationDeserializer"

// replaceReading puts a reading step into the place of two of the SDK's: the one that reads a response, and the one
// that measures the server's clock.
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

// HandleDeserialize returns a *smithy.DeserializationError, as the SDK's step does, if a success is no answer of
// DynamoDB. An attribute of an unexpected type is no error here: whoever reads that attribute refuses it.
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

// answer is what is used of a successful response.
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
