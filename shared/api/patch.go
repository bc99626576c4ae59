package api

import (
	"net/http"
	"unicode/utf8"

	"organizations-api/shared/ijson"
	"organizations-api/shared/organization"
)

// readUpdate reads what an update asks for and under which conditions. It reports every problem at once.
func readUpdate(r *http.Request) (organization.Patch, preconditions, error) {
	body, err := readJSON(r)
	if err != nil {
		return organization.Patch{}, preconditions{}, err
	}
	conditions, headerProblems := readConditions(r)
	patch, bodyProblems := parsePatch(body)
	if all := append(headerProblems, bodyProblems...); len(all) > 0 {
		return organization.Patch{}, conditions, invalid(all)
	}
	return patch, conditions, nil
}

// parsePatch reads an OrganizationUpdateRequest. Members that the contract does not declare are ignored.
func parsePatch(body ijson.Value) (organization.Patch, []Problem) {
	var (
		patch organization.Patch
		p     problems
	)
	if body.Kind() != ijson.Object {
		p.notModel([]any{"body"})
		return patch, p
	}
	members := make(map[string]ijson.Value)
	for name, value := range body.Members() {
		members[name] = value
	}
	field := func(name string) (ijson.Value, []any, bool) {
		value, ok := members[name]
		return value, []any{"body", name}, ok
	}
	if v, loc, ok := field("organization_name"); ok {
		patch.Name = p.text(v, loc, p.length(organization.MaxNameLength))
	}
	if v, loc, ok := field("logo_url"); ok {
		patch.LogoURL = p.text(v, loc, p.length(organization.MaxURLLength))
	}
	if v, loc, ok := field("metadata"); ok {
		patch.Metadata = p.object(v, loc)
	}
	if v, loc, ok := field("billing_email"); ok {
		patch.BillingEmail = p.text(v, loc, p.email)
	}
	if v, loc, ok := field("notifications_email"); ok {
		patch.NotificationsEmail = p.text(v, loc, p.email)
	}
	if v, loc, ok := field("rate_limits"); ok {
		patch.RateLimits = p.override(v, loc)
	}
	if v, loc, ok := field("default_llm_credentials"); ok {
		patch.Credentials = p.credentials(v, loc)
	}
	return patch, p
}

// text reads a string, which check may complain about, or null.
func (p *problems) text(v ijson.Value, loc []any, check func(loc []any, s string)) organization.Field[string] {
	switch v.Kind() {
	case ijson.Null:
		return organization.Null[string]()
	case ijson.String:
		s := v.Str()
		check(loc, s)
		return organization.Set(s)
	default:
		p.notString(loc)
		return organization.Field[string]{}
	}
}

// length complains about a string that has not 1 to most characters.
func (p *problems) length(most int) func([]any, string) {
	return func(loc []any, s string) {
		if s == "" {
			p.tooShort(loc, 1)
		} else if utf8.RuneCountInString(s) > most {
			p.tooLong(loc, most)
		}
	}
}

// email complains about a string that is no email address.
func (p *problems) email(loc []any, s string) {
	if err := organization.CheckEmail(s); err != nil {
		p.notEmail(loc, err)
	}
}

// object reads an object within the bounds of size and depth, or null.
func (p *problems) object(v ijson.Value, loc []any) organization.Field[organization.Object] {
	switch v.Kind() {
	case ijson.Null:
		return organization.Null[organization.Object]()
	case ijson.Object:
	default:
		p.notDictionary(loc)
		return organization.Field[organization.Object]{}
	}
	if v.Depth() > organization.MaxObjectDepth {
		p.value(loc, "it has more than %d levels of nesting", organization.MaxObjectDepth)
	}
	text := v.Compact()
	if len(text) > organization.MaxObjectSize {
		p.value(loc, "it has more than %d bytes of JSON", organization.MaxObjectSize)
	}
	return organization.Set(organization.NewObject(text))
}

// credentials reads an object of strings within the bounds, or null.
func (p *problems) credentials(v ijson.Value, loc []any) organization.Field[organization.Object] {
	for name, value := range v.Members() {
		if value.Kind() != ijson.String {
			p.notString(append(loc[:len(loc):len(loc)], name))
		}
	}
	return p.object(v, loc)
}

// override reads a BaseRateLimits, or null. Categories that are absent are not overridden.
func (p *problems) override(v ijson.Value, loc []any) organization.Field[organization.RateLimits] {
	switch v.Kind() {
	case ijson.Null:
		return organization.Null[organization.RateLimits]()
	case ijson.Object:
	default:
		p.notModel(loc)
		return organization.Field[organization.RateLimits]{}
	}
	var override organization.RateLimits
	for name, value := range v.Members() {
		if limit := override.Of(organization.Category(name)); limit != nil {
			*limit = p.limit(value, append(loc[:len(loc):len(loc)], name))
		}
	}
	return organization.Set(override)
}

func (p *problems) limit(v ijson.Value, loc []any) int {
	n, ok := v.Integer(organization.MaxLimit)
	switch {
	case !ok:
		p.notInteger(loc)
	case n < organization.MinLimit:
		p.tooSmall(loc, organization.MinLimit)
	case n > organization.MaxLimit:
		p.tooGreat(loc, organization.MaxLimit)
	}
	return int(n)
}
