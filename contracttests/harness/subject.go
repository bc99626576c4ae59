package harness

import (
	"context"
	"time"

	"organizations-api/contracttests/judge"
)

// Path is the path of both operations.
const Path = "/v1/organizations"

// Subject is a service with everything that is needed to test it.
type Subject struct {
	Name      string
	Target    Target
	Validator *judge.Validator

	// Provision makes a new organization. It is nil on a live target, where the suite must not make any: the checks
	// then share Given, and put back what they change.
	Provision func(ctx context.Context, spec TenantSpec) (Tenant, error)
	Given     Tenant // the organization of a live target; it has at least an admin key
	// Start is the organization of a live target when the run began; nil where nobody looked. A check that finds
	// another one reports that somebody else is at work.
	Start *Snapshot
	// Mark is part of every text that Fresh makes, so that a run on a live target knows its own texts from those of
	// another run; "" where nobody else can be at work. It has MarkLength letters and digits, in lower case.
	Mark  string
	Other *Tenant // another organization of a live target; nil where none was given

	// Faulty returns the same service on a store in that state; nil where there is no such store.
	Faulty func(Fault) Target

	// Revoke revokes a key of an organization that Provision made; nil where that cannot be done.
	Revoke func(ctx context.Context, t Tenant, kind KeyKind) error

	// Later returns the same service, on the same store, when its clock shows that time; nil where nobody can wait for
	// it. It returns at once where the clock can be set.
	Later func(ctx context.Context, at time.Time) Target

	// Observe sees every exchange that a check makes; it may be nil. It is called from several goroutines.
	Observe func(judge.Exchange)
}

// Target is a running service. It is safe for concurrent use.
type Target interface {
	// Send sends the request and returns the answer. It returns an error if there was no answer.
	Send(ctx context.Context, r judge.Request) (judge.Response, error)
}

// TargetFunc is a function as a Target.
type TargetFunc func(ctx context.Context, r judge.Request) (judge.Response, error)

// Send calls f.
func (f TargetFunc) Send(ctx context.Context, r judge.Request) (judge.Response, error) {
	return f(ctx, r)
}

// Tenant is an organization of a target.
type Tenant struct {
	ID   string             // organization_id; empty where only a first read can tell
	Keys map[KeyKind]string // plain text
	// Expiring are the kinds of the keys that have an expiry, past or to come.
	Expiring []KeyKind
	// Secrets are what no answer to anybody may contain: the internal identifier, hashes of the keys.
	Secrets []string
}

// KeyKind says what a key may do, or what is wrong with it.
type KeyKind string

// A key is of one of these kinds. A live target has only the keys that it was given.
const (
	KeyAdmin   KeyKind = "admin"
	KeyDelete  KeyKind = "delete"
	KeyWrite   KeyKind = "write"
	KeyRead    KeyKind = "read"
	KeyNone    KeyKind = "none"    // valid, with no permission at all
	KeyRevoked KeyKind = "revoked" // was an admin key
	KeyExpired KeyKind = "expired" // was an admin key
	KeyUnknown KeyKind = "unknown" // well-formed, of this organization, and never issued
)

// Mistyped returns the key with its last character changed.
func Mistyped(key string) string {
	if key == "" {
		return "a"
	}
	end := len(key) - 1
	if key[end] == 'a' {
		return key[:end] + "b"
	}
	return key[:end] + "a"
}

// TenantSpec says which organization a check needs. The zero TenantSpec is an organization of the tier pro with no
// value set.
type TenantSpec struct {
	Tier string // "" is pro
	Full bool   // every property of the response has a value
	// Limit is how many requests a minute the organization may make, by an override of its own. 0 is so many that no
	// check reaches it.
	Limit   int
	Deleted bool      // deleted after its keys were issued
	Keys    []KeyKind // that the check uses besides the admin key; nil is every kind
}

// Fault is a fault of the store behind a service.
type Fault string

// A store can have these faults.
const (
	FaultUnavailable Fault = "unavailable" // throttled or unreachable
	FaultBroken      Fault = "broken"      // answers with an error that no caller may see
	FaultWrites      Fault = "writes"      // can be read, but changes find it throttled or unreachable
)

// Faults returns all faults.
func Faults() []Fault { return []Fault{FaultUnavailable, FaultBroken, FaultWrites} }

// FaultText is part of the errors of a faulty store. No answer may contain it.
const FaultText = "cause-for-the-log-alone"
