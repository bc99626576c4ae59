package lambdahttp_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/lambdahttp"
)

// TestInvokeReadsAsEncodingJSON: for every text of an event, the handler gets the same request as when encoding/json
// decodes the event.
func TestInvokeReadsAsEncodingJSON(t *testing.T) {
	t.Parallel()
	get, err := os.ReadFile("../../events/get.json")
	if err != nil {
		t.Fatal(err)
	}
	update, err := os.ReadFile("../../events/update.json")
	if err != nil {
		t.Fatal(err)
	}
	texts := [][]byte{
		get, update,
		[]byte(`{}`), []byte(`null`), []byte(` { "version" : "2.0" , "rawPath" : "/a\u002fb\"" } `),
		[]byte(`{"version":"2.0","rawPath":"/p","cookies":[],"headers":null,"requestContext":null,"body":null}`),
		[]byte(`{"version":"2.0","cookies":["a=1","b=\u00e9"],"headers":{"x-a":"\u00e9","X-B":"1,2","":""},"rawQueryString":"a=%20&b"}`),
		[]byte(`{"body":"eyJhIjoxfQ==","isBase64Encoded":true,"requestContext":{"stage":"s","http":{"method":"PATCH"}},"rawPath":"/s/x"}`),
		[]byte(`{"version":"2.0","body":"half of a pair: \ud800"}`),
		[]byte("{\"version\":\"2.0\",\"body\":\"no UTF-8: \xff\"}"),
		[]byte(`{"version":"2.0","rawPath":"/first","rawPath":"/second"}`),
		bytes.ReplaceAll(get, []byte(`"version"`), []byte(`"versi\u006fn"`)),
	}
	for _, text := range texts {
		var e event
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatal(err)
		}
		var got []seen
		adapter := lambdahttp.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			got = append(got, seen{r.Method, r.URL.String(), r.RequestURI, r.Host, r.RemoteAddr, string(body), r.ContentLength, r.Header, err != nil})
		}), quiet())
		if _, err := adapter.Handle(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		invoke(t, adapter, text)
		if diff := cmp.Diff(got[0], got[1]); diff != "" {
			t.Errorf("the request of %s (-encoding/json +Invoke):\n%s", text, diff)
		}
	}
}

func TestInvokeRefusesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	adapter := lambdahttp.New(http.NotFoundHandler(), quiet())
	for _, text := range []string{``, `{`, `[]`, `"x"`, `1`, `{"version":"2.0"} {}`} {
		if out, err := adapter.Invoke(t.Context(), []byte(text)); err == nil || !strings.Contains(err.Error(), "decoding the event") {
			t.Errorf("Invoke(%s) = %s, %v, want an error", text, out, err)
		}
	}
}
