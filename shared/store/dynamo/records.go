package dynamo

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// What every GetItem of Find says, once for all of them.
var (
	findProjection = aws.String(recordProjection + "," + attrKeys + ".#key")
	consistently   = aws.Bool(true)
)

// Find is one strongly consistent GetItem that projects the record and the one key.
func (s *Store) Find(ctx context.Context, id organization.ID, key apikey.Hash) (store.Found, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:                &s.tables.Organizations,
		Key:                      recordKey(id),
		ConsistentRead:           consistently,
		ProjectionExpression:     findProjection,
		ExpressionAttributeNames: map[string]string{"#key": key.Hex()},
		ReturnConsumedCapacity:   types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		failed(ctx, err)
		return store.Found{}, translate("finding "+string(id), err)
	}
	reads(ctx, out.ResultMetadata, out.ConsumedCapacity)
	if len(out.Item) == 0 {
		return store.Found{}, &store.Error{Kind: store.NotFound, Op: "finding " + string(id)}
	}
	record, err := decodeRecord(out.Item)
	if err != nil {
		return store.Found{}, err
	}
	keys, err := decodeKeys(out.Item)
	if err != nil {
		return store.Found{}, err
	}
	found := store.Found{Organization: record}
	if len(keys) == 1 {
		found.Key = &keys[0]
	}
	return found, nil
}

// Update sets the attributes that differ, under the condition that the version is still the one that was read.
func (s *Store) Update(ctx context.Context, u store.Update) error {
	c := change{
		op:        "updating " + string(u.Before.ID),
		id:        u.Before.ID,
		condition: attrVersion + " = :version AND attribute_not_exists(" + attrDeletedAt + ")",
		entry:     u.Audit,
	}
	c.update, c.values = updateExpression(encodeRecord(u.Before), encodeRecord(u.After))
	c.values[":version"] = num(u.Before.Version)
	reasons, err := s.transact(ctx, c)
	if err != nil || reasons == nil {
		return err
	}
	kind := store.Conflict
	if len(reasons.stored) == 0 {
		kind = store.NotFound
	}
	return &store.Error{Kind: kind, Op: c.op, Err: reasons.err}
}

// updateExpression returns what makes one item of another. Attribute names are ours and no reserved words.
func updateExpression(before, after item) (string, item) {
	var set, remove []string
	values := item{}
	for name, value := range after {
		if !reflect.DeepEqual(before[name], value) {
			set = append(set, name+" = :"+name)
			values[":"+name] = value
		}
	}
	for name := range before {
		if _, kept := after[name]; !kept {
			remove = append(remove, name)
		}
	}
	slices.Sort(set)
	slices.Sort(remove)
	var expression string
	if len(set) > 0 {
		expression = "SET " + strings.Join(set, ", ")
	}
	if len(remove) > 0 {
		expression += " REMOVE " + strings.Join(remove, ", ")
	}
	return expression, values
}
