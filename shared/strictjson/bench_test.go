package strictjson_test

import (
	"testing"

	"organizations-api/shared/strictjson"
)

func BenchmarkParse(b *testing.B) {
	body := []byte(`{"organization_name": "Northwind Video", "metadata": {"region": "eu", "tags": ["a", "b"], "nested": {"n": 1.50}},
		"billing_email": "billing@northwind.example", "rate_limits": {"search": 120, "data": 80}}`)
	b.ReportAllocs()
	for b.Loop() {
		v, err := strictjson.Parse(body)
		if err != nil {
			b.Fatal(err)
		}
		for range v.Members() {
		}
	}
}
