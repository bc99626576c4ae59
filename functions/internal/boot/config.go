package boot

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"organizations-api/shared/store/dynamo"
)

// The variables of a function's environment. template.yaml sets them, except those that the Lambda runtime sets.
const (
	envOrganizationsTable = "ORGANIZATIONS_TABLE"
	envCountersTable      = "COUNTERS_TABLE"
	envRateLimits         = "RATE_LIMITS"               // on or off
	envLogLevel           = "LOG_LEVEL"                 // debug, info, warn or error
	envEndpoint           = "AWS_ENDPOINT_URL_DYNAMODB" // empty: see findEndpoint
	envRegion             = "AWS_REGION"                // the runtime sets this and those that follow
	envFunction           = "AWS_LAMBDA_FUNCTION_NAME"
	envVersion            = "AWS_LAMBDA_FUNCTION_VERSION"
	envAccessKeyID        = "AWS_ACCESS_KEY_ID"
	envSecretAccessKey    = "AWS_SECRET_ACCESS_KEY"
	envSessionToken       = "AWS_SESSION_TOKEN" // empty only outside AWS
)

// These are read too, as every AWS tool reads them. template.yaml does not set them.
const (
	envAllEndpoints    = "AWS_ENDPOINT_URL"                    // of every service
	envIgnoreEndpoints = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" // true or false
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
		region:             required(envRegion),
		function:           required(envFunction),
		version:            required(envVersion),
		accessKeyID:        required(envAccessKeyID),
		secretAccessKey:    required(envSecretAccessKey),
		sessionToken:       getenv(envSessionToken),
	}
	var err error
	if c.endpoint, err = findEndpoint(getenv); err != nil {
		problems = append(problems, err)
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

// findEndpoint returns the base URL of another DynamoDB than the region's own, and "" if there is none. The rules are
// those of "Service-specific endpoints" in the AWS SDKs and Tools Reference Guide, as far as they are about the
// environment. A function has no configuration file of AWS, and to read one would slow its start.
func findEndpoint(getenv func(string) string) (string, error) {
	switch value := getenv(envIgnoreEndpoints); {
	case strings.EqualFold(value, "true"):
		return "", nil
	case value != "" && !strings.EqualFold(value, "false"):
		return "", fmt.Errorf("%s is %q, want true or false", envIgnoreEndpoints, value)
	}
	for _, name := range []string{envEndpoint, envAllEndpoints} {
		if value := getenv(name); value != "" {
			if err := dynamo.CheckEndpoint(value); err != nil {
				return "", fmt.Errorf("%s is wrong: %w", name, err)
			}
			return value, nil
		}
	}
	return "", nil
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
