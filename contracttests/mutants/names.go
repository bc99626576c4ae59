package mutants

import (
	"net/http"
	"sync"

	"organizations-api/contracttests/harness"
)

// This file reads names from the document, so that a new member has its mutants by itself.

// names are the names that the document declares.
type names struct {
	members   []string // of an organization
	required  []string // of them, by the schema; that the others are never left out is a law
	updates   []string // of an update
	objects   []string // updates that are objects, without the second name of the limits
	emails    []string
	clearable []string // texts of updates that an organization can have as null
	flags     []string
	limits    []string // of the limits
}

// declared reads the names once.
var declared = sync.OnceValue(func() names {
	document := harness.Validator().Document
	shown := document.Operation(http.MethodGet, harness.Path).Response(http.StatusOK).Content[0].Schema.Place()
	update := document.Operation(http.MethodPatch, harness.Path).Body.Content[0].Schema.Place()
	var n names
	n.members, n.updates = shown.Properties(), update.Properties()
	for _, schema := range shown {
		n.required = append(n.required, schema.Required...)
	}
	n.limits = update.Member("rate_limits").Properties()
	for _, name := range n.updates {
		p := update.Member(name)
		switch {
		case p.Has("object") && name != "rate_limit_overrides":
			n.objects = append(n.objects, name)
		case p.Has("boolean"):
			n.flags = append(n.flags, name)
		case p.Has("string"):
			if p.HasFormat("email") {
				n.emails = append(n.emails, name)
			}
			if shown.Member(name).Has("null") {
				n.clearable = append(n.clearable, name)
			}
		}
	}
	return n
})
