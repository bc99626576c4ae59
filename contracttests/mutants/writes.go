package mutants

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// writeMutants make of updates something else than what was asked for.
func writeMutants() []Mutant {
	drop := func(names ...string) func(o *rawObject, value string) {
		return func(o *rawObject, value string) {
			for _, name := range names {
				if raw, _ := o.get(name); raw == value {
					o.drop(name)
				}
			}
		}
	}
	dropping := func(name, value string) mutation {
		return mutateUpdate(func(o *rawObject) { drop(name)(o, value) })
	}
	return slices.Concat([]Mutant{
		{"update-lost", GroupBehaviour, "answers updates as if they took effect, and forgets them", losing(updateFields...)},
		{"credentials-lost", GroupBehaviour, "forgets the credentials of updates", losing("default_llm_credentials")},
		{"notifications-email-lost", GroupBehaviour, "forgets the notifications_email of updates", losing("notifications_email")},
		{"limits-lost", GroupBehaviour, "forgets the limits of updates", losing("rate_limits")},
		{"update-forgets-logo", GroupBehaviour, "clears the logo where an update names the organization anew", supplying("organization_name", "logo_url", "null")},
		{"update-forgets-metadata", GroupBehaviour, "empties the metadata where an update leaves it out", supplying("", "metadata", "{}")},
		{"update-forgets-limits", GroupBehaviour, "removes the override where an update leaves it out", supplying("", "rate_limits", "null")},
		{"update-forgets-credentials", GroupBehaviour, "removes the credentials where an update sets metadata", supplying("metadata", "default_llm_credentials", "{}")},
		{"metadata-merged", GroupBehaviour, "merges metadata into what is there", merging("metadata")},
		{"credentials-merged", GroupBehaviour, "merges credentials into those that are there", merging("default_llm_credentials")},
		{"limits-merged", GroupBehaviour, "merges limits into the override that is there", merging("rate_limits")},
		{"null-keeps-billing-email", GroupBehaviour, "does not clear billing_email by null", dropping("billing_email", "null")},
		{"null-keeps-notifications-email", GroupBehaviour, "does not clear notifications_email by null", dropping("notifications_email", "null")},
		{"null-keeps-logo", GroupBehaviour, "does not clear logo_url by null", dropping("logo_url", "null")},
		{"null-keeps-limits", GroupBehaviour, "does not remove the override by null", dropping("rate_limits", "null")},
		{"null-empties-metadata", GroupBehaviour, "empties the metadata by null", mutateField("metadata", replaceText("{}", "null"))},
		{"null-empties-credentials", GroupBehaviour, "removes the credentials by null", mutateField("default_llm_credentials", replaceText("{}", "null"))},
		{"null-renames", GroupBehaviour, "takes the name away by null", mutateField("organization_name", replaceText(`"Unnamed"`, "null"))},
		{"null-limits-to-default", GroupBehaviour, "takes null for the defaults of the schema", mutateField("rate_limits", replaceText(defaultLimits, "null"))},
		{"absent-limits-to-default", GroupBehaviour, "gives limits that an override leaves out the default of the schema", mutateField("rate_limits", func(raw string) (string, bool) {
			if raw == "{}" {
				return "", false
			}
			return mergeRaw(defaultLimits, raw)
		})},
		{"empty-metadata-ignored", GroupBehaviour, "does not replace metadata by an empty object", dropping("metadata", "{}")},
		{"empty-credentials-ignored", GroupBehaviour, "does not replace credentials by an empty object", dropping("default_llm_credentials", "{}")},
		{"empty-limits-ignored", GroupBehaviour, "does not replace the override by an empty object", dropping("rate_limits", "{}")},
		{"invalid-update-half-done", GroupBehaviour, "refuses an update that is invalid and makes its valid parts", mutateAfter(http.StatusUnprocessableEntity, halfDone)},
		{"guarded-update-done", GroupBehaviour, "answers 412 and makes the change all the same", mutateAfter(http.StatusPreconditionFailed, allDone)},
		{"limited-update-done", GroupBehaviour, "answers 429 and makes the change all the same", mutateAfter(http.StatusTooManyRequests, allDone)},
		{"no-change-counts", GroupBehaviour, "takes an update that changes nothing for a change", mutateSend(noChangeCounts)},
	}, alterationMutants())
}

const defaultLimits = `{"metadata":10,"data":10,"search":10,"upload":10,"compute":10}`

// alterationMutants keep other values than they were given.
func alterationMutants() []Mutant {
	emails := []string{"billing_email", "notifications_email"}
	return []Mutant{
		{"name-trimmed", GroupBehaviour, "takes the white space around names away", mutateField("organization_name", rawText(func(text string) (string, bool) {
			return strings.TrimSpace(text), strings.TrimSpace(text) != ""
		}))},
		{"astral-characters-lost", GroupBehaviour, "keeps no characters of four bytes in names", mutateField("organization_name", rawText(func(text string) (string, bool) {
			return strings.Map(func(r rune) rune {
				if r > 0xffff {
					return '?'
				}
				return r
			}, text), true
		}))},
		{"emails-in-lower-case", GroupBehaviour, "keeps emails in lower case", mutateFields(emails, rawText(func(text string) (string, bool) {
			return strings.ToLower(text), true
		}))},
		{"numbers-rounded", GroupBehaviour, "keeps the numbers of metadata as float64", mutateField("metadata", throughFloats)},
		{"huge-numbers-as-text", GroupBehaviour, "keeps numbers of metadata that no float64 can hold as texts", mutateMetadata(func(raw string) (string, bool) {
			var n float64
			return quoteRaw(raw), raw != "" && strings.Contains("-0123456789", raw[:1]) && json.Unmarshal([]byte(raw), &n) != nil
		})},
		{"nulls-in-metadata-lost", GroupBehaviour, "keeps no members of metadata that are null", mutateUpdate(func(o *rawObject) {
			o.nested("metadata", func(all *rawObject) {
				*all = slices.DeleteFunc(slices.Clone(*all), func(m rawMember) bool { return m.raw == "null" })
			})
		})},
		{"empty-names-in-metadata-lost", GroupBehaviour, "keeps no member of metadata with an empty name", mutateUpdate(func(o *rawObject) {
			o.nested("metadata", func(all *rawObject) { all.drop("") })
		})},
		{"empty-lists-in-metadata-null", GroupBehaviour, "keeps empty lists of metadata as null", mutateMetadata(replaceText("null", "[]"))},
	}
}

