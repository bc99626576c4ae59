package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"
)

// delay is how long DynamoDB takes for each call in the section on round trips.
const delay = 5 * time.Millisecond

// The variants of the section on round trips. The figures of the former version are those of the code without the one
// line that sends the count beside the read.
const (
	oneCall      = "one call of DynamoDB"
	getFormer    = "get, count after the read"
	patchFormer  = "update, count after the read"
	besideLine   = "		s.countBeside(ctx, c)\n"
	besideFile   = "shared/api/serve.go"
	roundTripsIn = "round trips of 5 ms"
)

// newDelayed starts a server that answers as the handler does, but delays each call.
func newDelayed(h http.Handler) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			time.Sleep(delay)
		}
		h.ServeHTTP(w, r)
	}))
}

// roundTrips measures requests where the network and DynamoDB take most of the time. Its base is one bare call, made by
// the benchmark itself over a connection that is open.
func (f *fixture) roundTrips() section {
	slow := map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": f.delayed.URL}
	return section{
		title:       roundTripsIn,
		metrics:     []string{metricP50, metricP99},
		rounds:      5,
		invocations: 200,
		chunk:       20,
		warmUp:      40,
		variants: []variant{
			{name: oneCall, call: f.bareCall()},
			f.variant(getNoLimits, get, map[string]string{
				"AWS_ENDPOINT_URL_DYNAMODB": f.delayed.URL, "RATE_LIMITS": "off",
			}),
			f.variant(get, get, slow),
			f.variant(getFormer, getFormer, slow),
			f.variant(patch, patch, slow),
			f.variant(patchFormer, patchFormer, slow),
		},
	}
}

// bareCall returns a function that reads the item as any client of DynamoDB would, without the work around it.
func (f *fixture) bareCall() func(context.Context) error {
	client := &http.Client{Transport: &http.Transport{}}
	body := []byte(`{"TableName":"canned","Key":{"PK":{"S":"ORG#` + string(f.db.Organization.ID) + `"},"SK":{"S":"ORG"}}}`)
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.delayed.URL, bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=bench") // nobody checks the signature
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("the bare call is answered with %s", response.Status)
		}
		if err == nil && !bytes.Contains(text, []byte(`"Item"`)) {
			err = errors.New("the bare call gets no item")
		}
		return err
	}
}
