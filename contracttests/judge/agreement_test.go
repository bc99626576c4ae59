package judge_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	liberrors "github.com/pb33f/libopenapi-validator/errors"
	"pgregory.net/rapid"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
	"organizations-api/shared/openapi"
)

// TestNoLaxerThanTheLibrary holds this package against a validator that was written apart from it. What that refuses of
// a response is refused here too.
func TestNoLaxerThanTheLibrary(t *testing.T) {
	t.Parallel()
	doc, err := libopenapi.NewDocument(bytes.Clone(openapi.YAML))
	if err != nil {
		t.Fatal(err)
	}
	library, errs := validator.NewValidator(doc, config.WithFormatAssertions(), config.WithRejectUnsupportedBodyContent())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	refused := func(x judge.Exchange) bool {
		request, err := http.NewRequest(x.Request.Method, x.Request.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		response := &http.Response{StatusCode: x.Response.Status, Header: x.Response.Header, Body: http.NoBody}
		if len(x.Response.Body) > 0 {
			response.Body = io.NopCloser(bytes.NewReader(x.Response.Body))
		}
		_, found := library.ValidateHttpResponse(request, response)
		return slices.ContainsFunc(found, func(e *liberrors.ValidationError) bool {
			return e.ParameterName != "etag" // it takes the quotes off header values before it matches the pattern
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		x := harness.RightExchange(rapid.SampledFrom([]string{"GET", "PATCH"}).Draw(t, "method"), rapid.SampledFrom([]int{200, 401, 422}).Draw(t, "status"))
		x.Response.Body = mutatedJSON(t)
		x.Response.Header.Del("Content-Length")
		if !refused(x) || len(harness.Validator().Check(x)) > 0 {
			return
		}
		if value, _, _ := judge.ReadJSON(x.Response.Body); !beyondFloat64(value) {
			t.Fatalf("the library refuses what Check takes: %s", x.Response.Body)
		}
	})
}

// beyondFloat64 reports whether a value holds a number that the library cannot read. Metadata may.
func beyondFloat64(value any) bool {
	switch value := value.(type) {
	case json.Number:
		_, err := value.Float64()
		return err != nil
	case []any:
		return slices.ContainsFunc(value, beyondFloat64)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(value)), beyondFloat64)
	default:
		return false
	}
}
