// Package mutants holds services that are wrong on purpose, to show that the suite would notice. A Mutant is a layer in
// front of the right service that makes it wrong in one way. A suite that lets a mutant pass has a hole.
//
// The tables of mutants are in files named for what they break; All lists the tables. ops.go has the parts that mutants
// are made of. The package must not import the service's code, nor the checks that are to catch the mutants.
package mutants

import (
	"slices"
	"strings"
	"sync"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// Mutant is one way in which a service can depart from the contract.
type Mutant struct {
	Name  string
	Group string
	Does  string // the departure: a sentence about the service, without its subject
	// Wrap returns the target with the departure. State that the mutant keeps belongs to that target alone.
	Wrap func(world *World, target harness.Target) harness.Target
}

// The groups of mutants.
const (
	GroupSchema     = "schema"     // what answers look like
	GroupAcceptance = "acceptance" // which requests are taken and which are refused
	GroupBehaviour  = "behaviour"  // what requests do; every single answer is in order
	GroupHeaders    = "headers"
	GroupSecurity   = "security"
)

// All returns all mutants, group by group.
func All() []Mutant {
	return slices.Concat(
		group(GroupSchema, bodyMutants(), memberMutants(), errorMutants()),
		group(GroupAcceptance, laxFieldMutants(), laxBodyMutants(), strictMutants()),
		group(GroupBehaviour, lostMutants(), patchMutants(), valueMutants(), readMutants(), effectMutants(),
			tagMutants(), conditionMutants(), raceMutants(), limitMutants()),
		group(GroupHeaders, tagHeaderMutants(), headerMutants(), limitHeaderMutants()),
		group(GroupSecurity, permissionMutants(), keyMutants(), leakMutants(), tenancyMutants()),
	)
}

// mutant is a row of a table: its name, what it does, and how.
type mutant struct {
	name, does string
	wrap       mutation
}

func group(name string, tables ...[]mutant) []Mutant {
	var all []Mutant
	for _, m := range slices.Concat(tables...) {
		all = append(all, Mutant{Name: m.name, Group: name, Does: m.does, Wrap: m.wrap})
	}
	return all
}

// World is what a mutant knows and no client does. It is safe for concurrent use.
type World struct {
	// Direct is the service as it should be, on the same store, without rate limits.
	Direct harness.Target

	windows memory[int] // by key, the end of the first window that was seen

	mu      sync.Mutex
	tenants []harness.Tenant
	deleted map[string]bool // by the identifiers of tenants
}

// Add tells the world of a tenant that was made as the spec says.
func (w *World) Add(t harness.Tenant, spec harness.TenantSpec) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tenants = append(w.tenants, t)
	if w.deleted == nil {
		w.deleted = map[string]bool{}
	}
	w.deleted[t.ID] = spec.Deleted
}

// find returns the newest tenant for which is returns true.
func (w *World) find(is func(t harness.Tenant) bool) (harness.Tenant, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range slices.Backward(w.tenants) {
		if is(t) {
			return t, true
		}
	}
	return harness.Tenant{}, false
}

func (w *World) tenant(id string) (harness.Tenant, bool) {
	return w.find(func(t harness.Tenant) bool { return t.ID == id })
}

// other returns the newest tenant that is not the one of the id, with an admin key that works.
func (w *World) other(id string) (harness.Tenant, bool) {
	return w.find(func(t harness.Tenant) bool {
		return t.ID != id && t.Keys[harness.KeyAdmin] != "" && !w.deleted[t.ID]
	})
}

// owner returns the tenant that has the key, and of what kind the key is. It returns false if nobody has it.
func (w *World) owner(key string) (owner harness.Tenant, kind harness.KeyKind, ok bool) {
	owner, ok = w.find(func(t harness.Tenant) bool {
		for is, text := range t.Keys {
			if text == key {
				kind = is
				return true
			}
		}
		return false
	})
	return owner, kind, ok
}

// caller returns the tenant whose key a call presents, and of what kind the key is. It returns false if it is nobody's.
func (c *call) caller() (harness.Tenant, harness.KeyKind, bool) {
	if key := c.token(); key != "" {
		return c.world.owner(key)
	}
	return harness.Tenant{}, "", false
}

// stranger reports whether a call presents what looks like a key of an organization that does not exist.
func (c *call) stranger() bool {
	parts := strings.Split(c.token(), "_")
	if len(parts) != 4 || parts[0] != "sk" {
		return false
	}
	_, known := c.world.tenant("org_" + parts[2])
	return !known
}

// token returns the key that a call presents, "" if it presents none.
func (c *call) token() string {
	if key, ok := harness.BearerToken(judge.Canonical(c.Header).Get("Authorization")); ok {
		return key
	}
	return ""
}
