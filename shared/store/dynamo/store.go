// Package dynamo keeps organizations in DynamoDB. It is the only package that imports the AWS SDK, and its errors are
// those of package store: a caller never has to recognise an error of the SDK.
//
// An organization is one item that holds its record and its keys, so that one call both authenticates a request and
// reads the record. Where to look:
//
//   - items.go: how things are stored. Keys of items, names of attributes, records and API keys as items.
//   - requests.go: the calls that serve requests. Find, Update, Count, NoteUse, and what they consume.
//   - settings.go: what is of the store as a whole.
//   - organizations.go, revisions.go, apikeys.go, audit.go, export.go: the operator's calls, by subject.
//   - transactions.go: a change together with its audit entry, and why a transaction failed.
//   - errors.go: which kind of error an error of the SDK is, and what is tried again.
//   - tables.go: making the tables, and looking whether they are as they should be.
//   - internal/fastsdk: the SDK's client at a lower cost. You need not read it to understand the store.
//
// The package must not import the config or the attributevalue package of the SDK: every new Lambda sandbox would pay
// for their start-up. Callers that need the standard credential chain resolve it themselves and pass the result in.
package dynamo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo/internal/fastsdk"
)

var (
	_ store.Records  = (*Store)(nil)
	_ store.Counters = (*Store)(nil)
	_ store.UseNotes = (*Store)(nil)
	_ store.Operator = (*Store)(nil)
)

// Tables names the two tables.
type Tables struct {
	Organizations string // records with their keys, and audit trails
	Counters      string // requests counted, and when keys were last used
}

// TablesWithPrefix returns the names PREFIX-organizations and PREFIX-counters.
func TablesWithPrefix(prefix string) Tables {
	return Tables{Organizations: prefix + "-organizations", Counters: prefix + "-counters"}
}

// Settings is where the tables are and who asks for them. Region, Credentials and Tables must be set.
type Settings struct {
	Region      string
	Endpoint    string // base URL; "" is the region's own
	Credentials aws.CredentialsProvider
	Tables      Tables
	// AttemptTimeout bounds one attempt of a call; 0 means DefaultAttemptTimeout.
	AttemptTimeout time.Duration
	// Transport sends the requests; nil means connections of the store's own.
	Transport http.RoundTripper
}

// DefaultAttemptTimeout is chosen so that three attempts fit into the ten seconds that a function has.
const DefaultAttemptTimeout = 2500 * time.Millisecond

// Store is safe for concurrent use.
type Store struct {
	calls    client           // the calls that serve requests, with retries
	once     client           // the same, with one attempt of each call
	sdk      *dynamodb.Client // all other calls, with retries
	http     *fastsdk.HTTPClient
	endpoint string
	tables   Tables
}

// client makes the calls that serve requests. Both *fastsdk.Client and *dynamodb.Client are clients.
type client interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	TransactWriteItems(
		context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
	) (*dynamodb.TransactWriteItemsOutput, error)
}

// newClient returns the client that makes sdk's calls for requests. To use the SDK's plain client, return sdk itself.
func newClient(sdk *dynamodb.Client, http *fastsdk.HTTPClient) client { return fastsdk.New(sdk, http) }

// Open returns a store on the tables. It makes no call.
func Open(s Settings) (*Store, error) { return open(s, newClient) }

func open(s Settings, newClient func(*dynamodb.Client, *fastsdk.HTTPClient) client) (*Store, error) {
	if s.Region == "" || s.Credentials == nil || s.Tables.Organizations == "" || s.Tables.Counters == "" {
		return nil, errors.New("opening the DynamoDB store: the region, the credentials or a table's name is not set")
	}
	endpoint, err := s.endpoint()
	if err != nil {
		return nil, fmt.Errorf("opening the DynamoDB store: %w", err)
	}
	httpClient := fastsdk.NewHTTPClient(s.Transport, cmp.Or(s.AttemptTimeout, DefaultAttemptTimeout))
	options := dynamodb.Options{
		Region:       s.Region,
		BaseEndpoint: &endpoint,
		Credentials:  s.Credentials,
		HTTPClient:   httpClient,
		Retryer:      newRetryer(),
		APIOptions:   []func(*middleware.Stack) error{addMeter},
	}
	sdk := dynamodb.New(options)
	options.Retryer = aws.NopRetryer{}
	return &Store{
		calls:    newClient(sdk, httpClient),
		once:     newClient(dynamodb.New(options), httpClient),
		sdk:      sdk,
		http:     httpClient,
		endpoint: endpoint,
		tables:   s.Tables,
	}, nil
}

// endpoint returns the base URL of all calls: the region's own if none is set.
func (s Settings) endpoint() (string, error) {
	if s.Endpoint == "" {
		found, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(),
			dynamodb.EndpointParameters{Region: &s.Region}.WithDefaults())
		return found.URI.String(), err
	}
	return s.Endpoint, CheckEndpoint(s.Endpoint)
}

// CheckEndpoint refuses a text that is not the URL of an endpoint: http:// or https://, a host, and perhaps a port and
// a path. The error quotes nothing that may be a password.
func CheckEndpoint(text string) error {
	const example = "want a URL such as http://127.0.0.1:8000"
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) {
		return fmt.Errorf("it has blanks or control characters in it; %s", example)
	}
	if strings.Contains(text, "@") {
		return fmt.Errorf("it has a user name or a password in it; %s", example)
	}
	base, err := url.Parse(text)
	switch {
	case !strings.Contains(text, "://"):
		return fmt.Errorf("%q does not begin with http:// or https://; %s", text, example)
	case err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "":
		return fmt.Errorf("%q is not the URL of an endpoint; %s", text, example)
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return fmt.Errorf("%q has more than a host, a port and a path; %s", text, example)
	}
	return nil
}

// Credentials returns a provider of credentials that never change. Lambda puts such credentials into a function's
// environment for the life of its sandbox.
func Credentials(accessKeyID, secretAccessKey, sessionToken string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID:     accessKeyID,
			SecretAccessKey: secretAccessKey,
			SessionToken:    sessionToken,
			Source:          "static",
		}, nil
	})
}

// knock sends a plain GET to the endpoint and returns what the endpoint's clock says. The time is zero if the
// response does not say it.
func (s *Store) knock(ctx context.Context) (time.Time, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.endpoint, nil)
	if err != nil {
		return time.Time{}, err
	}
	response, err := s.http.Do(request)
	if err != nil {
		return time.Time{}, err
	}
	date, _ := http.ParseTime(response.Header.Get("Date"))
	return date, response.Body.Close()
}
