package checks

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"

	"organizations-api/contracttests/harness"
)

// step is one request of a sequence, as plain data. Its effect depends on the steps before.
type step struct {
	who     int // which organization
	method  string
	key     harness.KeyKind
	fields  []member // of a PATCH
	limits  limits   // rate_limits of a PATCH, where it has them; empty and not nil is {}
	noLimit bool     // null for rate_limits
	merge   bool     // the PATCH is a merge patch
	refused string   // a body that is refused, in place of the fields; with status
	status  int
	match   tag // If-Match
	none    tag // If-None-Match
}

// tag says which version a condition names.
type tag string

const (
	tagAbsent  tag = ""
	tagCurrent tag = "current"
	tagWeak    tag = "weak"
	tagOld     tag = "old" // an earlier version, or one that never was
	tagAny     tag = "any"
)

// simpler returns steps that do less.
func (one step) simpler() []step {
	var all []step
	add := func(change func(*step)) {
		next := one
		change(&next)
		all = append(all, next)
	}
	if one.match != tagAbsent {
		add(func(next *step) { next.match = tagAbsent })
	}
	if one.none != tagAbsent {
		add(func(next *step) { next.none = tagAbsent })
	}
	if one.merge {
		add(func(next *step) { next.merge = false })
	}
	if one.limits != nil || one.noLimit {
		add(func(next *step) { next.limits, next.noLimit = nil, false })
	}
	for _, field := range one.fields {
		if len(one.fields) > 1 {
			add(func(next *step) { next.fields = []member{field} })
		}
	}
	return all
}

// body returns the body of a PATCH.
func (one step) body() string {
	if one.refused != "" {
		return one.refused
	}
	fields := append([]member(nil), one.fields...)
	switch {
	case one.noLimit:
		fields = append(fields, member{"rate_limits", "null"})
	case one.limits != nil:
		fields = append(fields, member{"rate_limits", one.limits.json()})
	}
	return object(fields...)
}

// newSequence returns a sequence. On a live target it is of one organization, whose limits it leaves alone.
func newSequence(r *rand.Rand, length int, live bool) []step {
	steps := make([]step, length)
	for i := range steps {
		steps[i] = newStep(r, live)
	}
	return steps
}

func newStep(r *rand.Rand, live bool) step {
	one := step{method: http.MethodPatch, key: harness.KeyAdmin}
	if !live {
		one.who = r.IntN(2)
	}
	if r.IntN(4) == 0 {
		one.match = []tag{tagCurrent, tagWeak, tagOld, tagAny}[r.IntN(4)]
	}
	if r.IntN(6) == 0 {
		one.none = []tag{tagCurrent, tagWeak, tagOld, tagAny}[r.IntN(4)]
	}
	switch dice := r.IntN(12); {
	case dice < 3:
		one.method = http.MethodGet
		one.key = []harness.KeyKind{harness.KeyAdmin, harness.KeyRead, harness.KeyWrite, harness.KeyDelete}[r.IntN(4)]
	case dice == 3:
		one.refused, one.status = newRefusal(r)
		one.match, one.none = tagAbsent, tagAbsent // the document does not say which of two errors comes first
	case dice == 4:
		one.key = []harness.KeyKind{harness.KeyRead, harness.KeyWrite, harness.KeyDelete}[r.IntN(3)]
		one.fields = newFields(r)
	case dice < 8:
		one.merge, one.fields = true, newMerge(r)
	default:
		one.fields = newFields(r)
		if !live {
			one.addLimits(r)
		}
	}
	if live {
		one.key = harness.KeyAdmin // it may be the only one
	}
	return one
}

// addLimits sometimes adds an override. The limit of the category metadata stays large, because the requests of the
// check itself count in it.
func (one *step) addLimits(r *rand.Rand) {
	switch r.IntN(5) {
	case 0:
		one.noLimit = true
	case 1:
		one.limits = limits{}
		for _, name := range categories() {
			if r.IntN(2) == 0 {
				one.limits[name] = []int{1, 7, 77, 7_777, harness.MaxLimit}[r.IntN(5)]
			}
		}
		if one.limits["metadata"] != 0 {
			one.limits["metadata"] = 5_000 + r.IntN(2)
		}
	}
}

// newFields returns some of the fields, each with one of a few values, so that a step sometimes changes nothing.
func newFields(r *rand.Rand) []member {
	few := strconv.Itoa(r.IntN(3))
	values := []member{
		{"organization_name", pick(r, `"Name `+few+`"`, `"Søren & 東京 🧪"`, `null`)},
		{"logo_url", pick(r, `"https://logo.example/`+few+`"`, `null`)},
		{"billing_email", pick(r, `"billing`+few+`@example.com"`, `null`)},
		{"notifications_email", pick(r, `"news`+few+`@example.com"`, `null`)},
		{"metadata", pick(r, `{"n":1234567890123456789012345}`, `{"a":{"b":[1e300,null,`+few+`]},"":"🧪"}`, `{}`,
			`{"b":1,"a":2}`, `null`)},
		{"default_llm_credentials", pick(r, `{"openai":"value-`+few+`"}`, `{}`, `null`)},
		{"nsfw_check_enabled", pick(r, `true`, `false`, `null`)},
		{"nsfw_fail_closed", pick(r, `true`, `false`, `null`)},
		{"account_type", `"enterprise"`}, {"credit_count", `999999`}, {"updated_at", `"2001-01-01T00:00:00Z"`},
		{"internal_id", `"x"`},
	}
	r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	return values[:r.IntN(4)]
}

// newMerge returns some fields of a merge patch. Its objects contain no objects, because those would be merged too.
func newMerge(r *rand.Rand) []member {
	few := strconv.Itoa(r.IntN(3))
	values := []member{
		{"organization_name", `"Merged ` + few + `"`},
		{"logo_url", pick(r, `"https://logo.example/`+few+`"`, `null`)},
		{"billing_email", pick(r, `"billing`+few+`@example.com"`, `null`)},
		{"notifications_email", pick(r, `null`, `"news`+few+`@example.com"`)},
		{"metadata", pick(r, `{"n":`+few+`}`, `{"a":null,"b":[null,`+few+`]}`, `{"":null,"n":null}`, `{}`, `null`)},
		{"default_llm_credentials", pick(r, `{"mistral":"value-`+few+`"}`, `{"openai":null}`, `{}`, `null`)},
		{"nsfw_check_enabled", pick(r, `true`, `null`)}, {"nsfw_fail_closed", pick(r, `null`, `true`)},
	}
	r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	return values[:1+r.IntN(4)]
}

func pick(r *rand.Rand, values ...string) string { return values[r.IntN(len(values))] }

// newRefusal returns a body that is refused although most of it is valid, and the status of the refusal.
func newRefusal(r *rand.Rand) (body string, status int) {
	name := fmt.Sprintf(`"organization_name":"Refused %d"`, r.IntN(3))
	if r.IntN(2) == 0 {
		return pick(r, `{`+name, `{`+name+`}}`, `{`+name+`,`+name+`}`, `{`+name+`,"metadata":{"a":"\ud83d"}}`),
			http.StatusBadRequest
	}
	wrong := pick(r, `"logo_url":""`, `"billing_email":"x"`, `"metadata":[]`, `"rate_limits":{"data":0}`,
		`"default_llm_credentials":{"a":1}`,
		`"metadata":{"a":[1e400]}`, `"nsfw_fail_closed":"yes"`, `"billing_email":"a@b.local"`)
	return "{" + strings.Join([]string{name, wrong}, ",") + "}", http.StatusUnprocessableEntity
}
