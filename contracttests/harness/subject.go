package harness

import (
	"context"

	"organizations-api/contracttests/judge"
)

// Lacks returns why a check cannot be run against the subject, and nothing if it can.
func Lacks(subject *Subject, check Check) []string {
	live := subject.Provision == nil
	var reasons []string
	for _, need := range []struct {
		need   Need
		lacks  bool
		reason string
	}{
		{NeedProvision, live, "it needs organizations of its own, in states that only their operator can bring about"},
		{NeedFaults, subject.Faulty == nil, "it needs a store that fails"},
		{NeedOther, live && subject.Other == nil, "it needs a key of a second organization"},
		{NeedRead, live && subject.Given.Keys[KeyRead] == "", "it needs a key that can only read"},
		{NeedRevoke, subject.Revoke == nil, "it needs to revoke a key"},
	} {
		if check.Needs&need.need != 0 && need.lacks {
			reasons = append(reasons, need.reason)
		}
	}
	return reasons
}

// Target is a running service. It is safe for concurrent use.
type Target interface {
	// Send sends the request and returns whatever is answered. An error says that there was no answer.
	Send(ctx context.Context, r judge.Request) (judge.Response, error)
}

// TargetFunc is a function as a Target.
type TargetFunc func(ctx context.Context, r judge.Request) (judge.Response, error)

// Send calls f.
func (f TargetFunc) Send(ctx context.Context, r judge.Request) (judge.Response, error) {
	return f(ctx, r)
}

// KeyKind says what is the matter with a key.
type KeyKind string

// The kinds of keys. A live target knows only those that it was given.
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

// Tenant is an organization of a target.
type Tenant struct {
	ID   string             // organization_id; empty where only a first read can tell
	Keys map[KeyKind]string // plain text
	// Expiring are the kinds of the keys that were given an expiry, whether it is over or to come.
	Expiring []KeyKind
	// Secrets are what no answer to anybody may contain: the internal identifier, hashes of the keys.
	Secrets []string
}

// TenantSpec says what organization a check needs. The zero TenantSpec is one of the tier pro with nothing set.
type TenantSpec struct {
	Tier string // "" is pro
	Full bool   // every property of the response has a value
	// Limit is how many requests a minute the organization may make, by an override of its own; 0 is so many that no
	// check reaches it. Whoever provisions enforces limits.
	Limit   int
	Deleted bool      // deleted after its keys were issued
	Keys    []KeyKind // that the check uses, besides the admin key; nil is every kind
}

// Fault is a state of the store behind a service.
type Fault string

// The faults.
const (
	FaultUnavailable Fault = "unavailable" // throttled or unreachable
	FaultBroken      Fault = "broken"      // answers with an error that no caller may see
	FaultWrites      Fault = "writes"      // can be read, but changes find it throttled or unreachable
)

// FaultText is to be part of the errors of a faulty store. No answer may contain it.
const FaultText = "cause-for-the-log-alone"

// Subject is a service with what it takes to test it.
type Subject struct {
	Name      string
	Target    Target
	Validator *judge.Validator

	// Provision makes a new organization. It is nil where the suite must not, on a live target; the checks then share
	// Given, and put back what they change.
	Provision func(ctx context.Context, spec TenantSpec) (Tenant, error)
	Given     Tenant  // of a live target; at least an admin key
	Other     *Tenant // another organization of a live target; nil where none was given

	// Faulty returns the same service on a store in that state; nil where that cannot be shown.
	Faulty func(Fault) Target

	// Revoke revokes a key of an organization that Provision made; nil where that cannot be shown.
	Revoke func(ctx context.Context, t Tenant, kind KeyKind) error

	// Observe sees every exchange that a check makes; nil sees nothing. It is called from several goroutines.
	Observe func(judge.Exchange)
}