// mutateMetadata changes the texts of the members of the metadata that updates ask for.
func mutateMetadata(change func(raw string) (string, bool)) mutation {
	return mutateUpdate(func(o *rawObject) {
		o.nested("metadata", func(all *rawObject) {
			for _, m := range slices.Clone(*all) {
				all.change(m.name, change)
			}
		})
	})
}

func throughFloats(raw string) (string, bool) {
	var value map[string]any
	if json.Unmarshal([]byte(raw), &value) != nil || value == nil {
		return "", false
	}
	rounded, err := json.Marshal(value)
	return string(rounded), err == nil
}

// supplying adds a member to updates that name another but not it; "" stands for any update.
func supplying(beside, name, value string) mutation {
	return mutateUpdate(func(o *rawObject) {
		_, has := o.get(name)
		raw, found := o.get(beside)
		if !has && (beside == "" && len(*o) > 0 || found && raw != "null") {
			o.set(name, value)
		}
	})
}

// merging puts the members of an object into the one that is there.
func merging(name string) mutation {
	return mutateRequest(func(ctx context.Context, w *World, r *judge.Request) {
		if r.Method != http.MethodPatch {
			return
		}
		record, _, _ := w.read(ctx, *r)
		there, _ := record.get(name)
		editUpdate(r, func(o *rawObject) {
			o.change(name, func(raw string) (string, bool) { return mergeRaw(there, raw) })
		})
	})
}

// losing leaves the named fields of updates out, and answers as if it had not.
func losing(names ...string) mutation {
	return mutateSend(func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		asked, ok := readRawObject(r.Body)
		if r.Method != http.MethodPatch || !ok || !w.valid(ctx, r) {
			return next.Send(ctx, r)
		}
		var lost rawObject
		editUpdate(&r, func(o *rawObject) {
			for _, m := range asked {
				if slices.Contains(names, m.name) {
					lost = append(lost, m)
					o.drop(m.name)
				}
			}
		})
		out, err := next.Send(ctx, r)
		if err != nil || out.Status != http.StatusOK || len(lost) == 0 {
			return out, err
		}
		out.Header = judge.Canonical(out.Header)
		before := string(out.Body)
		editBody(&out, func(o *rawObject) { pretend(o, lost) })
		if string(out.Body) != before && len(lost) == len(asked) {
			editBody(&out, func(o *rawObject) {
				o.change("updated_at", func(raw string) (string, bool) { return rawLater(raw, time.Microsecond), true })
			})
			setHeader(out.Header, "ETag", `"lost"`)
		}
		return out, nil
	})
}

// pretend makes a record look as if an update had taken effect.
func pretend(o *rawObject, update rawObject) {
	for _, m := range update {
		switch {
		case m.name == "rate_limits":
			o.change(m.name, func(there string) (string, bool) { return mergeRaw(there, plainLimits(m.raw)) })
		case m.raw != "null" || slices.Contains([]string{"logo_url", "billing_email", "notifications_email"}, m.name):
			o.set(m.name, m.raw)
		}
	}
}

// plainLimits returns the limits among the members of an override, those alone that are written in digits.
func plainLimits(raw string) string {
	return string(editRaw([]byte(raw), func(o *rawObject) {
		*o = slices.DeleteFunc(slices.Clone(*o), func(m rawMember) bool {
			return !slices.Contains(limitNames, m.name) || !judge.IntegerText.MatchString(m.raw)
		})
	}))
}

// mutateAfter does something after an update was answered with the status.
func mutateAfter(code int, do func(ctx context.Context, w *World, r judge.Request)) mutation {
	return mutateSend(func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		out, err := next.Send(ctx, r)
		if err == nil && r.Method == http.MethodPatch && out.Status == code {
			do(ctx, w, r)
		}
		return out, err
	})
}

func allDone(ctx context.Context, w *World, r judge.Request) { _, _ = w.write(ctx, r, r.Body) }

func halfDone(ctx context.Context, w *World, r judge.Request) {
	o, _ := readRawObject(r.Body)
	for _, m := range o {
		_, _ = w.write(ctx, r, rawObject{m}.text())
	}
}

func noChangeCounts(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
	_, before, ok := w.read(ctx, r)
	out, err := next.Send(ctx, r)
	if err != nil || !ok || r.Method != http.MethodPatch || out.Status != http.StatusOK || etagOf(out) != before {
		return out, err
	}
	w.touch(ctx, r)
	record, etag, _ := w.read(ctx, r)
	out.Header = judge.Canonical(out.Header)
	setHeader(out.Header, "ETag", etag)
	setBody(&out, record.text())
	return out, nil
}
