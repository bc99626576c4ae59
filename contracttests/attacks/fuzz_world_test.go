package attacks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/harness/operator"
	"organizations-api/contracttests/judge"
	"organizations-api/shared/organization"
)

// fuzzWorld is both functions as Lambda calls them, by bytes, on a store in memory with keys of every sort. It is for
// one goroutine.
type fuzzWorld struct {
	reset     func()                    // undoes all changes, in the store and in what the functions remember
	functions map[string]lambda.Handler // by method
	keys      []string                  // the second one is the admin key of an organization that can do everything
	secrets   []string                  // that no answer may have
	counts    map[int]int               // answers by status
	refused   int                       // events that the runtime could not decode
}

// fuzzNow is the time of all fuzzed requests, so that a run is the same each time.
var fuzzNow = time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC)

func newFuzzWorld(t testing.TB) *fuzzWorld {
	t.Helper()
	clock := func() time.Time { return fuzzNow }
	memory := local.NewMemory()
	op := operator.New(memory, clock)
	w := &fuzzWorld{functions: map[string]lambda.Handler{}, counts: map[int]int{}}
	provision := func(spec harness.TenantSpec, kinds ...harness.KeyKind) harness.Tenant {
		made, err := op.Provision(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range kinds {
			w.keys = append(w.keys, made.Keys[kind])
		}
		w.secrets = append(w.secrets, made.Secrets...)
		return made
	}
	limited := provision(harness.TenantSpec{Keys: []harness.KeyKind{}}, harness.KeyAdmin)
	provision(harness.TenantSpec{}, harness.KeyAdmin, harness.KeyRead, harness.KeyNone, harness.KeyExpired,
		harness.KeyRevoked, harness.KeyUnknown)
	provision(harness.TenantSpec{Deleted: true, Keys: []harness.KeyKind{}}, harness.KeyAdmin)
	restore := memory.Save()
	w.reset = func() {
		restore()
		// A service remembers what it has counted, which the store has just forgotten.
		service := local.NewService(t, fuzzStore{memory, limited.ID}, local.Options{Now: clock})
		for method, adapter := range service.Functions() {
			w.functions[method] = lambda.NewHandler(adapter.Handle)
		}
	}
	w.reset()
	return w
}

// fuzzStore counts so many requests of one organization that it is over its limit.
type fuzzStore struct {
	*local.Memory
	limited string
}

func (s fuzzStore) Count(
	ctx context.Context, id organization.ID, category organization.Category, window time.Time, n int64,
) (int64, error) {
	sum, err := s.Memory.Count(ctx, id, category, window, n)
	if string(id) == s.limited {
		sum += organization.MaxLimit
	}
	return sum, err
}

// try gives the event to the function of the method, and returns an error if the answer is wrong.
func (w *fuzzWorld) try(method string, event []byte) error {
	answered, err := w.functions[method].Invoke(context.Background(), event)
	var sent events.APIGatewayV2HTTPRequest
	unreadable := json.NewDecoder(bytes.NewReader(event)).Decode(&sent) // as the runtime reads it, whatever follows
	if err != nil || unreadable != nil {
		if (err != nil) != (unreadable != nil) {
			return fmt.Errorf("the function returned the error %v; decoding the event: %v", err, unreadable)
		}
		w.refused++ // the gateway sends no such event; Lambda would report the error
		return nil
	}
	var got events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answered, &got); err != nil {
		return fmt.Errorf("the function returned %q: %w", answered, err)
	}
	w.counts[got.StatusCode]++
	if sent.RequestContext.HTTP.Method == http.MethodHead { // HTTP takes the body off, and there is no such operation
		if got.StatusCode != http.StatusNotFound || got.Body != "" {
			return fmt.Errorf("HEAD is answered with %d %q", got.StatusCode, got.Body)
		}
		return nil
	}
	return errors.Join(w.harmless(got), wellRouted(method, sent, got), conforms(method, sent, got))
}

// harmless returns an error if the answer is a 5xx or contains a secret.
func (w *fuzzWorld) harmless(got events.APIGatewayV2HTTPResponse) error {
	if got.StatusCode >= 500 {
		return fmt.Errorf("the status is %d: %s", got.StatusCode, got.Body)
	}
	for _, secret := range w.secrets {
		if strings.Contains(got.Body, secret) {
			return fmt.Errorf("the answer has a secret that begins with %.6s", secret)
		}
	}
	return nil
}

// wellRouted returns an error if the function refuses its own method and path, or answers another method.
func wellRouted(method string, sent events.APIGatewayV2HTTPRequest, got events.APIGatewayV2HTTPResponse) error {
	refused := got.StatusCode == http.StatusNotFound && strings.Contains(got.Body, `"route_not_found"`)
	asked := sent.RequestContext.HTTP.Method
	switch plain := sent.RawPath == harness.Path && sent.RequestContext.Stage == "$default"; {
	case asked != method && !refused:
		return fmt.Errorf("%q %q is answered by the function of %s with %d", asked, sent.RawPath, method, got.StatusCode)
	case asked == method && plain && refused:
		return fmt.Errorf("%s %s is refused as unknown", asked, sent.RawPath)
	default:
		return nil
	}
}

// conforms returns an error if the answer does not conform to the document, as an answer of the function's operation.
func conforms(method string, sent events.APIGatewayV2HTTPRequest, got events.APIGatewayV2HTTPResponse) error {
	header := http.Header{}
	for name, values := range got.MultiValueHeaders {
		for _, value := range values {
			header.Add(name, value)
		}
	}
	for name, value := range got.Headers {
		if !slices.Contains(header.Values(name), value) {
			header.Add(name, value)
		}
	}
	if got.IsBase64Encoded {
		return errors.New("the answer is base64, which JSON never needs")
	}
	request := judge.Request{Method: method, URL: harness.Path, Header: http.Header{}, Body: []byte(sent.Body)}
	for _, name := range slices.Sorted(maps.Keys(sent.Headers)) { // two spellings of a name are two values
		request.Header.Add(name, sent.Headers[name])
	}
	violations := harness.Validator().Check(judge.Exchange{
		Request: request, Response: judge.Response{Status: got.StatusCode, Header: header, Body: []byte(got.Body)},
	})
	var all []error
	for _, v := range violations {
		all = append(all, errors.New(v.String()))
	}
	return errors.Join(all...)
}
