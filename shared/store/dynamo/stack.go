package dynamo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// For each call the SDK goes through some thirty steps, most of which do nothing here, or find out every time what never
// changes. trim takes those out of the three operations that serve requests, and puts two in the place of those that can
// be had for less: signing and deserializer. What stays is the SDK's: validation, the idempotency token, serialization, retries,
// the signature itself, and every error. docs/performance.md has what that saves.

// trim is for dynamodb.Options.APIOptions. Where the SDK has a step no more by its name, every call fails, so that none
// comes back unseen.
func (s *signing) trim(stack *middleware.Stack) error {
	operation := stack.ID()
	errs := []error{
		remove(stack.Serialize, "setOperationInput", "ResolveEndpoint"),
		remove(stack.Build, "ClientRequestID", "UserAgent", "RecursionDetection"),
		remove(stack.Finalize, "DisableAcceptEncodingGzip", "InterceptBeforeRetryLoop", "InterceptAttempt",
			"ResolveAuthScheme", "GetIdentity", "ResolveEndpointV2", "disableHTTPS", "DiscoverEndpoint",
			"ComputePayloadHash", "setLegacyContextSigningOptions"),
		remove(stack.Deserialize, "AddRawResponseToMetadata", "RequestIDRetriever", "RecordResponseTiming",
			"DynamoDB:ResponseChecksumValidation", "RequestResponseLogger"),
	}
	if operation == onlyOnce {
		errs = append(errs, remove(stack.Finalize, "Retry"))
	}
	_, err := stack.Finalize.Swap("Signing", s)
	errs = append(errs, err)
	decode, err := decoderOf(operation)
	errs = append(errs, err)
	reading := &deserializer{decode: decode}
	reading.sdk, err = stack.Deserialize.Swap("OperationDeserializer", reading)
	return errors.Join(append(errs, err)...)
}

// onlyOnce is the operation of Count and NoteUse, of which no attempt is repeated.
const onlyOnce = "UpdateItem"

func remove[M any](step interface{ Remove(id string) (M, error) }, ids ...string) error {
	for _, id := range ids {
		if _, err := step.Remove(id); err != nil {
			return fmt.Errorf("trimming the SDK's stack: %w", err)
		}
	}
	return nil
}

// signing is the step that sends a request to the endpoint and signs it. It is safe for concurrent use.
type signing struct {
	endpoint    *url.URL
	region      string
	credentials aws.CredentialsProvider
	signer      *v4.Signer
}

// ID is that of the SDK's step whose place it takes.
func (s *signing) ID() string { return "Signing" }

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
	if err := s.signer.SignHTTP(ctx, credentials, request.Request, hash, "dynamodb", s.region, time.Now()); err != nil {
		return out, metadata, fmt.Errorf("signing a request: %w", err)
	}
	return next.HandleFinalize(ctx, in)
}

// payloadHash leaves the body as it was.
func payloadHash(request *smithyhttp.Request) (string, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, request.GetStream()); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), request.RewindStream()
}
