package api

import (
	"unicode/utf8"

	"organizations-api/shared/organization"
	"organizations-api/shared/strictjson"
)

// update is what the body of an update asks for.
type update struct {
	patch organization.Patch // what does not depend on the record
	merge merge              // what does
}

// fields reads the fields of an update and collects their problems.
type fields struct {
	problems
	members map[string]strictjson.Value
	merges  bool // the body is a JSON Merge Patch: null clears a field, objects are merged
}

// parseUpdate reads an OrganizationUpdateRequest, or an OrganizationMergePatch if merges is set. It ignores members
// that the contract does not declare.
func parseUpdate(body strictjson.Value, merges bool) (update, []Problem) {
	f := fields{merges: merges, members: make(map[string]strictjson.Value)}
	if body.Kind() != strictjson.Object {
		f.notModel([]any{"body"})
		return update{}, f.problems
	}
	for name, value := range body.Members() {
		f.members[name] = value
	}
	var u update
	u.patch.Name = f.name()
	u.patch.LogoURL = f.text("logo_url", (*fields).urlLength)
	u.patch.Metadata = f.object("metadata", &u.merge.metadata, (*fields).numbers)
	u.patch.BillingEmail = f.text("billing_email", (*fields).email)
	u.patch.NotificationsEmail = f.text("notifications_email", (*fields).email)
	u.patch.RateLimits = f.override(&u.merge.limits)
	u.patch.Credentials = f.object("default_llm_credentials", &u.merge.credentials, (*fields).strings)
	u.patch.NSFWCheck = f.boolean("nsfw_check_enabled")
	u.patch.NSFWFailClosed = f.boolean("nsfw_fail_closed")
	return u, f.problems
}

// at returns the location of a field, or of something in it.
func at(name string, way ...any) []any { return append([]any{"body", name}, way...) }

// given returns the member. ok is false if the member is absent. ok is also false if it is null and the body is no
// merge patch: such a null leaves the field as it is, because many clients send null for every field that is not set.
func (f *fields) given(name string) (v strictjson.Value, ok bool) {
	v, ok = f.members[name]
	return v, ok && (f.merges || v.Kind() != strictjson.Null)
}

// name reads organization_name. An organization always has a name, so a null that would clear it is a problem.
func (f *fields) name() organization.Field[string] {
	const member = "organization_name"
	if v, ok := f.given(member); ok && v.Kind() == strictjson.Null {
		f.notString(at(member))
		return organization.Field[string]{}
	}
	return f.text(member, (*fields).nameLength)
}

// text reads a string, in which check looks for problems.
func (f *fields) text(name string, check func(f *fields, name, s string)) organization.Field[string] {
	v, ok := f.given(name)
	if !ok {
		return organization.Field[string]{}
	}
	switch v.Kind() {
	case strictjson.Null:
		return organization.Null[string]()
	case strictjson.String:
		s := v.Str()
		check(f, name, s)
		return organization.Set(s)
	default:
		f.notString(at(name))
		return organization.Field[string]{}
	}
}

func (f *fields) nameLength(name, s string) { f.length(name, s, organization.MaxNameLength) }
func (f *fields) urlLength(name, s string)  { f.length(name, s, organization.MaxURLLength) }

// length checks that a string has 1 to most characters.
func (f *fields) length(name, s string, most int) {
	if s == "" {
		f.add(at(name), "string_too_short", "String should have at least 1 character")
	} else if utf8.RuneCountInString(s) > most {
		f.add(at(name), "string_too_long", "String should have at most %d characters", most)
	}
}

// email checks that a string is an email address.
func (f *fields) email(name, s string) {
	if err := organization.CheckEmail(s); err != nil {
		f.add(at(name), "value_error", "value is not a valid email address: %s", err)
	}
}

// boolean reads a boolean.
func (f *fields) boolean(name string) organization.Field[bool] {
	v, ok := f.given(name)
	if !ok {
		return organization.Field[bool]{}
	}
	switch v.Kind() {
	case strictjson.Null:
		return organization.Null[bool]()
	case strictjson.Bool:
		return organization.Set(v.Text() == "true")
	default:
		f.add(at(name), "bool_type", "Input should be a valid boolean")
		return organization.Field[bool]{}
	}
}

