package dynamo

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"organizations-api/shared/strictjson"
)

// deserializer is the step that reads a response: a success by itself, in one pass, and anything else by the SDK's step.
type deserializer struct {
	decode func(body strictjson.Value) (any, error)
	sdk    middleware.DeserializeMiddleware
}

// ID is that of the SDK's step whose place it takes.
func (d *deserializer) ID() string { return "OperationDeserializer" }

// HandleDeserialize fails as the SDK's step does: with a *smithy.DeserializationError where a success cannot be read. Only what
// cannot be an answer is one of those; items that are none of ours are for their readers.
func (d *deserializer) HandleDeserialize(
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
	if response.StatusCode != http.StatusOK {
		awsmiddleware.SetRequestIDMetadata(&metadata, response.Header.Get("X-Amzn-Requestid"))
		return d.sdk.HandleDeserialize(ctx, in, received{out, metadata})
	}
	body, err := readBody(response)
	if err != nil {
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	if out.Result, err = d.decode(body); err != nil {
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	return out, metadata, nil
}

// received gives a step the response that is there already.
type received struct {
	out      middleware.DeserializeOutput
	metadata middleware.Metadata
}

func (r received) HandleDeserialize(
	context.Context, middleware.DeserializeInput,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	return r.out, r.metadata, nil
}

// maxResponse is more than any answer has: an item has at most 400 KB, and JSON makes at most six bytes of one.
const maxResponse = 4 << 20

// readBody reads the body to its end, so that the connection is kept, and holds it to its checksum.
func readBody(response *smithyhttp.Response) (strictjson.Value, error) {
	defer response.Body.Close()
	var text []byte
	var err error
	if n := response.ContentLength; n >= 0 && n <= maxResponse {
		text = make([]byte, n)
		_, err = io.ReadFull(response.Body, text)
	} else {
		text, err = io.ReadAll(io.LimitReader(response.Body, maxResponse))
	}
	if err != nil {
		return strictjson.Value{}, fmt.Errorf("reading a response: %w", err)
	}
	if want := response.Header.Get("X-Amz-Crc32"); want != "" {
		if sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10); sum != want {
			return strictjson.Value{}, fmt.Errorf("a response has the checksum %s, not %s", sum, want)
		}
	}
	value, err := strictjson.Parse(text)
	if err != nil {
		return strictjson.Value{}, fmt.Errorf("reading a response: %w", err)
	}
	return value, nil
}

// decoderOf returns what makes the output of an operation, with what is used of it.
func decoderOf(operation string) (func(strictjson.Value) (any, error), error) {
	switch operation {
	case "GetItem":
		return func(body strictjson.Value) (any, error) {
			r, err := decodeReply(body)
			return &dynamodb.GetItemOutput{Item: r.item, ConsumedCapacity: r.one()}, err
		}, nil
	case "UpdateItem":
		return func(body strictjson.Value) (any, error) {
			r, err := decodeReply(body)
			return &dynamodb.UpdateItemOutput{Attributes: r.item, ConsumedCapacity: r.one()}, err
		}, nil
	case "TransactWriteItems":
		return func(body strictjson.Value) (any, error) {
			r, err := decodeReply(body)
			return &dynamodb.TransactWriteItemsOutput{ConsumedCapacity: r.consumed}, err
		}, nil
	default:
		return nil, fmt.Errorf("answers to %s are not read here", operation)
	}
}

// reply is what the outputs have in common.
type reply struct {
	item     item
	consumed []types.ConsumedCapacity // one for each table
}

func (r reply) one() *types.ConsumedCapacity {
	if len(r.consumed) == 0 {
		return nil
	}
	return &r.consumed[0]
}

func decodeReply(body strictjson.Value) (r reply, err error) {
	if body.Kind() != strictjson.Object {
		return reply{}, errors.New("the response is no object")
	}
	for name, value := range body.Members() {
		switch name {
		case "Item", "Attributes":
			const most = 24 // of the attributes of an item
			r.item = decodeItem(value, most)
		case "ConsumedCapacity":
			r.consumed, err = decodeConsumed(value)
		}
		if err != nil {
			return reply{}, err
		}
	}
	return r, nil
}

// decodeConsumed reads one object, or a list of them.
func decodeConsumed(value strictjson.Value) (all []types.ConsumedCapacity, err error) {
	for _, element := range value.Elements() {
		one, err := decodeConsumed(element)
		if err != nil {
			return nil, err
		}
		all = append(all, one...)
	}
	for name, member := range value.Members() {
		if name == "CapacityUnits" {
			units, err := strconv.ParseFloat(member.Text(), 64)
			if err != nil {
				return nil, errors.New("the consumed capacity is no number")
			}
			all = append(all, types.ConsumedCapacity{CapacityUnits: &units})
		}
	}
	return all, nil
}

// decodeItem reads attributes of the types that items have here: {"S":"text"}, {"N":"1"}, {"BOOL":true} or {"M":{…}}. One of
// another type is nothing that any attribute may be, and so is refused by whoever reads that attribute, if anybody does: a
// later version may have added it. There is room for so many attributes, and there may be more.
func decodeItem(value strictjson.Value, attributes int) item {
	it := make(item, attributes)
	var texts []types.AttributeValueMemberS // most are these two, which so need not be allocated one by one
	var numbers []types.AttributeValueMemberN
	for name, member := range value.Members() {
		switch kind, v := typed(member); kind {
		case "S":
			it[name] = put(&texts, types.AttributeValueMemberS{Value: v.Str()}, attributes)
		case "N":
			it[name] = put(&numbers, types.AttributeValueMemberN{Value: v.Str()}, attributes)
		case "BOOL":
			it[name] = &types.AttributeValueMemberBOOL{Value: v.Text() == "true"}
		case "M":
			const few = 8
			it[name] = &types.AttributeValueMemberM{Value: decodeItem(v, few)}
		default:
			it[name] = &types.UnknownUnionMember{Tag: kind}
		}
	}
	return it
}

// put adds the value to a list, which it makes for so many when the first comes, and returns where the value is. It stays
// there, also where the list outgrows its room.
func put[T any](list *[]T, value T, room int) *T {
	if *list == nil {
		*list = make([]T, 0, room)
	}
	*list = append(*list, value)
	return &(*list)[len(*list)-1]
}

// typed returns the type and the value of an attribute; "" where it has none.
func typed(attribute strictjson.Value) (string, strictjson.Value) {
	for kind, v := range attribute.Members() {
		return kind, v
	}
	return "", strictjson.Value{}
}
