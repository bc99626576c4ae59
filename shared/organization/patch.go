package organization

import "time"

// Field is one field of a patch. The zero Field is absent.
type Field[T any] struct {
	state fieldState
	value T
}

type fieldState uint8

const (
	absent fieldState = iota
	null
	present
)

// Null returns a field that is sent as null.
func Null[T any]() Field[T] { return Field[T]{state: null} }

// Set returns a field that is sent with a value.
func Set[T any](value T) Field[T] { return Field[T]{state: present, value: value} }

// IsNull reports whether the field is sent as null.
func (f Field[T]) IsNull() bool { return f.state == null }

// Value returns the field's value; ok is false where it is absent or null.
func (f Field[T]) Value() (value T, ok bool) { return f.value, f.state == present }

// Patch is a change that a caller asks for. A field that is absent leaves the record's as it is; what null means is said
// beside each field. Values must be within the bounds of this package: the Check functions, MinLimit and MaxLimit.
type Patch struct {
	Name               Field[string]   // null leaves it
	LogoURL            Field[string]   // null clears it
	BillingEmail       Field[string]   // null clears it
	NotificationsEmail Field[string]   // null clears it
	Metadata           Field[Object]   // replaces the whole; null leaves it
	RateLimits         Field[Override] // replaces the whole; null removes the override
	Credentials        Field[Object]   // replaces the whole; null leaves it
}

// Change is what a patch did to one field, as JSON texts for the audit trail. Secrets are not in it: of credentials it has
// the names and fingerprints of the values, or one fingerprint of all of them where they are very many.
type Change struct {
	Field  string // by its name in the contract
	Before string
	After  string
}

// Apply returns the record with the patch applied, and what that changed, in the order of the contract's fields. Where
// nothing changes, the record comes back as it was. Otherwise its version is one higher and UpdatedAt is now, or a
// microsecond after the last update where the clock has not moved since.
func (o Organization) Apply(p Patch, now time.Time) (Organization, []Change) {
	next := o
	if name, ok := p.Name.Value(); ok {
		next.Name = name
	}
	next.LogoURL = optional(o.LogoURL, p.LogoURL)
	next.BillingEmail = optional(o.BillingEmail, p.BillingEmail)
	next.NotificationsEmail = optional(o.NotificationsEmail, p.NotificationsEmail)
	if metadata, ok := p.Metadata.Value(); ok {
		next.Metadata = metadata
	}
	if override, ok := p.RateLimits.Value(); ok || p.RateLimits.IsNull() {
		next.Override = override
	}
	if credentials, ok := p.Credentials.Value(); ok {
		next.Credentials = credentials
	}
	changes := diff(o, next)
	if len(changes) == 0 {
		return o, nil
	}
	next.Version++
	next.UpdatedAt = Timestamp(now)
	if !next.UpdatedAt.After(o.UpdatedAt) {
		next.UpdatedAt = o.UpdatedAt.Add(time.Microsecond)
	}
	return next, changes
}

// optional returns what a field that null clears becomes.
func optional(current *string, f Field[string]) *string {
	if value, ok := f.Value(); ok {
		return &value
	}
	if f.IsNull() {
		return nil
	}
	return current
}
