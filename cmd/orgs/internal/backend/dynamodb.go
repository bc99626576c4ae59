package backend

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"

	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/store/dynamo"
)

// EndpointVariable names the environment variable with the URL of a DynamoDB other than AWS's own.
const EndpointVariable = "AWS_ENDPOINT_URL_DYNAMODB"

// allEndpoints names the variable with the URL of all services of AWS, DynamoDB included.
const allEndpoints = "AWS_ENDPOINT_URL"

// tablePrefix matches the prefixes that DynamoDB accepts in the names of tables, with room for the rest of the names.
var tablePrefix = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,200}$`)

// openDynamoDB opens the tables with the prefix. It reads nothing from them, but it needs credentials.
func openDynamoDB(ctx context.Context, c Choice, prefix string, getenv func(string) string) (*Store, error) {
	if !tablePrefix.MatchString(prefix) {
		return nil, term.Fail(term.Usage, "the store %q has a prefix that cannot stand in a table's name", string(c))
	}
	settings, err := awsSettings(ctx, getenv)
	if err != nil {
		return nil, err
	}
	settings.Tables = dynamo.TablesWithPrefix(prefix)
	s, err := dynamo.Open(settings)
	if err == nil {
		_, err = Credentials(ctx, settings)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", term.Printable(string(c)), err)
	}
	return &Store{
		Engine:       s,
		Choice:       c,
		Local:        isLoopback(settings.Endpoint),
		Place:        string(c) + " in " + cmp.Or(settings.Endpoint, settings.Region),
		DynamoDB:     &settings,
		CreateTables: s.CreateTables,
		Close:        func() error { return nil },
	}, nil
}

// Credentials returns credentials that are valid now. Its error is a NoAccess failure.
func Credentials(ctx context.Context, s dynamo.Settings) (aws.Credentials, error) {
	c, err := s.Credentials.Retrieve(ctx)
	if err != nil {
		return c, term.Fail(term.NoAccess, "no AWS credentials: %v; sign in as for the AWS CLI, such as with AWS_PROFILE", err)
	}
	return c, nil
}

// localAttemptTimeout gives one attempt all the time of a request. A DynamoDB on this machine may be slow, because it
// shares the machine with everything else.
const localAttemptTimeout = 10 * time.Second

// awsSettings finds the endpoint, the region and the credentials in the same places as other AWS tools. An endpoint on
// this machine needs no region and no credentials, but the SDK does. So it gets made-up ones if none are configured.
func awsSettings(ctx context.Context, getenv func(string) string) (dynamo.Settings, error) {
	loaded, endpoint, err := loadConfig(ctx, getenv)
	if err != nil {
		return dynamo.Settings{}, err
	}
	settings := dynamo.Settings{Endpoint: endpoint, Region: loaded.Region, Credentials: loaded.Credentials}
	if isLoopback(endpoint) {
		settings.AttemptTimeout = localAttemptTimeout
		settings.Region = cmp.Or(settings.Region, "us-east-1")
		if _, err := loaded.Credentials.Retrieve(ctx); err != nil {
			settings.Credentials = dynamo.Credentials("local", "local", "")
		}
	}
	if settings.Region == "" {
		return settings, term.Fail(term.NoAccess,
			"no AWS region is set; set AWS_REGION, or name a profile that has one with AWS_PROFILE")
	}
	return settings, nil
}

// loadConfig reads the configuration of AWS's tools. The endpoint is "" for the region's own. If ctx ends, it does not
// wait for a file that cannot be read, such as a pipe.
func loadConfig(ctx context.Context, getenv func(string) string) (aws.Config, string, error) {
	type result struct {
		config   aws.Config
		endpoint string
		err      error
	}
	done := make(chan result, 1)
	go func() {
		loaded, endpoint, err := readConfig(ctx, getenv)
		done <- result{loaded, endpoint, err}
	}()
	select {
	case r := <-done:
		return r.config, r.endpoint, r.err
	case <-ctx.Done():
		return aws.Config{}, "", term.Fail(term.Interrupted, "interrupted while reading the AWS configuration")
	}
}

func readConfig(ctx context.Context, getenv func(string) string) (aws.Config, string, error) {
	load := func(instance imds.ClientEnableState) (aws.Config, error) {
		loaded, err := config.LoadDefaultConfig(ctx, func(o *config.LoadOptions) error {
			o.BaseEndpoint = cmp.Or(getenv(EndpointVariable), getenv(allEndpoints))
			o.EC2IMDSClientEnableState = instance
			o.Logger = logging.Nop{} // its texts are made of what others answer
			return nil
		})
		if err != nil {
			return loaded, term.Fail(term.NoAccess, "the AWS configuration cannot be read: %v", err)
		}
		return loaded, nil
	}
	loaded, err := load(imds.ClientDefaultEnableState)
	if err != nil {
		return loaded, "", err
	}
	endpoint := aws.ToString(dynamodb.NewFromConfig(loaded).Options().BaseEndpoint)
	if endpoint == "" {
		return loaded, "", nil
	}
	if err := dynamo.CheckEndpoint(endpoint); err != nil {
		return loaded, "", term.Fail(term.NoAccess, "%s is wrong: %v", endpointSource(endpoint, getenv), err)
	}
	if isLoopback(endpoint) {
		loaded, err = load(imds.ClientDisabled) // asking for it takes seconds where there is none
	}
	return loaded, endpoint, err
}

// endpointSource says where an endpoint comes from.
func endpointSource(endpoint string, getenv func(string) string) string {
	for _, name := range []string{EndpointVariable, allEndpoints} {
		if getenv(name) == endpoint {
			return name
		}
	}
	return "endpoint_url in the AWS configuration file"
}

// isLoopback reports whether the URL is of this machine.
func isLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
}

// TablesAdvice says how to get the missing tables. The command creates tables only for a DynamoDB on this machine. In
// AWS, tables that it created would have no recovery and no protection, and most likely only the name or the region is
// wrong.
func (s *Store) TablesAdvice() string {
	if s.Local {
		return "create them with: " + s.Choice.CommandLine("tables create")
	}
	return "check the prefix in --store and the region; in AWS the stack creates them"
}
