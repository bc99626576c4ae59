package api

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"organizations-api/shared/organization"
)

func BenchmarkValidate(b *testing.B) {
	const body = `{"organization_name": "Northwind Video", "metadata": {"region": "eu", "tags": ["a", "b"], "nested": {"n": 1.50}},
		"billing_email": "billing@northwind.example", "rate_limits": {"search": 120, "data": 80}}`
	request := &http.Request{Header: http.Header{"Content-Type": {"application/json"}}}
	b.ReportAllocs()
	for b.Loop() {
		request.Body = io.NopCloser(strings.NewReader(body))
		if _, _, err := readUpdate(request); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	o := organization.New("Northwind Video", organization.Pro, nil, time.Now())
	o.Metadata = organization.NewObject(`{"region":"eu","segments":["video","audio"],"contract":{"since":2024,"seats":25}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := organizationResponse(o); err != nil {
			b.Fatal(err)
		}
	}
}
