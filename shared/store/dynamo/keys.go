package dynamo

import (
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Every key of an item is made here.

const (
	partitionKey = "PK"
	sortKey      = "SK"

	organizationPrefix = "ORG#"
	recordSortKey      = "ORG"
	auditPrefix        = "AUDIT#"
	ratePrefix         = "RATE#"
	usePrefix          = "USE#"
)

type itemKey = map[string]types.AttributeValue

var sortKeyOfRecords = str(recordSortKey)

func recordKey(id organization.ID) itemKey {
	return itemKey{partitionKey: str(organizationPrefix + string(id)), sortKey: sortKeyOfRecords}
}

func auditKey(id organization.ID, entryID string) itemKey {
	return itemKey{partitionKey: str(organizationPrefix + string(id)), sortKey: str(auditPrefix + entryID)}
}

func counterKey(id organization.ID, c organization.Category, window time.Time) itemKey {
	return itemKey{
		partitionKey: str(ratePrefix + string(id) + "#" + string(c)),
		sortKey:      str(organization.FormatTime(window)),
	}
}

// useKey is the key of the item that says when a key of the organization was last used. It says which key by its public
// identifier.
func useKey(id organization.ID, keyID string) itemKey {
	return itemKey{partitionKey: str(usePrefix + string(id)), sortKey: str(keyID)}
}

// recordItem returns the whole item of an organization.
func recordItem(o organization.Organization, keys []apikey.Record) item {
	it := encodeRecord(o)
	maps.Copy(it, recordKey(o.ID))
	records := make(item, len(keys))
	for _, key := range keys {
		records[key.Hash.Hex()] = encodeKey(key)
	}
	it[attrKeys] = &types.AttributeValueMemberM{Value: records}
	return it
}

// entryItem returns the whole item of an entry.
func entryItem(id organization.ID, e store.Entry) item {
	it := encodeEntry(e)
	maps.Copy(it, auditKey(id, e.ID))
	return it
}

// isRecord tells an organization's own item from those of its trail.
func isRecord(it item) bool {
	r := reader{item: it}
	return r.str(sortKey) == recordSortKey
}

// organizationOf returns whose item it is.
func organizationOf(item map[string]types.AttributeValue) (organization.ID, error) {
	r := reader{item: item}
	id := strings.TrimPrefix(r.str(partitionKey), organizationPrefix)
	if r.err != nil {
		return "", r.err
	}
	return organization.ParseID(id)
}