// object reads an object and lets check look for problems in its members. If the object must be merged, it goes into
// merge and the field stays absent. Its levels are checked here (see strictjson.MergePatch). Its size is checked after
// the merge.
func (f *fields) object(
	name string, merge *strictjson.Value, check func(f *fields, name string, v strictjson.Value),
) organization.Field[organization.Object] {
	v, ok := f.given(name)
	if !ok {
		return organization.Field[organization.Object]{}
	}
	switch v.Kind() {
	case strictjson.Null:
		return organization.Null[organization.Object]()
	case strictjson.Object:
	default:
		f.add(at(name), "dict_type", "Input should be a valid dictionary")
		return organization.Field[organization.Object]{}
	}
	check(f, name, v)
	if v.Depth() > organization.MaxObjectDepth {
		f.add(at(name), "value_error", "Value error, it has more than %d levels of nesting", organization.MaxObjectDepth)
	}
	if f.merges {
		*merge = v
		return organization.Field[organization.Object]{}
	}
	text := v.Compact()
	f.size(name, text)
	return organization.Set(organization.NewObject(text))
}

// size checks the size of an object that will be stored.
func (p *problems) size(name, text string) {
	if len(text) > organization.MaxObjectSize {
		p.add(at(name), "value_error", "Value error, it has more than %d bytes of JSON", organization.MaxObjectSize)
	}
}

// numbers checks that most clients can read the numbers of an object.
func (f *fields) numbers(name string, v strictjson.Value) {
	for way := range v.BeyondFloat64() {
		f.add(at(name, way...), "value_error", "Value error, the number is too large for a float64")
	}
}

// strings checks that the members of an object are strings, or null if null removes a member.
func (f *fields) strings(name string, v strictjson.Value) {
	for member, value := range v.Members() {
		if value.Kind() != strictjson.String && !(f.merges && value.Kind() == strictjson.Null) {
			f.notString(at(name, member))
		}
	}
}

// override reads rate_limits, which has the other name rate_limit_overrides. If it has to be merged, it goes into merge
// and the field stays absent.
func (f *fields) override(merge *limitsMerge) organization.Field[organization.RateLimits] {
	const name, otherName = "rate_limits", "rate_limit_overrides"
	found := len(f.problems)
	field := f.limits(name, merge)
	if _, ok := f.given(otherName); !ok {
		return field
	}
	var otherMerge limitsMerge
	other := f.limits(otherName, &otherMerge)
	_, both := f.given(name)
	if both && len(f.problems) == found && (field != other || *merge != otherMerge) {
		f.add(at(otherName), "value_error", "Value error, it differs from %s, which is another name of the same field", name)
	}
	*merge = otherMerge
	return other
}

// limits reads a RateLimitsUpdate. A category that is absent is not overridden.
func (f *fields) limits(name string, merge *limitsMerge) organization.Field[organization.RateLimits] {
	v, ok := f.given(name)
	if !ok {
		return organization.Field[organization.RateLimits]{}
	}
	switch v.Kind() {
	case strictjson.Null:
		return organization.Null[organization.RateLimits]()
	case strictjson.Object:
	default:
		f.notModel(at(name))
		return organization.Field[organization.RateLimits]{}
	}
	var change limitsMerge
	for member, value := range v.Members() {
		limit := change.set.Of(organization.Category(member))
		switch {
		case limit == nil:
		case f.merges && value.Kind() == strictjson.Null:
			*change.removed.Of(organization.Category(member)) = 1
		default:
			*limit = f.limit(name, member, value)
		}
	}
	if f.merges {
		*merge = change
		return organization.Field[organization.RateLimits]{}
	}
	return organization.Set(change.set)
}

func (f *fields) limit(name, category string, v strictjson.Value) int {
	n, ok := v.Integer(organization.MaxLimit)
	switch {
	case !ok:
		f.add(at(name, category), "int_type", "Input should be a valid integer")
	case n < organization.MinLimit:
		f.add(at(name, category), "greater_than_equal", "Input should be greater than or equal to %d", organization.MinLimit)
	case n > organization.MaxLimit:
		f.add(at(name, category), "less_than_equal", "Input should be less than or equal to %d", organization.MaxLimit)
	}
	return int(n)
}
