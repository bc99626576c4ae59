package api_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/telemetry"
)

// countless fails the test if a request is counted.
type countless struct{ t *testing.T }

func (c countless) Count(context.Context, organization.ID, organization.Category, time.Time, int64) (int64, error) {
	c.t.Error("an extra GET was counted")
	return 0, nil
}

// TestExtraGET: an extra GET has what operations have, but no rate limit.
func TestExtraGET(t *testing.T) {
	t.Parallel()
	const path = "/extra"
	for _, test := range []struct {
		name   string
		err    error
		value  any
		want   int
		answer string
	}{
		{"a value", nil, map[string]string{"a": "<b>"}, 200, `{"a":"<b>"}`},
		{"an error of its own", &api.Error{Type: api.BadRequest, Message: "No such page."}, nil, 400, "No such page."},
		{"an unreachable store", &store.Error{Kind: store.Unreachable, Op: "asking"}, nil, 503, "store_unavailable"},
		{"anything else", errors.New("the cause"), nil, 500, `"code":"internal"`},
		{"a value that is no JSON", nil, func() {}, 500, `"code":"internal"`},
	} {
		w := newWorld(t, options{})
		service, err := api.New(api.Options{
			Records: w.store, Counters: countless{t}, Now: func() time.Time { return w.now },
			Observe: telemetry.Log(slog.New(slog.NewJSONHandler(w.logs, nil)), nil),
		})
		if err != nil {
			t.Fatal(err)
		}
		route := service.ExtraGET(api.ExtraGET{
			ID: "extra", Path: path, Permission: apikey.Admin,
			Read: func(_ context.Context, found store.Found, query url.Values) (any, error) {
				if found.Organization.ID != w.org.ID || found.Key == nil || query.Get("q") != "1" {
					t.Errorf("Read got %+v and %v, want the caller's organization and key, and the query", found, query)
				}
				return test.value, test.err
			},
		})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path+"?q=1", nil)
		r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
		out := httptest.NewRecorder()
		route.Handler.ServeHTTP(out, r)
		body := text(t, out)
		if out.Code != test.want || !strings.Contains(body, test.answer) || strings.Contains(body, "the cause") {
			t.Errorf("%s: %d %s, want %d %s", test.name, out.Code, body, test.want, test.answer)
		}
		if got := out.Header().Get("Retry-After"); (got != "") != (test.want == 503) {
			t.Errorf("%s: Retry-After = %q", test.name, got)
		}
		if log := w.logs.String(); !strings.Contains(log, `"route":"GET /extra"`) {
			t.Errorf("%s: the log is %s, want the route", test.name, log)
		}
	}
}
