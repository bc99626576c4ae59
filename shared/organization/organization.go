// Package organization is the domain: the record of one tenant, its tier and rate limits, and the rules by which a
// patch changes it. Everything in it is pure: it reads no clock, no network and no store.
//
// It must import nothing but the standard library and two packages without state, base62 and plainjson. It must know
// neither how records are stored nor how they are sent.
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

// ID is the public identifier of an organization: org_ and 13 letters or digits (77 bits of entropy).
type ID string

// NewID returns a random identifier.
func NewID() ID { return ID(idPrefix + base62.Random(idLength)) }

// ParseID returns s as an ID. It returns an error if s does not have the form of an identifier.
func ParseID(s string) (ID, error) {
	if part, ok := strings.CutPrefix(s, idPrefix); !ok || !base62.Valid(part, idLength) {
		return "", errors.New("an organization id is org_ and 13 letters and digits")
	}
	return ID(s), nil
}

// PublicPart returns the identifier without its prefix. API keys contain it.
func (id ID) PublicPart() string { return strings.TrimPrefix(string(id), idPrefix) }

// IDFromPublicPart is the inverse of PublicPart. It returns an error if part is not the public part of an identifier.
func IDFromPublicPart(part string) (ID, error) { return ParseID(idPrefix + part) }

// InternalID is the secret identifier of an organization: int_ and 21 letters or digits (125 bits of entropy). It is
// stored with the record and never shown: printing, logging or encoding it gives "[redacted]". The zero InternalID
// means that there is no identifier.
type InternalID struct{ secret string }

const redacted = "[redacted]"

// NewInternalID returns a random identifier.
func NewInternalID() InternalID {
	return InternalID{internalIDPrefix + base62.Random(internalIDLength)}
}

// StoredInternalID returns the InternalID that Reveal gave to the store.
func StoredInternalID(secret string) InternalID { return InternalID{secret} }

// Reveal returns the secret. Only a store, or a backup of a store, may call it.
func (id InternalID) Reveal() string { return id.secret }

// Equal reports whether id and other are the same secret.
func (id InternalID) Equal(other InternalID) bool { return id == other }

// These methods keep the secret out of everything that prints, logs or encodes an InternalID.

func (InternalID) String() string               { return redacted }
func (InternalID) GoString() string             { return redacted }
func (InternalID) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (InternalID) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Object is the text of a JSON object without insignificant white space. Everything else stays as its owner wrote it,
// so no digit, no order and no nesting is lost. The code that makes an Object checks that the text is a JSON object.
// The zero Object stands for {}.
type Object string

// NewObject returns the Object with the text, which must be a JSON object in compact form. For {} it returns the zero
// Object, so that equal records compare equal.
func NewObject(compact string) Object {
	if compact == "{}" {
		return ""
	}
	return Object(compact)
}

// Text returns the object as JSON: {} for the zero Object.
func (o Object) Text() string {
	if o == "" {
		return "{}"
	}
	return string(o)
}

// Organization is the record of one tenant. A pointer is nil if the property is not set. An Organization is a plain
// value: you can copy it, as nothing in this package changes the values that its pointers refer to.
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
	Override           RateLimits // limits that replace those of the tier; 0: not replaced
	AutoBilling        bool
	BillingCycleStart  int   // day of the month
	CurrentMonthUsage  int64 // credits
	CreatedAt          time.Time
	UpdatedAt          time.Time
	Users              *string // the text of a JSON array of objects
	AuthProviderOrgID  *string
	Credentials        Object // names of secrets, by the name of the model provider; every value is a string
	APIURL             *string
	NSFWCheck          bool // uploads are to be checked for content that is not safe for work
	NSFWFailClosed     bool // an upload that cannot be checked is to be refused

	Version   int64      // accepted changes since creation
	DeletedAt *time.Time // when the organization was deleted; it can still be recovered. nil: not deleted
}

