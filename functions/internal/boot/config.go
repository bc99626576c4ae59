package boot

import (
	"errors"
	"fmt"
	"log/slog"

	"organizations-api/shared/store/dynamo"
)

// The variables of a function's environment. template.yaml sets them, except those that the Lambda runtime sets.
const (
	envOrganizationsTable = "ORGANIZATIONS_TABLE"
	envCountersTable      = "COUNTERS_TABLE"
	envRateLimits         = "RATE_LIMITS"               // on or off
	envLogLevel           = "LOG_LEVEL"                 // debug, info, warn or error
	envEndpoint           = "AWS_ENDPOINT_URL_DYNAMODB" // empty: the region's own
	envRegion             = "AWS_REGION"                // the runtime sets this and those that follow
	envFunction           = "AWS_LAMBDA_FUNCTION_NAME"
	envVersion            = "AWS_LAMBDA_FUNCTION_VERSION"
	envAccessKeyID        = "AWS_ACCESS_KEY_ID"
	envSecretAccessKey    = "AWS_SECRET_ACCESS_KEY"
	envSessionToken       = "AWS_SESSION_TOKEN" // empty only outside AWS
)

// config is a function's configuration, checked.
type config struct {
	organizationsTable string
	countersTable      string
	rateLimits         bool
	logLevel           slog.Level
	endpoint           string
	region             string
	function           string
	version            string
	accessKeyID        string
	secretAccessKey    string
	sessionToken       string
}

// readConfig reads the environment. Its error names every variable that is missing or wrong.
func readConfig(getenv func(string) string) (config, error) {
	var problems []error
	required := func(name string) string {
		value := getenv(name)
		if value == "" {
			problems = append(problems, fmt.Errorf("%s is not set", name))
		}
		return value
	}
	c := config{
		organizationsTable: required(envOrganizationsTable),
		countersTable:      required(envCountersTable),
		endpoint:           getenv(envEndpoint),
		region:             required(envRegion),
		function:           required(envFunction),
		version:            required(envVersion),
		accessKeyID:        required(envAccessKeyID),
		secretAccessKey:    required(envSecretAccessKey),
		sessionToken:       getenv(envSessionToken),
	}
	switch value := getenv(envRateLimits); value {
	case "on", "":
		c.rateLimits = true
	case "off":
	default:
		problems = append(problems, fmt.Errorf("%s is %q, want on or off", envRateLimits, value))
	}
	if value := getenv(envLogLevel); value != "" {
		if err := c.logLevel.UnmarshalText([]byte(value)); err != nil {
			problems = append(problems, fmt.Errorf("%s is %q, want debug, info, warn or error", envLogLevel, value))
		}
	}
	return c, errors.Join(problems...)
}

// store returns the store's settings.
func (c config) store() dynamo.Settings {
	return dynamo.Settings{
		Region:      c.region,
		Endpoint:    c.endpoint,
		Credentials: dynamo.Credentials(c.accessKeyID, c.secretAccessKey, c.sessionToken),
		Tables:      dynamo.Tables{Organizations: c.organizationsTable, Counters: c.countersTable},
	}
}
