package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// That a change of the operator was made is remembered by an item of its own, in the partition of the organization. It
// has nothing but its key. It is written with the entry that names the change, and goes with the trail: a restore
// writes it again, and a purge deletes it. An entry alone would not do, as a condition can only look at the key of an
// item, and the key of an entry is its time.

// StoreRevision is Update with one more item if the change has an ID.
func (s *Store) StoreRevision(ctx context.Context, u store.Update) error {
	c := updateOf(u)
	c.op = "revising " + string(u.Before.ID)
	if u.After.Version == u.Before.Version {
		// An update must write something, so it writes the version again.
		c.update = "SET " + attrVersion + " = :version"
		c.values = item{":version": num(u.Before.Version)}
	}
	if u.Audit.ChangeID != "" {
		c.applied = true
		c.also = []types.TransactWriteItem{s.putNew(changeKey(u.Before.ID, u.Audit.ChangeID))}
	}
	return s.transact(ctx, c)
}

// HasChange is one strongly consistent GetItem.
func (s *Store) HasChange(ctx context.Context, id organization.ID, changeID string) (bool, error) {
	out, err := s.sdk.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:            &s.tables.Organizations,
		Key:                  changeKey(id, changeID),
		ConsistentRead:       consistently,
		ProjectionExpression: aws.String(partitionKey),
	})
	if err != nil {
		return false, translate("looking for a change of "+string(id), err)
	}
	if len(out.Item) == 0 {
		return false, nil
	}
	if err := checkPartition(out.Item, changeKey(id, changeID)[partitionKey]); err != nil {
		return false, fmt.Errorf("looking for a change of %s: %w", id, err)
	}
	return true, nil
}

// entryItems returns the items of an entry: the entry itself, and the item that remembers its change, if it has one.
func entryItems(id organization.ID, e store.Entry) []item {
	items := []item{entryItem(id, e)}
	if e.ChangeID != "" {
		items = append(items, changeKey(id, e.ChangeID))
	}
	return items
}