// New returns the record of a new organization of the tier, with the tier's credits for a month. The caller checks the
// name with CheckName and the email with CheckEmail. billingEmail may be nil.
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

// Limits returns the limits in force: those of the tier, replaced by the override's where it has them.
func (o Organization) Limits() RateLimits { return o.Tier.Limits().Overlay(o.Override) }

// Timestamp returns t as records keep it: in UTC, cut to whole microseconds.
func Timestamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// FormatTime returns t in RFC 3339, in UTC, with microseconds. All results have the same length, so they sort as the
// times do.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// ParseTime is the inverse of FormatTime. It returns an error if s does not have that form.
func ParseTime(s string) (time.Time, error) { return time.Parse(timeLayout, s) }

const timeLayout = "2006-01-02T15:04:05.000000Z"

// Tier is the account's tier. It decides the monthly credits and the rate limits.
type Tier string

// The tiers of the contract's AccountTier.
const (
	Free       Tier = "free"
	Pro        Tier = "pro"
	Team       Tier = "team"
	Enterprise Tier = "enterprise"
)

// Tiers returns all tiers, from the smallest to the largest.
func Tiers() []Tier { return []Tier{Free, Pro, Team, Enterprise} }

// ParseTier returns the tier with the name s. It returns an error if there is no such tier.
func ParseTier(s string) (Tier, error) {
	for _, t := range Tiers() {
		if string(t) == s {
			return t, nil
		}
	}
	return "", errors.New("a tier is one of free, pro, team and enterprise")
}

// MonthlyCredits returns the credits that the tier gives each month. ok is false if they are agreed with each customer.
func (t Tier) MonthlyCredits() (credits int64, ok bool) {
	switch t {
	case Pro:
		return 100_000, true
	case Team:
		return 1_000_000, true
	case Enterprise:
		return 0, false
	default:
		return 1_000, true
	}
}

// Limits returns the tier's rate limits.
func (t Tier) Limits() RateLimits {
	switch t {
	case Pro:
		return RateLimits{Metadata: 100, Data: 60, Search: 60, Upload: 30, Compute: 30}
	case Team, Enterprise:
		return RateLimits{Metadata: 200, Data: 100, Search: 100, Upload: 50, Compute: 50}
	default:
		return RateLimits{Metadata: 20, Data: 10, Search: 10, Upload: 5, Compute: 5}
	}
}

// The bounds of one limit that a caller sets, in requests a minute. With MaxLimit every limit is a 32-bit integer,
// which many generated clients read a limit as.
const (
	MinLimit = 1
	MaxLimit = 1_000_000_000
)

// Category is a kind of operation. Each category has a rate limit of its own.
type Category string

// The categories of the contract's BaseRateLimits.
const (
	Metadata Category = "metadata"
	Data     Category = "data"
	Search   Category = "search"
	Upload   Category = "upload"
	Compute  Category = "compute"
)

// Categories returns all categories, in the order of the contract.
func Categories() []Category { return []Category{Metadata, Data, Search, Upload, Compute} }

// RateLimits holds the number of requests a minute for each category. In an override, 0 means that the category keeps
// the limit of the tier, so the zero RateLimits overrides nothing.
type RateLimits struct {
	Metadata, Data, Search, Upload, Compute int
}

// Of returns a pointer to the category's limit. It returns nil for an unknown category.
func (l *RateLimits) Of(c Category) *int {
	switch c {
	case Metadata:
		return &l.Metadata
	case Data:
		return &l.Data
	case Search:
		return &l.Search
	case Upload:
		return &l.Upload
	case Compute:
		return &l.Compute
	default:
		return nil
	}
}

// Overlay returns l with the limits of the override in place of its own. Where the override has 0, l keeps its limit.
func (l RateLimits) Overlay(override RateLimits) RateLimits {
	for _, c := range Categories() {
		if n := *override.Of(c); n != 0 {
			*l.Of(c) = n
		}
	}
	return l
}
