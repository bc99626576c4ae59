package fastsdk

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
)

// A step of the SDK's stack has one of these fates.
type fate int

const (
	kept     fate = iota
	replaced      // by a step of ours in the same place
	dropped
	retrying // kept, but dropped where the client makes one attempt
	token    // kept, and in the stack of TransactWriteItems only
)

// sdkSteps are all steps of the SDK's stack, in their order. The comments in dropSteps say why a step is dropped. A
// step that is kept or replaced, or whose work is done in another place, has a test that fails without that work. When
// TestSteps fails after an update of the SDK, find out what the new step does, add it here, and drop it or keep it.
var sdkSteps = []struct {
	id      string
	fate    fate
	shownBy string // the test; "" for what is not done at all
}{
	// Initialize
	{"OperationIdempotencyTokenAutoFill", token, "TestTokenStaysTheSame"}, // all attempts of a transaction count as one
	{"OperationInputValidation", kept, "TestEndsEarly"},
	// Serialize
	{"setOperationInput", dropped, ""},
	{"ResolveEndpoint", dropped, ""},
	{"OperationSerializer", kept, "TestRequestsAreSigned"},
	// Build
	{"ClientRequestID", dropped, ""},
	{"UserAgent", dropped, ""},
	{"RecursionDetection", dropped, ""},
	// Finalize
	{"DisableAcceptEncodingGzip", dropped, ""},
	{"InterceptBeforeRetryLoop", dropped, ""},
	{"Retry", retrying, "TestAsThePlainClient"}, // also retries a signature that was refused for its time: TestClock
	{"InterceptAttempt", dropped, ""},
	{"ResolveAuthScheme", dropped, ""},
	{"GetIdentity", dropped, "TestEndsEarly"}, // done by signing
	{"ResolveEndpointV2", dropped, "TestRequestsAreSigned"},
	{"disableHTTPS", dropped, ""},
	{"DiscoverEndpoint", dropped, ""},
	{"ComputePayloadHash", dropped, "TestRequestsAreSigned"},
	{"setLegacyContextSigningOptions", dropped, ""},
	{"Signing", replaced, "TestRequestsAreSigned"}, // also sets the endpoint, hashes the payload, gets the credentials
	// Deserialize
	{"AddRawResponseToMetadata", dropped, ""},
	{"ResponseErrorWrapper", kept, "TestAsThePlainClient"}, // puts status and request id into an error
	{"RequestIDRetriever", dropped, "TestAsThePlainClient"},
	{"OperationDeserializer", replaced, "TestAsThePlainClient"},       // the SDK's still reads all but a success
	{"RecordResponseTiming", dropped, "TestClock"},                    // called by reading, when it matters
	{"DynamoDB:ResponseChecksumValidation", dropped, "TestResponses"}, // done by HTTPClient, for every client
	{"RequestResponseLogger", dropped, ""},
}

// TestStepsAreShown: each step that does something has a test of this package.
func TestStepsAreShown(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{"": true}
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
			tests[string(found[1])] = true
		}
	}
	for _, step := range sdkSteps {
		if !tests[step.shownBy] || step.shownBy == "" && step.fate != dropped {
			t.Errorf("the step %s is shown by %q, want a test of this package", step.id, step.shownBy)
		}
	}
}

// wanted returns the steps of the SDK's stack for the operation, and those that are left in ours.
func wanted(operation string, oneAttempt bool) (sdk, ours []string) {
	for _, step := range sdkSteps {
		if step.fate == token && operation != "TransactWriteItems" {
			continue
		}
		sdk = append(sdk, step.id)
		if step.fate == dropped || step.fate == retrying && oneAttempt {
			continue
		}
		ours = append(ours, step.id)
	}
	return sdk, ours
}

func ids(stack *middleware.Stack) []string {
	return slices.Concat(stack.Initialize.List(), stack.Serialize.List(), stack.Build.List(), stack.Finalize.List(),
		stack.Deserialize.List())
}

// checkSteps compares the stack of an operation with sdkSteps.
func checkSteps[In, Out any](t *testing.T, o *operation[In, Out], m *method[In, Out], oneAttempt bool) {
	t.Helper()
	sdk, ours := wanted(m.name, oneAttempt)
	stack, err := o.stack(m)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sdk, ids(stack)); diff != "" {
		t.Errorf("the SDK's steps of %s are not those of sdkSteps (-want +got):\n%s", m.name, diff)
	}
	if err := o.rebuild(m, stack); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ours, ids(stack)); diff != "" {
		t.Errorf("the steps that are left of %s (-want +got):\n%s", m.name, diff)
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	for _, oneAttempt := range []bool{false, true} {
		options := dynamodb.Options{Region: "eu-central-1"}
		if oneAttempt {
			options.Retryer = aws.NopRetryer{}
		}
		c := New(dynamodb.New(options), NewHTTPClient(nil, time.Second))
		checkSteps(t, &c.getItem, &getItemMethod, oneAttempt)
		checkSteps(t, &c.updateItem, &updateItemMethod, oneAttempt)
		checkSteps(t, &c.transactWriteItems, &transactWriteItemsMethod, oneAttempt)
	}
}

// TestMissingStep: if the SDK's stack lacks a step that is dropped or replaced, every call fails.
func TestMissingStep(t *testing.T) {
	t.Parallel()
	for _, step := range sdkSteps {
		if step.fate != dropped && step.fate != replaced {
			continue
		}
		remove := func(stack *middleware.Stack) error {
			for _, phase := range []func(string) error{
				func(id string) error { _, err := stack.Serialize.Remove(id); return err },
				func(id string) error { _, err := stack.Build.Remove(id); return err },
				func(id string) error { _, err := stack.Finalize.Remove(id); return err },
				func(id string) error { _, err := stack.Deserialize.Remove(id); return err },
			} {
				_ = phase(step.id) // it is in one of them
			}
			return nil
		}
		options := dynamodb.Options{Region: "eu-central-1", APIOptions: []func(*middleware.Stack) error{remove}}
		c := New(dynamodb.New(options), NewHTTPClient(nil, time.Second))
		_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{})
		if err == nil || !strings.Contains(err.Error(), "assembling the steps of GetItem") {
			t.Errorf("without the step %s: GetItem = %v, want an error that says so", step.id, err)
		}
	}
}
