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

	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/store/dynamo"
)

// EndpointVariable names the environment variable with the URL of a DynamoDB other than AWS's own.
const EndpointVariable = "AWS_ENDPOINT_URL_DYNAMODB"

// tablePrefix is what DynamoDB accepts in a table's name, less room for what follows it.
var tablePrefix = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,200}$`)

// openDynamoDB opens the tables with the prefix. It reads nothing from them, but it needs credentials.
func openDynamoDB(ctx context.Context, c Choice, prefix string, getenv func(string) string) (*Store, error) {
	if !tablePrefix.MatchString(prefix) {
		return nil, term.Fail(term.Usage, "the store %q has a prefix that cannot stand in a table's name", string(c))
	}
	settings, err := awsSettings(ctx, getenv(EndpointVariable))
	if err != nil {
		return nil, err
	}
	settings.Tables = dynamo.TablesWithPrefix(prefix)
	s, err := dynamo.Open(settings)
	if err == nil {
		_, err = Credentials(ctx, settings)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", c, err)
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

// Credentials returns the credentials of now. Its error is a NoAccess failure.
func Credentials(ctx context.Context, s dynamo.Settings) (aws.Credentials, error) {
	c, err := s.Credentials.Retrieve(ctx)
	if err != nil {
		return c, term.Fail(term.NoAccess, "no AWS credentials: %v; sign in as for the AWS CLI, such as with AWS_PROFILE", err)
	}
	return c, nil
}

// localAttemptTimeout leaves a DynamoDB that shares this machine with everything else the whole time of a request.
const localAttemptTimeout = 10 * time.Second

// awsSettings finds region and credentials where every AWS tool does. An endpoint on this machine needs neither, but the
// SDK does: made-up ones stand in for those that are not configured.
func awsSettings(ctx context.Context, endpoint string) (dynamo.Settings, error) {
	settings := dynamo.Settings{Endpoint: endpoint}
	local := isLoopback(endpoint)
	loaded, err := config.LoadDefaultConfig(ctx, func(o *config.LoadOptions) error {
		if local {
			o.EC2IMDSClientEnableState = imds.ClientDisabled // asking for it takes seconds where there is none
		}
		return nil
	})
	if err != nil {
		return settings, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	settings.Region, settings.Credentials = loaded.Region, loaded.Credentials
	if local {
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

// isLoopback reports whether the URL is of this machine.
func isLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
}

// TablesAdvice says where missing tables come from. The command creates tables for a DynamoDB on this machine only: in
// AWS they would have neither recovery nor protection, and most likely only the name or the region is wrong.
func (c Choice) TablesAdvice(getenv func(string) string) string {
	if isLoopback(getenv(EndpointVariable)) {
		return "create them with: " + c.CommandLine("tables create")
	}
	return "check the prefix in --store and the region; in AWS the stack creates them"
}
