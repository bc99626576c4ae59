package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"organizations-api/local/lambda"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/sqlite"
)

// storage is an open store.
type storage struct {
	engine
	choice string   // as the caller wrote it
	local  bool     // it is on this machine
	place  string   // tells it from other stores, wherever the command runs
	tables []string // that createTables creates
	region string   // "" where the engine has none

	createTables func(context.Context) error // nil where the engine has none
	functions    *lambda.Settings            // what built functions need to use the store; nil where they cannot
	close        func() error
}

// engine is all that an engine of the store offers.
type engine interface {
	store.Records
	store.Counters
	store.UseNotes
	store.Operator

	// Examine looks at the engine without changing anything; now is the clock to be compared with others'.
	Examine(ctx context.Context, now func() time.Time) []store.Finding
}

// The engines, as a choice of the store names them.
const (
	engineSQLite   = "sqlite"
	engineDynamoDB = "dynamodb"
)

// parseChoice parts the choice of a store, sqlite:PATH or dynamodb:PREFIX, without looking for the store.
func parseChoice(choice string) (name, rest string, err error) {
	name, rest, _ = strings.Cut(choice, ":")
	if rest == "" || name != engineSQLite && name != engineDynamoDB {
		return "", "", usageError("the store %q is neither sqlite:PATH nor dynamodb:PREFIX", choice)
	}
	return name, rest, nil
}

// openStorage opens the store that choice names: sqlite:PATH or dynamodb:PREFIX.
func openStorage(ctx context.Context, choice string, getenv func(string) string) (*storage, error) {
	name, rest, err := parseChoice(choice)
	if err != nil {
		return nil, err
	}
	if name == engineSQLite {
		return openSQLite(ctx, choice, rest, sqlite.Open)
	}
	return openDynamoDB(ctx, choice, rest, getenv)
}

// needsDynamoDB refuses another store, for the reason why. It opens nothing, as that would make a file where there is none.
func (a *app) needsDynamoDB(why string) error {
	name, _, err := parseChoice(a.storeChoice())
	if err == nil && name != engineDynamoDB {
		return usageError("%s; --store is %s, and dynamodb:PREFIX would do", why, printable(a.storeChoice()))
	}
	return err
}

// openSQLite opens the file; the engine makes it and its folders where they are missing.
func openSQLite(
	ctx context.Context, choice, path string, open func(context.Context, string) (*sqlite.Store, error),
) (*storage, error) {
	s, err := open(ctx, path)
	if err != nil {
		return nil, err
	}
	place, err := filepath.Abs(path)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &storage{engine: s, choice: choice, local: true, place: "sqlite:" + place, close: s.Close}, nil
}

// tablePrefix is what DynamoDB accepts in a table's name, less room for what follows it.
var tablePrefix = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,200}$`)

const endpointVariable = "AWS_ENDPOINT_URL_DYNAMODB"

// openDynamoDB opens the tables with the prefix.
func openDynamoDB(ctx context.Context, choice, prefix string, getenv func(string) string) (*storage, error) {
	if !tablePrefix.MatchString(prefix) {
		return nil, usageError("the store %q has a prefix that cannot stand in a table's name", choice)
	}
	settings, err := awsSettings(ctx, getenv(endpointVariable))
	if err != nil {
		return nil, err
	}
	settings.Tables = dynamo.TablesWithPrefix(prefix)
	s, err := dynamo.Open(settings)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", choice, err)
	}
	functions, err := functionSettings(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", choice, err)
	}
	return &storage{
		engine:       s,
		choice:       choice,
		region:       settings.Region,
		local:        onThisMachine(settings.Endpoint),
		place:        choice + " in " + cmp.Or(settings.Endpoint, settings.Region),
		functions:    functions,
		tables:       []string{settings.Tables.Organizations, settings.Tables.Counters},
		createTables: s.CreateTables,
		close:        func() error { return nil },
	}, nil
}

// awsSettings finds region and credentials where every AWS tool does. An endpoint on this machine is no AWS and needs
// neither, but the SDK does; so there made-up ones stand in for those that are not configured.
func awsSettings(ctx context.Context, endpoint string) (dynamo.Settings, error) {
	settings := dynamo.Settings{Endpoint: endpoint}
	local := onThisMachine(endpoint)
	loaded, err := config.LoadDefaultConfig(ctx, func(o *config.LoadOptions) error {
		if local {
			o.EC2IMDSClientEnableState = imds.ClientDisabled // it would be waited for where there is none
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
		return settings, fail(kindNoAccess, "no AWS region is set; set AWS_REGION, or name a profile that has one with AWS_PROFILE")
	}
	return settings, nil
}

// localAttemptTimeout leaves a DynamoDB that shares this machine with everything else the whole time of a request.
const localAttemptTimeout = 10 * time.Second

// onThisMachine reports whether an endpoint is of a loopback address.
func onThisMachine(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
}

// missesTables reports whether err says that the DynamoDB tables do not exist.
func missesTables(err error) bool { return errors.Is(err, dynamo.ErrNoTable) }
