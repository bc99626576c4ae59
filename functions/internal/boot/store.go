package boot

import "organizations-api/shared/store/dynamo"

// store returns the settings of the store.
func (c config) store() dynamo.Settings {
	return dynamo.Settings{
		Region:      c.region,
		Endpoint:    c.endpoint,
		Credentials: dynamo.Credentials(c.accessKeyID, c.secretAccessKey, c.sessionToken),
		Tables:      dynamo.Tables{Organizations: c.organizationsTable, Counters: c.countersTable},
	}
}
