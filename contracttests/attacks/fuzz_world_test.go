package attacks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/judge"
	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/lambdahttp"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/telemetry"
)

// fuzzWorld is both functions as Lambda calls them, by bytes, on a store in memory that knows keys of every sort. It is for
// one goroutine.
type fuzzWorld struct {
	records   *local.Memory
	first     map[organization.ID]store.Found // the records at the beginning
	functions map[string]lambda.Handler       // by method
	keys      []string
	secrets   []string // that no answer may have
	counts    map[int]int
	refused   int // events that the runtime could not decode
}

// fuzzNow is the clock of all fuzzed requests, so that a run is the same each time.
var fuzzNow = time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC)

func newFuzzWorld() (*fuzzWorld, error) {
	w := &fuzzWorld{records: local.NewMemory(), functions: map[string]lambda.Handler{}, counts: map[int]int{}}
	past := fuzzNow.Add(-time.Hour)
	limited := w.tenant(apikey.Admin, func(*organization.Organization, *apikey.Record) {})
	w.tenant(apikey.Admin, func(*organization.Organization, *apikey.Record) {})
	w.tenant(apikey.Read, func(*organization.Organization, *apikey.Record) {})
	w.tenant(apikey.None, func(*organization.Organization, *apikey.Record) {})
	w.tenant(apikey.Admin, func(_ *organization.Organization, k *apikey.Record) { k.ExpiresAt = &past })
	w.tenant(apikey.Admin, func(_ *organization.Organization, k *apikey.Record) { k.RevokedAt = &past })
	w.tenant(apikey.Admin, func(o *organization.Organization, _ *apikey.Record) { o.DeletedAt = &past })
	w.keys = append(w.keys, apikey.New(organization.NewID(), apikey.Live).Reveal())
	w.first = maps.Clone(w.records.Found)
	service, err := api.New(api.Options{
		Records: w.records, Counters: usedUp{limited}, Now: func() time.Time { return fuzzNow },
		Observe: telemetry.Log(slog.New(slog.DiscardHandler), nil),
	})
	if err != nil {
		return nil, err
	}
	for _, route := range service.Routes() {
		adapter := lambdahttp.New(route.Handler, slog.New(slog.DiscardHandler))
		w.functions[route.Method] = lambda.NewHandler(adapter.Handle)
	}
	return w, nil
}

// tenant makes an organization with a key; the admin's of a sound one come first in keys.
func (w *fuzzWorld) tenant(p apikey.Permission, change func(*organization.Organization, *apikey.Record)) organization.ID {
	o := organization.New("Northwind", organization.Pro, nil, fuzzNow)
	key := apikey.New(o.ID, apikey.Live)
	record := apikey.NewRecord(key, p, fuzzNow.Add(-2*time.Hour), nil)
	change(&o, &record)
	w.records.Found[o.ID] = store.Found{Organization: o, Key: &record}
	w.keys = append(w.keys, key.Reveal())
	w.secrets = append(w.secrets, o.InternalID.Reveal(), key.Hash().Hex())
	return o.ID
}

// usedUp counts so many requests of one organization that it is over its limit, and the first of all others.
type usedUp struct{ limited organization.ID }

func (u usedUp) Count(_ context.Context, id organization.ID, _ organization.Category, _ time.Time) (int64, error) {
	if id == u.limited {
		return organization.MaxLimit + 1, nil
	}
	return 1, nil
}

// reset undoes all changes: what one event leaves must not decide about those that come long after it.
func (w *fuzzWorld) reset() { w.records.Found = maps.Clone(w.first) }

// try gives the event to the function of the method, and says what is wrong about the answer.
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

// harmless wants an answer that is no fault and tells no secret.
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

// wellRouted wants the operation's own path answered by it, and any other method refused.
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

// conforms holds the answer against the document, as one of the function's operation.
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
