package admin

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"organizations-api/shared/organization"
	"organizations-api/shared/strictjson"
)

// property is a field of the contract that orgs update can set: by a flag, or by a member of a line of a file.
type property struct {
	field string // the name in the contract
	flag  string
	value string // what stands after the flag in the help
	help  string

	kinds []strictjson.Kind // of the member
	set   func(*organization.Revision, string) error
	clear func(*organization.Revision) // nil: it always has a value
}

// properties returns all properties, in the order of the contract.
func properties() []property {
	type revision = organization.Revision
	text, number := []strictjson.Kind{strictjson.String}, []strictjson.Kind{strictjson.Number}
	amount := []strictjson.Kind{strictjson.Number, strictjson.String}
	return []property{
		{"organization_name", "name", "name", "display name, 1 to 100 characters", text,
			setter(checked(organization.CheckName), func(r *revision) *organization.Field[string] { return &r.Name }), nil},
		{"logo_url", "logo-url", "url", "address of the logo", text,
			setter(checked(organization.CheckLogoURL), func(r *revision) *organization.Field[string] { return &r.LogoURL }),
			clearer(func(r *revision) *organization.Field[string] { return &r.LogoURL })},
		{"account_type", "tier", "free|pro|team|enterprise", "account tier; its rate limits are in force at once", text,
			setter(organization.ParseTier, func(r *revision) *organization.Field[organization.Tier] { return &r.Tier }), nil},
		{"credit_count", "credits", "amount", "credits left: N, or +N or -N to add to the present number", amount,
			func(r *revision, s string) (err error) { r.Credits, err = parseAmount(s); return err }, nil},
		{"metadata", "metadata", "json", "a JSON object that replaces all metadata, or @FILE with one",
			[]strictjson.Kind{strictjson.Object},
			setter(parseObject, func(r *revision) *organization.Field[organization.Object] { return &r.Metadata }),
			func(r *revision) { r.Metadata = organization.Set(organization.Object("")) }},
		{"billing_email", "billing-email", "email", "where bills go", text,
			setter(checked(organization.CheckEmail), func(r *revision) *organization.Field[string] { return &r.BillingEmail }),
			clearer(func(r *revision) *organization.Field[string] { return &r.BillingEmail })},
		{"notifications_email", "notifications-email", "email", "where notifications go", text,
			setter(checked(organization.CheckEmail),
				func(r *revision) *organization.Field[string] { return &r.NotificationsEmail }),
			clearer(func(r *revision) *organization.Field[string] { return &r.NotificationsEmail })},
		{"rate_limits", "rate-limit", "category=n", "limit of a category, instead of the limit of the tier; may be repeated",
			[]strictjson.Kind{strictjson.Object}, setLimit,
			func(r *revision) { r.RateLimits = organization.Null[organization.RateLimits]() }},
		{"auto_billing_enabled", "auto-billing", "on|off", "whether bills are paid automatically",
			[]strictjson.Kind{strictjson.Bool},
			setter(parseSwitch, func(r *revision) *organization.Field[bool] { return &r.AutoBilling }), nil},
		{"billing_cycle_start", "billing-cycle-start", "day", "day of the month on which a billing cycle starts, 1 to 31",
			number, setter(parseCycleDay, func(r *revision) *organization.Field[int] { return &r.BillingCycleStart }), nil},
		{"current_month_usage", "usage", "amount", "credits used this month: N, or +N or -N to add to the present number", amount,
			func(r *revision, s string) (err error) { r.Usage, err = parseAmount(s); return err }, nil},
		{"users", "users", "json", "a JSON array of objects, or @FILE with one", []strictjson.Kind{strictjson.Array},
			setter(parseUsers, func(r *revision) *organization.Field[string] { return &r.Users }),
			clearer(func(r *revision) *organization.Field[string] { return &r.Users })},
		{"auth_provider_org_id", "auth-provider-org-id", "id", "the organization's identifier at the sign-in provider",
			text, setter(checked(organization.CheckProviderID),
				func(r *revision) *organization.Field[string] { return &r.AuthProviderOrgID }),
			clearer(func(r *revision) *organization.Field[string] { return &r.AuthProviderOrgID })},
		{"default_llm_credentials", "", "", "", nil, nil,
			func(r *revision) { r.Credentials = organization.Set(organization.Object("")) }},
		{"api_url", "api-url", "url", "base address of the API for this organization", text,
			setter(checked(organization.CheckAPIURL), func(r *revision) *organization.Field[string] { return &r.APIURL }),
			clearer(func(r *revision) *organization.Field[string] { return &r.APIURL })},
		{"nsfw_check_enabled", "nsfw-check", "on|off", "whether uploads are checked for content that is not safe for work",
			[]strictjson.Kind{strictjson.Bool},
			setter(parseSwitch, func(r *revision) *organization.Field[bool] { return &r.NSFWCheck }), nil},
		{"nsfw_fail_closed", "nsfw-fail-closed", "on|off", "whether uploads that cannot be checked are refused",
			[]strictjson.Kind{strictjson.Bool},
			setter(parseSwitch, func(r *revision) *organization.Field[bool] { return &r.NSFWFailClosed }), nil},
	}
}

// setter returns the function set of a property. parse reads the text, and of returns the field for the value.
func setter[T any](
	parse func(string) (T, error), of func(*organization.Revision) *organization.Field[T],
) func(*organization.Revision, string) error {
	return func(r *organization.Revision, text string) error {
		value, err := parse(text)
		if err == nil {
			*of(r) = organization.Set(value)
		}
		return err
	}
}

