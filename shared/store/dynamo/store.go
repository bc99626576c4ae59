// Package dynamo keeps organizations in DynamoDB. It is the only package that knows the AWS SDK, and its errors are those
// of package store: nothing of the SDK's own escapes as something a caller has to recognise.
//
// An organization is one item, its keys included, so that authenticating a request and reading its record are one call. It must
// import neither the config nor the attributevalue package of the SDK: their start-up time would be paid by every new
// Lambda sandbox. Who needs the standard credential chain resolves it outside and passes the result in.
package dynamo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"organizations-api/shared/store"
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
	// AttemptTimeout bounds one attempt of a call; 0 stands for DefaultAttemptTimeout.
	AttemptTimeout time.Duration
	// Transport sends the requests; nil stands for connections of the store's own.
	Transport http.RoundTripper
}

// Store is safe for concurrent use.
type Store struct {
	client   *client
	http     *sender
	endpoint string
	tables   Tables
}

// DefaultAttemptTimeout is chosen so that three attempts fit into the ten seconds that a function has.
const DefaultAttemptTimeout = 2500 * time.Millisecond

// The other bounds of one call.
const (
	connectTimeout = time.Second
	maxAttempts    = 3
	maxBackoff     = 300 * time.Millisecond
)

// Open returns a store on the tables. It makes no call.
func Open(s Settings) (*Store, error) {
	if s.Region == "" || s.Credentials == nil || s.Tables.Organizations == "" || s.Tables.Counters == "" {
		return nil, errors.New("opening the DynamoDB store: the region, the credentials or a table's name is not set")
	}
	sender := &sender{transport: s.Transport, timeout: cmp.Or(s.AttemptTimeout, DefaultAttemptTimeout)}
	if s.Transport == nil {
		sender.transport = newTransport()
	}
	base, err := s.base()
	if err != nil {
		return nil, fmt.Errorf("opening the DynamoDB store: %w", err)
	}
	endpoint := base.String()
	signing := &signing{endpoint: base, region: s.Region, credentials: s.Credentials, signer: v4.NewSigner()}
	options := dynamodb.Options{
		Region:       s.Region,
		BaseEndpoint: &endpoint,
		Credentials:  s.Credentials,
		HTTPClient:   sender,
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = maxAttempts
			o.MaxBackoff = maxBackoff
			o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(unavailable))
		}),
	}
	return &Store{client: newClient(options, signing.trim), http: sender, endpoint: endpoint, tables: s.Tables}, nil
}

// base returns the endpoint of all requests: the SDK's for the region, where none is set.
func (s Settings) base() (*url.URL, error) {
	if s.Endpoint == "" {
		found, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(),
			dynamodb.EndpointParameters{Region: &s.Region}.WithDefaults())
		return &found.URI, err
	}
	base, err := url.Parse(s.Endpoint)
	if err == nil && base.Host == "" {
		err = fmt.Errorf("%q is no URL of an endpoint", s.Endpoint)
	}
	return base, err
}

// Credentials returns a provider of credentials that never change, such as those that Lambda puts into a function's environment for
// the life of its sandbox.
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

// Prime opens the connection that the first request will use, by a plain GET that needs no permission and reads nothing.
// Done while a sandbox initialises, at full CPU share, it takes the TLS handshake out of the first request. It gives up
// when ctx is done; it reports nothing, as the first request finds out by itself whatever is wrong.
func (s *Store) Prime(ctx context.Context) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.endpoint, nil)
	if err != nil {
		return
	}
	response, err := s.http.Do(request)
	if err != nil {
		return
	}
	const enough = 64 << 10 // read to the end, or the connection is not kept
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, enough))
	_ = response.Body.Close()
}
