package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

// What the command prints for people.

func organizationPairs(o organization.Organization) [][2]string {
	return [][2]string{
		{"Organization", string(o.ID)},
		{"Name", o.Name},
		{"State", organizationState(o)},
		{"Tier", string(o.Tier)},
		{"Credits", strconv.FormatInt(o.Credits, 10)},
		{"Used this month", strconv.FormatInt(o.CurrentMonthUsage, 10)},
		{"Auto billing", onOff(o.AutoBilling)},
		{"Billing cycle starts", "day " + strconv.Itoa(o.BillingCycleStart)},
		{"Rate limits", limitsText(o.Limits()) + " a minute"},
		{"Overridden", limitsText(o.Override)},
		{"Billing email", orNone(o.BillingEmail)},
		{"Notifications email", orNone(o.NotificationsEmail)},
		{"Logo", orNone(o.LogoURL)},
		{"Metadata", o.Metadata.Text()},
		{"LLM credentials", credentialNames(o.Credentials)},
		{"Users", orNone(o.Users)},
		{"Sign-in provider's id", orNone(o.AuthProviderOrgID)},
		{"API", orNone(o.APIURL)},
		{"NSFW check", nsfwText(o)},
		{"Version", strconv.FormatInt(o.Version, 10)},
		{"Created", term.Time(&o.CreatedAt)},
		{"Updated", term.Time(&o.UpdatedAt)},
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// nsfwText says what happens to uploads that may not be safe for work.
func nsfwText(o organization.Organization) string {
	check, unchecked := "off", "accepted"
	if o.NSFWCheck {
		check = "on"
	}
	if o.NSFWFailClosed {
		unchecked = "refused"
	}
	return check + "; what cannot be checked is " + unchecked
}

// An organization is in one of these states.
const (
	stateActive  = "active"
	stateDeleted = "deleted"
)

func organizationState(o organization.Organization) string {
	if o.DeletedAt != nil {
		return stateDeleted
	}
	return stateActive
}

func keyStatus(k apikey.Record, now time.Time) string {
	switch k.Check(now) {
	case nil:
		return "active"
	case apikey.ErrRevoked:
		return "revoked"
	default:
		return "expired"
	}
}

// issuedText shows a new key in plain text. No other output does.
func issuedText(s *term.Screen, k IssuedKey) string {
	return s.Pairs([][2]string{
		{"Key id", k.Record.ID},
		{"Label", orNone(nullIfEmpty(k.Record.Label))},
		{"Permission", k.Record.Permission.String()},
		{"Mode", string(k.Record.Mode)},
		{"Expires", term.Time(k.Record.ExpiresAt)},
		{"Key", k.Key.Reveal()},
	}) + "\n\nKeep the key: it is shown only now."
}

func orNone(s *string) string {
	if s == nil {
		return term.None
	}
	return *s
}

func limitsText(l organization.RateLimits) string {
	var texts []string
	for _, c := range organization.Categories() {
		if n := *l.Of(c); n != 0 {
			texts = append(texts, fmt.Sprintf("%s %d", c, n))
		}
	}
	if texts == nil {
		return term.None
	}
	return strings.Join(texts, ", ")
}

// credentialNames names the providers and hides the secrets.
func credentialNames(credentials organization.Object) string {
	var values map[string]json.RawMessage
	if err := json.Unmarshal([]byte(credentials.Text()), &values); err != nil || len(values) == 0 {
		return term.None
	}
	return strings.Join(slices.Sorted(maps.Keys(values)), ", ") + " (values hidden)"
}

// changesText shows short changes whole, and long ones by the names of their fields. It shows a key by its identifier
// and label. --json has the whole changes.
func changesText(changes []organization.Change) string {
	const longest = 60
	texts := make([]string, 0, len(changes))
	for _, c := range changes {
		text := c.Field + " " + c.Before + " -> " + c.After
		switch {
		case c.Field == keyField:
			text = changedKey(c)
		case len(text) > longest:
			text = c.Field
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// changedKey names the key of a change.
func changedKey(c organization.Change) string {
	var key struct {
		ID    string `json:"key_id"`
		Label string `json:"label"`
	}
	if err := json.Unmarshal([]byte(c.After), &key); err != nil || key.ID == "" {
		return c.Field
	}
	if key.Label == "" {
		return key.ID
	}
	return key.ID + " (" + key.Label + ")"
}
