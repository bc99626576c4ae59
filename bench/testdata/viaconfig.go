package boot

import (
	"context"
	"os"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"organizations-api/shared/store/dynamo"
)

// storeViaConfig is store with the config package, by which most programs find the region and the credentials.
func (c config) storeViaConfig() dynamo.Settings {
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
