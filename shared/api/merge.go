package api

import (
	"fmt"

	"organizations-api/shared/organization"
	"organizations-api/shared/strictjson"
)

// merge is the part of a JSON Merge Patch (RFC 7396) whose result depends on the record: objects are merged into those
// that are there. The zero merge changes nothing.
type merge struct {
	metadata    strictjson.Value // an object; the zero Value: nothing to merge
	credentials strictjson.Value // the same
	limits      limitsMerge
}

// limitsMerge is a change of single categories of an override.
type limitsMerge struct {
	set     organization.RateLimits // new limits; 0: the category is not set
	removed organization.RateLimits // not 0: the category is taken out
}

// of returns what the update does to the record, as a patch that replaces. The error is a 422 if a merged object would
// be too large.
func (u update) of(o organization.Organization) (organization.Patch, error) {
	patch := u.patch
	var p problems
	for _, object := range []struct {
		name    string
		merge   strictjson.Value
		current organization.Object
		field   *organization.Field[organization.Object]
	}{
		{"metadata", u.merge.metadata, o.Metadata, &patch.Metadata},
		{"default_llm_credentials", u.merge.credentials, o.Credentials, &patch.Credentials},
	} {
		if object.merge.Kind() != strictjson.Object {
			continue
		}
		current, err := strictjson.Parse([]byte(object.current.Text()))
		if err != nil {
			return organization.Patch{}, fmt.Errorf("merging into the stored %s: %w", object.name, err)
		}
		merged := strictjson.MergePatch(current, object.merge)
		p.size(object.name, merged)
		*object.field = organization.Set(organization.NewObject(merged))
	}
	if len(p) > 0 {
		return organization.Patch{}, invalid(p)
	}
	if u.merge.limits != (limitsMerge{}) {
		patch.RateLimits = organization.Set(u.merge.limits.into(o.Override))
	}
	return patch, nil
}

// into returns the override with the change.
func (m limitsMerge) into(override organization.RateLimits) organization.RateLimits {
	for _, c := range organization.Categories() {
		if *m.removed.Of(c) != 0 {
			*override.Of(c) = 0
		}
	}
	return override.Overlay(m.set)
}
