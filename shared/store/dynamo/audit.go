package dynamo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"organizations-api/shared/organization"
	"organizations-api/shared/plainjson"
	"organizations-api/shared/store"
)

// Attributes of an audit entry. Its identifier is in its sort key.
const (
	entryAction    = "entry_action"
	entryActor     = "actor"
	entryRequestID = "request_id"
	entryChangeID  = "change_id"
	entryVersion   = "record_version"
	entryChanges   = "changes" // a JSON array of [field, before, after]
)

// entryItem returns the whole item of an entry.
func entryItem(id organization.ID, e store.Entry) item {
	it := encodeEntry(e)
	maps.Copy(it, auditKey(id, e.ID))
	return it
}

// encodeEntry returns the attributes of an entry, without the item's key. The item is smaller than DynamoDB's 400 KB,
// whatever changed within the bounds of [organization]. Metadata before and after has up to 64 KiB each, and twice
// that if every character is escaped. Everything else is below 100 KB.
func encodeEntry(e store.Entry) item {
	changes := make([][3]string, 0, len(e.Changes))
	for _, c := range e.Changes {
		changes = append(changes, [3]string{c.Field, c.Before, c.After})
	}
	it := item{
		entryAction:  str(string(e.Action)),
		entryActor:   str(e.Actor),
		entryVersion: num(e.Version),
		entryChanges: str(plainjson.Text(changes)),
	}
	if e.RequestID != "" {
		it[entryRequestID] = str(e.RequestID)
	}
	if e.ChangeID != "" {
		it[entryChangeID] = str(e.ChangeID)
	}
	return it
}

func decodeEntry(it item) (store.Entry, error) {
	r := reader{item: it}
	e := store.Entry{
		ID:      strings.TrimPrefix(r.str(sortKey), auditPrefix),
		Action:  store.Action(r.str(entryAction)),
		Actor:   r.str(entryActor),
		Version: r.num(entryVersion),
	}
	if id := r.optional(entryRequestID); id != nil {
		e.RequestID = *id
	}
	if id := r.optional(entryChangeID); id != nil {
		e.ChangeID = *id
	}
	var changes [][3]string
	if err := json.Unmarshal([]byte(r.str(entryChanges)), &changes); err != nil {
		r.fail(entryChanges, "a list of changes")
	}
	for _, c := range changes {
		e.Changes = append(e.Changes, organization.Change{Field: c[0], Before: c[1], After: c[2]})
	}
	if r.err != nil {
		return store.Entry{}, fmt.Errorf("decoding audit entry %s: %w", e.ID, r.err)
	}
	return e, nil
}

// Audit is a Query backwards through the organization's entries. The cursor is the last entry's identifier.
func (s *Store) Audit(ctx context.Context, id organization.ID, cursor string, limit int) ([]store.Entry, string, error) {
	op := "reading the audit trail of " + string(id)
	in := s.trail(id)
	in.ScanIndexForward = aws.Bool(false)
	if cursor != "" {
		in.ExclusiveStartKey = auditKey(id, cursor)
	}
	var entries []store.Entry
	for {
		in.Limit = aws.Int32(int32(min(limit-len(entries), maxPage)))
		out, err := s.queryPage(ctx, op, in)
		if err != nil {
			return nil, "", err
		}
		for _, it := range out.Items {
			e, err := decodeEntry(it)
			if err != nil {
				return nil, "", err
			}
			entries = append(entries, e)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return entries, "", nil
		}
		if len(entries) == limit {
			return entries, entries[len(entries)-1].ID, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// trail returns a query for the entries of an organization, the oldest first.
func (s *Store) trail(id organization.ID) *dynamodb.QueryInput {
	in := partition(s.tables.Organizations, recordKey(id))
	in.KeyConditionExpression = aws.String(partitionKey + " = :pk AND begins_with(" + sortKey + ", :prefix)")
	in.ExpressionAttributeValues[":prefix"] = str(auditPrefix)
	return in
}
