package dynamo

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"organizations-api/shared/store/dynamo/internal/fastsdk"
)

// OpenPlain is Open with the SDK's plain client instead of fastsdk.
func OpenPlain(s Settings) (*Store, error) {
	return open(s, func(sdk *dynamodb.Client, _ *fastsdk.HTTPClient) client { return sdk })
}
