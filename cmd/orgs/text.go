package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"organizations-api/shared/organization"
)

// What the command prints for people.

// printable returns the text with everything that would move the cursor or hide something spelt out: names come from
// tenants, and a terminal obeys what it is sent.
func printable(s string) string {
	var out strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			out.WriteRune(r)
		} else {
			out.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return out.String()
}

func writeLine(w io.Writer, line string) error {
	_, err := fmt.Fprintln(w, line)
	return err
}

// writeIssued shows a key the one time.
func writeIssued(w *screen, k issued) error {
	if err := writePairs(w, [][2]string{
		{"Key id", k.record.ID},
		{"Permission", k.record.Permission.String()},
		{"Mode", string(k.record.Mode)},
		{"Expires", textTime(k.record.ExpiresAt)},
		{"Key", k.key.Reveal()},
	}); err != nil {
		return err
	}
	return writeLine(w, "\nKeep the key: it is shown only now.")
}

func organizationPairs(o organization.Organization) [][2]string {
	return [][2]string{
		{"Organization", string(o.ID)},
		{"Name", o.Name},
		{"State", organizationState(o)},
		{"Tier", string(o.Tier)},
		{"Credits", strconv.FormatInt(o.Credits, 10)},
		{"Used this month", strconv.FormatInt(o.CurrentMonthUsage, 10)},
		{"Rate limits", limitsText(o.Limits()) + " a minute"},
		{"Overridden", limitsText(o.Override)},
		{"Billing email", orNone(o.BillingEmail)},
		{"Notifications email", orNone(o.NotificationsEmail)},
		{"Logo", orNone(o.LogoURL)},
		{"Metadata", o.Metadata.Text()},
		{"LLM credentials", credentialNames(o.Credentials)},
		{"Version", strconv.FormatInt(o.Version, 10)},
		{"Created", textTime(&o.CreatedAt)},
		{"Updated", textTime(&o.UpdatedAt)},
	}
}

// The states of an organization.
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

const none = "-"

func orNone(s *string) string {
	if s == nil {
		return none
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
		return none
	}
	return strings.Join(texts, ", ")
}

// credentialNames names the providers and hides the secrets.
func credentialNames(credentials organization.Object) string {
	var values map[string]json.RawMessage
	if err := json.Unmarshal([]byte(credentials.Text()), &values); err != nil || len(values) == 0 {
		return none
	}
	return strings.Join(slices.Sorted(maps.Keys(values)), ", ") + " (values hidden)"
}

const timeLayout = "2006-01-02 15:04:05Z"

func textTime(t *time.Time) string {
	if t == nil {
		return none
	}
	return t.UTC().Format(timeLayout)
}
