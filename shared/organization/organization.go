// Package organization is the domain: the record of one tenant, its tiers and rate limits, and the rules by which a patch
// changes it. Everything in it is pure; it reads no clock, no network and no store.
//
// It must import nothing but the standard library and base62: not how records are stored, nor how they are sent.
package organization

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"organizations-api/shared/base62"
)

const (
	idPrefix         = "org_"
	idLength         = 13
	internalIDPrefix = "int_"
	internalIDLength = 21
)

// ID is the public identifier of an organization: org_ and 13 letters and digits (77 bits of entropy).
type ID string

// NewID returns a random identifier.
func NewID() ID { return ID(idPrefix + base62.Random(idLength)) }

// ParseID checks that s has the form of an identifier.
func ParseID(s string) (ID, error) {
	if part, ok := strings.CutPrefix(s, idPrefix); !ok || !base62.Valid(part, idLength) {
		return "", errors.New("an organization id is org_ and 13 letters and digits")
	}
	return ID(s), nil
}

// PublicPart returns the identifier without its prefix; API keys carry it.
func (id ID) PublicPart() string { return strings.TrimPrefix(string(id), idPrefix) }

// IDFromPublicPart is the inverse of PublicPart.
func IDFromPublicPart(part string) (ID, error) { return ParseID(idPrefix + part) }

// InternalID is the secret identifier of an organization: int_ and 21 letters and digits (125 bits of entropy). It is kept
// with the record and shown to nobody: every way of printing or serialising it gives a fixed word. The zero InternalID
// is none.
type InternalID struct{ secret string }

const redacted = "[redacted]"

// NewInternalID returns a random identifier.
func NewInternalID() InternalID {
	return InternalID{internalIDPrefix + base62.Random(internalIDLength)}
}

// StoredInternalID takes an identifier back from the store.
func StoredInternalID(secret string) InternalID { return InternalID{secret} }

// Reveal returns the secret. Only a store, and a backup of one, may call it.
func (id InternalID) Reveal() string { return id.secret }

// Equal reports whether both are the same secret.
func (id InternalID) Equal(other InternalID) bool { return id == other }

// Whatever prints, logs or encodes the identifier gets the fixed word.

func (InternalID) String() string               { return redacted }
func (InternalID) GoString() string             { return redacted }
func (InternalID) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (InternalID) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Object is a JSON object in compact form: no insignificant white space, everything else as its owner wrote it, so that
// no digit, order or nesting is lost. Whoever makes one has checked that it is an object; the zero Object stands for {}.
type Object string

// NewObject returns the object with the JSON text, which must be one object in compact form. Every text of {} gives the
// zero Object, so that equal records compare equal.
func NewObject(compact string) Object {
	if compact == "{}" {
		return ""
	}
	return Object(compact)
}

// Text returns the object's JSON.
func (o Object) Text() string {
	if o == "" {
		return "{}"
	}
	return string(o)
}

// Organization is the record of one tenant. Pointers are nil where nothing is set, and never lead to an empty text. It is
// a plain value: copying it is safe, and nothing in this package changes what a pointer of it leads to.
type Organization struct {
	ID                 ID
	InternalID         InternalID
	Name               string
	LogoURL            *string
	Tier               Tier
	Credits            int64 // left to use
	Metadata           Object
	BillingEmail       *string
	NotificationsEmail *string
	Override           Override
	AutoBilling        bool
	BillingCycleStart  int   // day of the month
	CurrentMonthUsage  int64 // credits
	CreatedAt          time.Time
	UpdatedAt          time.Time
	Users              *string // a JSON array of objects, kept as text
	AuthProviderOrgID  *string
	Credentials        Object // secrets by name of the model provider; all values are strings
	APIURL             *string

	Version   int64      // accepted changes since creation
	DeletedAt *time.Time // set when the organization was deleted and can still be recovered
}

// New returns the record of a new organization of the tier, with a month's credits. The name and email must have passed
// CheckName and CheckEmail; billingEmail may be nil.
func New(name string, tier Tier, billingEmail *string, now time.Time) Organization {
	now = Timestamp(now)
	credits, _ := tier.MonthlyCredits()
	return Organization{
		ID:                NewID(),
		InternalID:        NewInternalID(),
		Name:              name,
		Tier:              tier,
		Credits:           credits,
		BillingEmail:      billingEmail,
		BillingCycleStart: 1,
		CreatedAt:         now,
		UpdatedAt:         now,
	}
}

// Limits returns the limits in force: those of the tier, overlaid by the override's categories.
func (o Organization) Limits() RateLimits { return o.Tier.Limits().Overlay(o.Override) }

// Timestamp returns t as records keep it: in UTC, in whole microseconds.
func Timestamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// FormatTime returns t in RFC 3339 with microseconds and Z. All results are of one length and sort as the times do.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// ParseTime is the inverse of FormatTime.
func ParseTime(s string) (time.Time, error) { return time.Parse(timeLayout, s) }

const timeLayout = "2006-01-02T15:04:05.000000Z"
