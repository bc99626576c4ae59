package function

import (
	"context"
	"os"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"organizations-api/shared/store/dynamo"
)

// store, with this file in the place of the function's store.go, finds region and credentials as programs commonly do.
func (c config) store() dynamo.Settings {
	found, err := awsconfig.LoadDefaultConfig(context.Background())
	if err != nil {
		os.Exit(1)
	}
	return dynamo.Settings{
		Region:      found.Region,
		Endpoint:    c.endpoint,
		Credentials: found.Credentials,
		Tables:      dynamo.Tables{Organizations: c.organizationsTable, Counters: c.countersTable},
	}
}
