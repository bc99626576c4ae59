package fastsdk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const signingStep = "Signing"

// replaceSigning puts a signing step into the place of the SDK's.
func replaceSigning(stack *middleware.Stack, options dynamodb.Options, clock *clock) error {
	endpoint, err := resolveEndpoint(options)
	if err != nil {
		return err
	}
	_, err = stack.Finalize.Swap(signingStep, &signing{
		endpoint:    endpoint,
		region:      options.Region,
		credentials: options.Credentials,
		signer:      options.HTTPSignerV4,
		clock:       clock,
	})
	return err
}

// resolveEndpoint returns the URL that all calls of a client with the options go to.
func resolveEndpoint(options dynamodb.Options) (*url.URL, error) {
	parameters := dynamodb.EndpointParameters{Region: &options.Region, Endpoint: options.BaseEndpoint}.WithDefaults()
	resolved, err := options.EndpointResolverV2.ResolveEndpoint(context.Background(), parameters)
	return &resolved.URI, err
}

// signing is the step that addresses a request to the endpoint and signs it. It is safe for concurrent use.
type signing struct {
	endpoint    *url.URL
	region      string
	credentials aws.CredentialsProvider
	signer      dynamodb.HTTPSignerV4
	clock       *clock
}

// ID returns the name of the SDK's step that it replaces.
func (s *signing) ID() string { return signingStep }

// HandleFinalize signs each attempt anew, as its time is part of the signature.
func (s *signing) HandleFinalize(
	ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	request, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, metadata, fmt.Errorf("signing a request of the type %T", in.Request)
	}
	request.URL.Scheme, request.URL.Host = s.endpoint.Scheme, s.endpoint.Host
	request.URL.Path = smithyhttp.JoinPath(s.endpoint.Path, request.URL.Path)
	hash, err := payloadHash(request)
	if err != nil {
		return out, metadata, fmt.Errorf("hashing a request: %w", err)
	}
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return out, metadata, fmt.Errorf("getting credentials: %w", err)
	}
	err = s.signer.SignHTTP(ctx, credentials, request.Request, hash, "dynamodb", s.region, s.clock.now())
	if err != nil {
		return out, metadata, fmt.Errorf("signing a request: %w", err)
	}
	return next.HandleFinalize(ctx, in)
}

// payloadHash returns the SHA-256 of the body, in hexadecimal, and leaves the body as it was.
func payloadHash(request *smithyhttp.Request) (string, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, request.GetStream()); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), request.RewindStream()
}

// clock is this machine's clock, corrected by how far the server's clock is ahead of it. AWS refuses a signature
// whose time is more than five minutes off. The zero clock is not corrected. It is safe for concurrent use.
type clock struct {
	ahead atomic.Int64 // nanoseconds
}

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// corrected reports whether the two clocks differ by more than a response's Date header can be off.
func (c *clock) corrected() bool { return c.ahead.Load() != 0 }

// correct sets how far the server's clock is ahead. Less than a minute counts as nothing: the Date header has whole
// seconds only, and the response took some time to come.
func (c *clock) correct(ahead time.Duration) {
	if ahead.Abs() < time.Minute {
		ahead = 0
	}
	c.ahead.Store(int64(ahead))
}
