package contracttests_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
	"organizations-api/shared/openapi"
)

// driftAdded returns the pointers of everything that the document has and the structure lacks, in the order of the
// document. It looks only at places that the structure has, follows references as driftFacts does, and leaves texts
// out.
func driftAdded(top, structure *yaml.Node) []string {
	texts := []string{"description", "summary", "example", "examples", "tags", "security", "info", "servers"}
	var added []string
	var walk func(path []string, want, got *yaml.Node)
	walk = func(path []string, want, got *yaml.Node) {
		if len(want.Content) == 0 {
			return // of this the structure says only that it is there
		}
		for key, value := range spec.Fields(got) {
			below, known := judge.ChildPath(path, key), spec.Field(want, key)
			switch {
			case known == nil && !slices.Contains(texts, key):
				added = append(added, judge.Pointer(below))
			case known == nil:
			case known.Kind == yaml.MappingNode:
				if spec.Field(known, "$ref") == nil {
					value = spec.Resolve(top, value)
				}
				walk(below, known, value)
			case key == "parameters":
				for _, p := range value.Content {
					added = append(added, judge.Pointer(judge.ChildPath(below,
						spec.Text(spec.Field(spec.Resolve(top, p), "name")))))
				}
			}
		}
	}
	walk(nil, structure, top)
	return added
}

// TestDriftAdditionsAreListed: everything that the document adds to the structure is in this list, and has its reason
// in docs/contract.md.
func TestDriftAdditionsAreListed(t *testing.T) {
	t.Parallel()
	var want []string
	const get, patch, schemas = "/paths/~1v1~1organizations/get", "/paths/~1v1~1organizations/patch",
		"/components/schemas"
	headers := func(operation string, statuses ...string) {
		for _, status := range statuses {
			want = append(want, operation+"/responses/"+status)
		}
	}
	want = append(want, get+"/parameters/If-Match", get+"/parameters/If-None-Match")
	headers(get, "200/headers", "304", "400/headers", "401/headers", "403/headers", "404/headers", "412",
		"422/headers", "429", "500/headers", "503")
	want = append(want, patch+"/operationId", patch+"/parameters", patch+"/requestBody/required",
		patch+"/requestBody/content/application~1merge-patch+json")
	for _, name := range []string{"type", "title"} {
		want = append(want, patch+"/requestBody/content/application~1json/schema/"+name)
	}
	for _, name := range []string{"rate_limit_overrides", "logo_url", "notifications_email", "default_llm_credentials",
		"nsfw_check_enabled", "nsfw_fail_closed"} {
		want = append(want, patch+"/requestBody/content/application~1json/schema/properties/"+name)
	}
	headers(patch, "200/headers", "400/headers", "401/headers", "403/headers", "404/headers", "412", "422/headers",
		"429", "500/headers", "503")
	for _, name := range []string{"securitySchemes", "parameters", "headers", "responses"} {
		want = append(want, "/components/"+name)
	}
	for _, name := range []string{
		"OrganizationModelResponse/properties/nsfw_check_enabled",
		"OrganizationModelResponse/properties/nsfw_fail_closed",
		"OrganizationUpdateRequest", "OrganizationMergePatch", "RateLimitsUpdate", "RateLimitsMergePatch",
		"HTTPValidationError/properties/success", "HTTPValidationError/properties/status",
		"HTTPValidationError/properties/error",
	} {
		want = append(want, schemas+"/"+name)
	}
	got := driftAdded(driftTree(t, openapi.YAML), seedStructure(t))
	for _, addition := range got {
		t.Log("added:", addition)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("additions (-listed +found):\n%s", diff)
	}
}

// TestDriftAdditionsAreFound: a keyword, a property and a status that are new would be in the list.
func TestDriftAdditionsAreFound(t *testing.T) {
	t.Parallel()
	for at, text := range map[string]string{
		"/components/schemas/BaseRateLimits/properties/data": "maximum: 1000000",
		"/components/schemas/ErrorDetail/properties":         "more: {type: string}",
		"/paths/~1v1~1organizations/get/responses":           "'418': {description: x}",
		"/paths": "/v2: {}",
	} {
		top := driftTree(t, openapi.YAML)
		node := spec.Lookup(top, "#"+at)
		for key, value := range spec.Fields(driftTree(t, []byte(text))) {
			spec.SetField(node, key, value)
			pointer := at + "/" + judge.Pointer([]string{key})[1:]
			if !slices.Contains(driftAdded(top, seedStructure(t)), pointer) {
				t.Errorf("%s is not found", pointer)
			}
		}
	}
}
