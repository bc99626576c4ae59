package mutants

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// This file breaks what updates do.

// lostMutants forget a field of updates, and answer as if they had set it.
func lostMutants() []mutant {
	var all []mutant
	for _, name := range declared().updates {
		all = append(all, mutant{short(name) + "-lost", "forgets the " + name + " of updates", losing(name)})
	}
	return all
}

// patchMutants make something else of updates than what was asked for.
func patchMutants() []mutant {
	ignoring := func(name, value string) mutation {
		return updateMembers(func(o *rawObject) {
			if raw, _ := o.get(name); raw == value {
				o.drop(name)
			}
		})
	}
	all := []mutant{
		{"update-forgets-logo", "clears the logo where an update names the organization anew",
			alsoSetting("organization_name", "logo_url", "null")},
		{"update-forgets-metadata", "empties the metadata where an update leaves it out",
			alsoSetting("", "metadata", "{}")},
		{"update-forgets-credentials", "removes the credentials where an update sets metadata",
			alsoSetting("metadata", "default_llm_credentials", "{}")},
		{"json-as-merge-patch", "takes JSON for a merge patch", mediaType(harness.MergePatchType,
			func(was string) bool { return was == "application/json" })},
		{"merge-patch-as-json", "takes a merge patch for JSON", requests(func(c *call) {
			if c.merges() {
				setHeader(c.Header, "Content-Type", "application/json")
			}
		})},
		{"merge-patch-keeps-null", "keeps null of a merge patch in metadata", mergeMembers(func(o *rawObject) {
			o.nested("metadata", func(all *rawObject) {
				for _, m := range *all {
					all.change(m.name, becoming("[null]", "null"))
				}
			})
		})},
		{"merge-patch-flat", "merges the first level of metadata alone", requests(func(c *call) {
			if !c.merges() {
				return
			}
			c.edit(func(o *rawObject) {
				o.nested("metadata", func(all *rawObject) {
					for _, m := range *all {
						if strings.HasPrefix(m.raw, "{") {
							c.merge(`{"metadata":{` + quoteRaw(m.name) + `:null}}`)
						}
					}
				})
			})
		})},
		{"merge-patch-replaces-limits", "replaces the override by a merge patch", requests(func(c *call) {
			o, _ := readRawObject(c.Body)
			one, other := "", ""
			one, _ = o.get("rate_limits")
			other, _ = o.get("rate_limit_overrides")
			if c.merges() && strings.HasPrefix(one+other, "{") {
				c.merge(`{"rate_limits":null}`)
			}
		})},
		{"null-renames", "takes the name away by null",
			updateField("organization_name", becoming(`"Unnamed"`, "null"))},
		{"absent-limits-to-default", "gives limits that an override leaves out the default of the schema",
			updateField("rate_limits", func(raw string) (string, bool) {
				if raw == "{}" {
					return "", false
				}
				return mergeRaw(defaultLimits, raw)
			})},
		{"limits-in-wrong-categories", "takes the limits of upload and compute for each other",
			updateMembers(func(o *rawObject) {
				o.nested("rate_limits", exchangeLimits)
			})},
		{"invalid-update-half-done", "refuses an update that is invalid and makes its valid parts",
			afterUpdate(http.StatusUnprocessableEntity, func(c *call) {
				o, _ := readRawObject(c.Body)
				for _, m := range o {
					c.write(rawObject{m}.text())
				}
			})},
		{"guarded-update-done", "answers 412 and makes the change all the same",
			afterUpdate(http.StatusPreconditionFailed, (*call).done)},
		{"limited-update-done", "answers 429 and makes the change all the same",
			afterUpdate(http.StatusTooManyRequests, (*call).done)},
		{"no-change-counts", "takes an update that changes nothing for a change",
			knowing(func(c *call, out *judge.Response) {
				if c.updates() && out.Status == http.StatusOK && tagOf(*out) == c.tagBefore {
					c.touch()
					record, tag, _ := c.read()
					setHeader(out.Header, "ETag", tag)
					setBody(out, record.text())
				}
			})},
	}
	for _, name := range slices.Concat([]string{"rate_limits", "metadata", "default_llm_credentials"}, declared().clearable,
		declared().flags) {
		all = append(all,
			mutant{"merge-null-keeps-" + short(name), "does not clear " + name + " by null in a merge patch",
				ignoring(name, "null")},
			mutant{"null-clears-" + short(name), "clears " + name + " by null in JSON", clearing(name)},
		)
	}
	for _, name := range declared().flags {
		all = append(all, mutant{short(name) + "-always-on", "does not turn " + name + " off",
			updateField(name, becoming("true", "false"))})
	}
	for _, name := range declared().objects {
		all = append(all,
			mutant{short(name) + "-merged", "merges " + name + " in JSON into what is there", merging(name)},
			mutant{"merge-patch-keeps-members-of-" + short(name), "does not take a member of " + name + " out by null",
				mergeMembers(func(o *rawObject) { o.nested(name, dropNulls) })},
			mutant{"empty-" + short(name) + "-ignored", "does not replace " + name + " by an empty object",
				ignoring(name, "{}")},
		)
	}
	return all
}

const defaultLimits = `{"metadata":10,"data":10,"search":10,"upload":10,"compute":10}`

// clearing clears a field where an update in JSON has null for it.
func clearing(name string) mutation {
	return requests(func(c *call) {
		o, _ := readRawObject(c.Body)
		if raw, _ := o.get(name); raw == "null" && c.updates() && !c.merges() {
			c.merge(`{"` + name + `":null}`)
		}
	})
}

