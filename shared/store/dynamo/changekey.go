package dynamo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// ChangeKey changes one entry of the map of keys, and adds another where there is one, under the condition that the first
// is still as it was read.
func (s *Store) ChangeKey(ctx context.Context, id organization.ID, k store.KeyChange, e store.Entry) error {
	c := changeOfKey(id, k, e)
	if k.New != nil {
		c.also = []types.TransactWriteItem{s.putUse(id, k.New.ID)}
	}
	reasons, err := s.transact(ctx, c)
	if err != nil || reasons == nil {
		return err
	}
	return &store.Error{Kind: whyNoChange(reasons.stored, k), Op: c.op, Err: reasons.err}
}

const (
	oldEntry = attrKeys + ".#old"
	newEntry = attrKeys + ".#new"
)

func changeOfKey(id organization.ID, k store.KeyChange, e store.Entry) change {
	var set, remove []string
	names := map[string]string{"#old": k.Before.Hash.Hex()}
	values := item{}
	conditions := []string{"attribute_not_exists(" + attrDeletedAt + ")", "attribute_exists(" + oldEntry + ")"}
	before, after := termsOf(k.Before), termsOf(k.After)
	for _, name := range keyTerms {
		path := oldEntry + "." + name
		if value := before[name]; value != nil {
			conditions = append(conditions, path+" = :before_"+name)
			values[":before_"+name] = value
		} else {
			conditions = append(conditions, "attribute_not_exists("+path+")")
		}
		if value := after[name]; value != nil {
			set = append(set, path+" = :after_"+name)
			values[":after_"+name] = value
		} else {
			remove = append(remove, path)
		}
	}
	if k.New != nil {
		names["#new"] = k.New.Hash.Hex()
		values[":new"], values[":max"] = encodeKey(*k.New), num(apikey.MaxPerOrganization)
		set = append(set, newEntry+" = :new")
		conditions = append(conditions, "attribute_not_exists("+newEntry+")", "size("+attrKeys+") < :max")
	}
	if len(values) == 0 {
		values = nil // as DynamoDB wants it where no term is set before and after
	}
	return change{
		op:        "changing " + k.Before.ID + " of " + string(id),
		id:        id,
		update:    expression("SET", set) + expression(" REMOVE", remove),
		condition: strings.Join(conditions, " AND "),
		names:     names,
		values:    values,
		entry:     e,
	}
}

func expression(verb string, clauses []string) string {
	if len(clauses) == 0 {
		return ""
	}
	return verb + " " + strings.Join(clauses, ", ")
}

// keyTerms are the attributes of a key that can change.
var keyTerms = [...]string{keyExpiresAt, keyRevokedAt, keySuccessor}

// termsOf returns those of them that are set.
func termsOf(k apikey.Record) item {
	return encodeKey(k).(*types.AttributeValueMemberM).Value
}

// whyNoChange tells from the item that was in the way why the condition failed.
func whyNoChange(stored item, k store.KeyChange) store.Kind {
	r := reader{item: stored}
	keys := r.object(attrKeys)
	key := reader{item: keys}
	entry := reader{item: key.object(k.Before.Hash.Hex())}
	if len(stored) == 0 || r.has(attrDeletedAt) || entry.item == nil {
		return store.NotFound
	}
	before := termsOf(k.Before)
	for _, name := range keyTerms {
		if !equal(entry.item[name], before[name]) {
			return store.Conflict
		}
	}
	if k.New != nil && !key.has(k.New.Hash.Hex()) {
		return store.Full
	}
	return store.Conflict
}

// equal compares two texts, either of which may be absent.
func equal(a, b types.AttributeValue) bool {
	x, xSet := a.(*types.AttributeValueMemberS)
	y, ySet := b.(*types.AttributeValueMemberS)
	return xSet == ySet && (!xSet || x.Value == y.Value)
}
