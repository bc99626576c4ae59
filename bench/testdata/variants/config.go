package boot

import (
	"context"
	"os"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"organizations-api/shared/store/dynamo"
)

// store replaces the one in store.go. It finds the region and the credentials with the config package, as most
// programs do.
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