func clearer[T any](of func(*organization.Revision) *organization.Field[T]) func(*organization.Revision) {
	return func(r *organization.Revision) { *of(r) = organization.Null[T]() }
}

// clearField clears a field by its name in the contract. rate_limits.CATEGORY clears the limit of one category.
func clearField(r *organization.Revision, name string) error {
	if field, category, single := strings.Cut(name, "."); single && field == "rate_limits" {
		c := organization.Category(category)
		if r.Limits.Of(c) == nil {
			return noCategory(category)
		}
		r.ResetLimits = append(r.ResetLimits, c)
		return nil
	}
	var names []string
	for _, p := range properties() {
		switch {
		case p.clear == nil:
		case p.field == name:
			p.clear(r)
			return nil
		default:
			names = append(names, p.field)
		}
	}
	return fmt.Errorf("%q cannot be cleared; these can: %s, rate_limits.CATEGORY", name, strings.Join(names, ", "))
}

func noCategory(name string) error {
	return fmt.Errorf("%q is no category; these are: metadata, data, search, upload, compute", name)
}

// setLimit reads CATEGORY=N.
func setLimit(r *organization.Revision, text string) error {
	name, number, _ := strings.Cut(text, "=")
	limit := r.Limits.Of(organization.Category(name))
	if limit == nil {
		return noCategory(name)
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < organization.MinLimit || n > organization.MaxLimit {
		return fmt.Errorf("a rate limit is CATEGORY=N, of %d to %d requests a minute", organization.MinLimit, organization.MaxLimit)
	}
	*limit = n
	return nil
}

// parseAmount is organization.ParseAmount. Like other flags, it also reads 1_000.
func parseAmount(text string) (organization.Amount, error) {
	return organization.ParseAmount(strings.ReplaceAll(text, "_", ""))
}

func parseSwitch(text string) (bool, error) {
	if text != "on" && text != "off" {
		return false, errors.New("it is on or off")
	}
	return text == "on", nil
}

func parseCycleDay(text string) (int, error) {
	day, err := strconv.Atoi(text)
	if err != nil || day < organization.MinCycleDay || day > organization.MaxCycleDay {
		return 0, errors.New("a billing cycle starts on a day from 1 to 31")
	}
	return day, nil
}

// parseObject reads metadata within the bounds of the API.
func parseObject(text string) (organization.Object, error) {
	v, err := strictjson.Parse([]byte(text))
	if err != nil || v.Kind() != strictjson.Object || v.Depth() > organization.MaxObjectDepth ||
		len(v.Compact()) > organization.MaxObjectSize || beyondFloat64(v) {
		return "", fmt.Errorf("metadata is a JSON object of at most %d KiB and %d levels, with numbers that a float64 holds%s",
			organization.MaxObjectSize>>10, organization.MaxObjectDepth, because(err))
	}
	return organization.NewObject(v.Compact()), nil
}

// parseUsers reads a list of users.
func parseUsers(text string) (string, error) {
	v, err := strictjson.Parse([]byte(text))
	if err != nil || v.Kind() != strictjson.Array || v.Depth() > organization.MaxObjectDepth ||
		len(v.Compact()) > organization.MaxUsersSize || !onlyObjects(v) || beyondFloat64(v) {
		return "", fmt.Errorf("users are a JSON array of objects, of at most %d KiB and %d levels, "+
			"with numbers that a float64 holds%s",
			organization.MaxUsersSize>>10, organization.MaxObjectDepth, because(err))
	}
	return v.Compact(), nil
}

func onlyObjects(list strictjson.Value) bool {
	for _, item := range list.Elements() {
		if item.Kind() != strictjson.Object {
			return false
		}
	}
	return true
}

// beyondFloat64 reports whether v has a number that most clients could not read back.
func beyondFloat64(v strictjson.Value) bool {
	for range v.BeyondFloat64() {
		return true
	}
	return false
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// setMember sets the property by a member of a line. null clears it.
func (p property) setMember(r *organization.Revision, v strictjson.Value) error {
	switch {
	case v.Kind() == strictjson.Null && p.clear != nil:
		p.clear(r)
		return nil
	case !slices.Contains(p.kinds, v.Kind()):
		return errors.New("the value is of the wrong type")
	case p.field == "rate_limits":
		return setLimits(r, v)
	}
	switch v.Kind() {
	case strictjson.Bool:
		return p.set(r, map[string]string{"true": "on", "false": "off"}[v.Text()])
	case strictjson.String:
		s := v.Str()
		if slices.Contains(p.kinds, strictjson.Number) && !strings.HasPrefix(s, "+") && !strings.HasPrefix(s, "-") {
			return errors.New(`a new value is a number; a string is what to add, such as "+5" or "-5"`)
		}
		return p.set(r, s)
	case strictjson.Number:
		if strings.HasPrefix(v.Text(), "-") {
			return errors.New(`it must not be negative; write a string to subtract, such as "-5"`)
		}
		return p.set(r, v.Text())
	default:
		return p.set(r, v.Compact())
	}
}

// setLimits reads an object of limits by their categories. null gives a category the limit of the tier again.
func setLimits(r *organization.Revision, v strictjson.Value) error {
	for name, limit := range v.Members() {
		var err error
		if limit.Kind() == strictjson.Null {
			err = clearField(r, "rate_limits."+name)
		} else {
			err = setLimit(r, name+"="+limit.Text())
		}
		if err != nil {
			return err
		}
	}
	return nil
}