// dropNulls removes the members that are null.
func dropNulls(all *rawObject) {
	*all = slices.DeleteFunc(slices.Clone(*all), func(m rawMember) bool { return m.raw == "null" })
}

// done makes the change that the call asks for.
func (c *call) done() { c.write(c.Body) }

// alsoSetting adds a member to updates that have another one but not it. "" stands for any other member.
func alsoSetting(beside, name, value string) mutation {
	return updateMembers(func(o *rawObject) {
		_, has := o.get(name)
		raw, found := o.get(beside)
		if !has && (beside == "" && len(*o) > 0 || found && raw != "null") {
			o.set(name, value)
		}
	})
}

// merging adds the members of an object in a PATCH to the stored object, in place of replacing it.
func merging(name string) mutation {
	return requests(func(c *call) {
		if !c.updates() || c.merges() {
			return
		}
		record, _, _ := c.read()
		there, _ := record.get(name)
		c.edit(func(o *rawObject) {
			o.change(name, func(raw string) (string, bool) { return mergeRaw(there, raw) })
		})
	})
}

// exchangeLimits puts the limit of upload in the place of that of compute, and the other way round. It leaves limits
// alone that may be refused, which must be refused at their own place.
func exchangeLimits(limits *rawObject) {
	exchanged := rawObject{}
	for _, pair := range [][2]string{{"upload", "compute"}, {"compute", "upload"}} {
		raw, ok := limits.get(pair[0])
		if ok && (!judge.IsInteger(raw) || len(raw) > 6 || raw == "0") {
			return
		}
		if ok {
			exchanged.set(pair[1], raw)
		}
	}
	limits.drop("upload")
	limits.drop("compute")
	for _, m := range exchanged {
		limits.set(m.name, m.raw)
	}
}

// losing leaves the named fields of updates out, and answers as if it had not.
func losing(names ...string) mutation {
	return sends(func(c *call) (judge.Response, error) {
		asked, ok := readRawObject(c.Body)
		if !c.updates() || !ok || !c.valid() {
			return c.send()
		}
		var lost rawObject
		c.edit(func(o *rawObject) {
			for _, m := range asked {
				if slices.Contains(names, m.name) {
					lost = append(lost, m)
					o.drop(m.name)
				}
			}
		})
		return c.answer(func(_ *call, out *judge.Response) {
			if out.Status != http.StatusOK || len(lost) == 0 {
				return
			}
			before := string(out.Body)
			editBody(out, func(o *rawObject) { pretend(o, lost) })
			if string(out.Body) != before && len(lost) == len(asked) {
				editBody(out, func(o *rawObject) {
					o.change("updated_at", func(raw string) (string, bool) {
						return later(raw, time.Microsecond),
							true
					})
				})
				setHeader(out.Header, "ETag", `"lost"`)
			}
		})
	})
}

// pretend makes a record look as if an update had taken effect.
func pretend(o *rawObject, update rawObject) {
	for _, m := range update {
		switch {
		case m.name == "rate_limits" || m.name == "rate_limit_overrides":
			o.change("rate_limits", func(there string) (string, bool) { return mergeRaw(there, plainLimits(m.raw)) })
		case m.raw != "null" || slices.Contains(declared().clearable, m.name):
			o.set(m.name, m.raw)
		}
	}
}

// plainLimits returns the declared limits of an override that are written in digits.
func plainLimits(raw string) string {
	return string(editRaw([]byte(raw), func(o *rawObject) {
		*o = slices.DeleteFunc(slices.Clone(*o), func(m rawMember) bool {
			return !slices.Contains(declared().limits, m.name) || !judge.IsInteger(m.raw)
		})
	}))
}

// valueMutants keep other values than they were given.
func valueMutants() []mutant {
	name := func(change func(text string) (string, bool)) mutation {
		return updateField("organization_name", byValue(change))
	}
	metadata := func(edit func(all *rawObject)) mutation {
		return updateMembers(func(o *rawObject) { o.nested("metadata", edit) })
	}
	return []mutant{
		{"name-trimmed", "takes the white space around names away", name(func(text string) (string, bool) {
			return strings.TrimSpace(text), strings.TrimSpace(text) != ""
		})},
		{"astral-characters-lost", "keeps no characters of four bytes in names", name(func(text string) (string, bool) {
			return strings.Map(func(r rune) rune {
				if r > 0xffff {
					return '?'
				}
				return r
			}, text), true
		})},
		{"emails-in-lower-case", "keeps emails in lower case",
			updateFields(declared().emails, byValue(func(text string) (string, bool) {
				return strings.ToLower(text), true
			}))},
		{"numbers-rounded", "keeps the numbers of metadata as float64", updateField("metadata", throughFloats)},
		{"large-numbers-as-text", "keeps integers of metadata that no float64 can tell apart as texts",
			updateNested("metadata", matching(`^[0-9]{16,}$`, quoteRaw))},
		{"nulls-in-metadata-lost", "keeps no members of metadata that are null", requests(func(c *call) {
			if !c.merges() {
				c.edit(func(o *rawObject) { o.nested("metadata", dropNulls) })
			}
		})},
		{"empty-names-in-metadata-lost", "keeps no member of metadata with an empty name", metadata(without(""))},
		{"empty-lists-in-metadata-null", "keeps empty lists of metadata as null",
			updateNested("metadata", becoming("null", "[]"))},
	}
}

func throughFloats(raw string) (string, bool) {
	var value map[string]any
	if json.Unmarshal([]byte(raw), &value) != nil || value == nil {
		return "", false
	}
	rounded, err := json.Marshal(value)
	return string(rounded), err == nil
}
