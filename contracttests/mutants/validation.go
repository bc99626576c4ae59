package mutants

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// This file breaks which requests are taken and which are refused.

// short returns the name of a field as the names of mutants have it.
func short(field string) string {
	return strings.NewReplacer("organization_name", "name", "rate_limits", "limits", "logo_url", "logo",
		"default_llm_credentials", "credentials", "_", "-").Replace(field)
}

// laxFieldMutants take values that the document refuses: they replace such a value by the nearest one that it allows.
func laxFieldMutants() []mutant {
	limits := func(change textChange) mutation { return updateNested("rate_limits", change) }
	credentials := func(change textChange) mutation { return updateNested("default_llm_credentials", change) }
	emails := func(change func(text string) (string, bool)) mutation {
		return updateFields(declared().emails, byValue(change))
	}
	asText := func(raw string) string { return `"` + raw + `"` }
	return []mutant{
		{"takes-limit-in-quotes", `takes "20" for a limit`, limits(matching(`^"[0-9]+"$`, func(raw string) string {
			return strings.TrimLeft(strings.Trim(raw, `"`), "0")
		}))},
		{"takes-limit-null", "takes null for a limit", limits(becoming("1", "null"))},
		{"takes-limit-fraction", "takes 1.5 for a limit",
			limits(matching(`^[1-9][0-9]{0,5}\.[0-9]*[1-9][0-9]*$`, func(raw string) string {
				return raw[:strings.IndexByte(raw, '.')]
			}))},
		{"takes-limit-zero", "takes 0 for a limit", limits(becoming("1", "0", "-0"))},
		{"takes-limit-too-high", "takes 1000000001 for a limit", limits(becoming("1000000000", "1000000001"))},
		{"takes-email-without-at", "takes an email without an @", emails(func(text string) (string, bool) {
			return "a@b.example", text != "" && !strings.Contains(text, "@")
		})},
		{"takes-email-empty", "takes an empty email", updateFields(declared().emails, becoming("null", `""`))},
		{"takes-email-with-display-name", "takes an email with a display name",
			emails(func(text string) (string, bool) {
				name, address, ok := strings.Cut(strings.TrimSuffix(text, ">"), "<")
				return address, ok && name != "" && strings.HasSuffix(text, ">")
			})},
		{"takes-email-with-long-local-part", "takes an email with 65 characters before the @",
			emails(func(text string) (string, bool) {
				local, domain, ok := strings.Cut(text, "@")
				return local[:min(len(local), 64)] + "@" + domain, ok && len(local) == 65
			})},
		{"takes-email-of-one-label", "takes an email at a host without a dot", emails(func(text string) (string, bool) {
			_, domain, ok := strings.Cut(text, "@")
			return text + ".example", ok && domain != "" && !strings.Contains(domain, ".")
		})},
		{"takes-email-at-number", "takes an email at a host that ends in a digit",
			emails(func(text string) (string, bool) {
				_, domain, ok := strings.Cut(text, "@")
				return text + "a", ok && strings.Contains(domain, ".") &&
					strings.ContainsAny(domain[len(domain)-1:], "0123456789")
			})},
		{"takes-email-at-reserved-host", "takes an email at a host below .local",
			emails(func(text string) (string, bool) {
				return text + ".example", strings.HasSuffix(text, ".local")
			})},
		{"takes-email-at-reserved-label", "takes an email at a host with a reserved label",
			emails(func(text string) (string, bool) {
				return strings.Replace(text, "@ab--", "@", 1), strings.Contains(text, "@ab--")
			})},
		{"takes-number-too-large", "takes numbers in metadata that no float64 holds",
			updateNested("metadata", func(raw string) (string, bool) {
				return "1", overflows(raw)
			})},
		{"takes-flag-text", "takes a text for a boolean", updateFields(declared().flags, becoming("true", `"true"`))},
		{"takes-flag-number", "takes a number for a boolean", updateFields(declared().flags, becoming("true", "1", "7"))},
		{"takes-two-limits", "takes the newer of two names of the limits where they differ",
			updateMembers(func(o *rawObject) {
				_, one := o.get("rate_limits")
				if raw, other := o.get("rate_limit_overrides"); one && other && raw != "null" {
					o.drop("rate_limits")
				}
			})},
		{"takes-null-name-in-merge-patch", "leaves the name where a merge patch would clear it",
			mergeMembers(func(o *rawObject) {
				if raw, _ := o.get("organization_name"); raw == "null" {
					o.drop("organization_name")
				}
			})},
		{"takes-merge-beyond-bound", "takes a merge whose result is too large, and does not make it",
			sends(func(c *call) (judge.Response, error) {
				out, err := c.send()
				if err == nil && c.merges() && out.Status == http.StatusUnprocessableEntity && len(c.Body) < 100 &&
					bytes.Contains(out.Body, []byte("bytes of JSON")) {
					return c.direct(http.MethodPatch, []byte("{}"))
				}
				return out, err
			})},
		{"takes-name-empty", "takes an empty name", updateField("organization_name", becoming("null", `""`))},
		{"takes-name-of-101-characters", "takes a name of 101 characters",
			updateField("organization_name", cutTo(100))},
		{"takes-name-number", "takes a number for the name",
			updateField("organization_name", matching(`^[0-9]+$`, asText))},
		{"takes-name-boolean", "takes a boolean for the name",
			updateField("organization_name", becoming("null", "true", "false"))},
		{"takes-logo-empty", "takes an empty logo_url", updateField("logo_url", becoming("null", `""`))},
		{"takes-credential-number", "takes a number among the credentials", credentials(matching(`^[0-9]+$`, asText))},
		{"takes-metadata-list", "takes a list for the metadata", updateField("metadata", matching(`^\[`, to("{}")))},
		{"takes-metadata-too-deep", "takes metadata of 33 levels",
			updateField("metadata", func(raw string) (string, bool) {
				return "{}", rawDepth(raw) == harness.MaxObjectDepth+1
			})},
		{"takes-metadata-too-long", "takes metadata of more bytes than are allowed", updateField("metadata", tooLong)},
	}
}

// overflows reports whether a text is a number that no float64 can hold.
func overflows(raw string) bool {
	var n float64
	return raw != "" && strings.Contains("-0123456789", raw[:1]) && json.Unmarshal([]byte(raw), &n) != nil
}

// cutTo returns a change of strings that are one character longer.
func cutTo(n int) textChange {
	return byValue(func(text string) (string, bool) {
		if utf8.RuneCountInString(text) != n+1 {
			return "", false
		}
		return string([]rune(text)[:n]), true
	})
}

// rawDepth returns the nesting of an object, 0 of anything else.
func rawDepth(raw string) int {
	value, _, ok := judge.ReadJSON([]byte(raw))
	if _, isObject := value.(map[string]any); !ok || !isObject {
		return 0
	}
	return harness.DepthOf(value)
}

// rawSize returns the bytes of an object without white space, 0 of anything else.
func rawSize(raw string) int {
	var compact bytes.Buffer
	if !strings.HasPrefix(raw, "{") || json.Compact(&compact, []byte(raw)) != nil {
		return 0
	}
	return compact.Len()
}

func tooLong(raw string) (string, bool) { return "{}", rawSize(raw) > harness.MaxObjectBytes }

// laxBodyMutants take bodies and headers that the document refuses, or refuse them with another status.
func laxBodyMutants() []mutant {
	return []mutant{
		{"takes-empty-body", "takes no body for an empty object", updateText(func(body []byte) []byte {
			if len(body) == 0 {
				return []byte("{}")
			}
			return body
		})},
		{"takes-null-body", "takes null for an empty object", updateText(bodyBecoming("{}", "null"))},
		{"takes-trailing-data", "takes a body with something after the object",
			updateText(forgiving(judge.RuleJSONTrailingData))},
		{"takes-member-twice", "takes the last one of members with the same name",
			updateText(forgiving(judge.RuleJSONDuplicateMember))},
		{"takes-invalid-utf-8", "takes bytes that are not UTF-8", updateText(forgiving(judge.RuleJSONInvalidUTF8))},
		{"takes-half-a-surrogate", "takes half of a surrogate pair",
			updateText(forgiving(judge.RuleJSONLoneSurrogate))},
		{"takes-body-too-large", "takes a body of more bytes than are allowed", updateText(func(body []byte) []byte {
			if len(body) > harness.MaxBodyBytes {
				return []byte("{}")
			}
			return body
		})},
		{"takes-other-media-type", "takes any media type for JSON", mediaType("application/json",
			func(was string) bool { return was != "" && !isJSONType(was) })},
		{"takes-no-media-type", "takes a body that does not say what it is",
			mediaType("application/json", func(was string) bool { return was == "" })},
		{"takes-malformed-if-match", "ignores an If-Match that is malformed",
			rawCondition("If-Match", ignoreMalformed)},
		{"takes-star-in-a-list", "takes a list with * in it for *",
			rawCondition("If-Match", func(_ *call, values []string) []string {
				if text := strings.Join(values, ", "); len(text) > 1 && text[0] == '*' {
					return []string{"*"}
				}
				return values
			})},
		{"takes-tag-with-space", "takes a tag with a space in it",
			rawCondition("If-Match", func(_ *call, values []string) []string {
				if text := strings.Join(values, ", "); text == `"x y"` {
					return []string{`"xy"`}
				}
				return values
			})},
		{"takes-last-encoding", "looks at the first content coding alone", requests(func(c *call) {
			if values := judge.Canonical(c.Header)["Content-Encoding"]; len(values) > 0 {
				first, _, _ := strings.Cut(strings.Join(values, ","), ",")
				setHeader(c.Header, "Content-Encoding", first)
			}
		})},
		{"takes-malformed-if-none-match", "ignores an If-None-Match that is malformed",
			rawCondition("If-None-Match", ignoreMalformed)},
		{"invalid-answered-400", "answers what is invalid with 400",
			answerError(onStatus(422), 400, "request_malformed")},
		{"malformed-answered-422", "answers a body that is not JSON with 422",
			answers(func(c *call, out *judge.Response) {
				if onCode("body_malformed")(c, out) {
					out.Status = http.StatusUnprocessableEntity
					setBody(out, []byte(`{"detail":[{"loc":["body"],"msg":"It is no JSON.","type":"json_invalid"}]}`))
				}
			})},
		{"first-problem-alone", "names one problem of several",
			problemLists(func(items []string) []string { return items[:min(len(items), 1)] })},
	}
}

func bodyBecoming(text, from string) func([]byte) []byte {
	return func(body []byte) []byte {
		if string(bytes.TrimSpace(body)) == from {
			return []byte(text)
		}
		return body
	}
}

// forgiving returns a change that repairs bodies that break one rule and no other.
func forgiving(rule judge.Rule) func([]byte) []byte {
	return func(body []byte) []byte {
		_, faults, ok := judge.ReadJSON(body)
		if !ok || len(faults) == 0 || slices.ContainsFunc(faults, func(f judge.Fault) bool { return f.Rule != rule }) {
			return body
		}
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		var value any
		if err := d.Decode(&value); err != nil {
			return body
		}
		repaired, err := json.Marshal(value)
		if err != nil {
			return body
		}
		return repaired
	}
}

// mediaType gives updates the Content-Type to, if when returns true for the one that they have. That is "" if they have
// none.
func mediaType(to string, when func(was string) bool) mutation {
	return requests(func(c *call) {
		if c.updates() && when(strings.Join(judge.Canonical(c.Header)["Content-Type"], ", ")) {
			setHeader(c.Header, "Content-Type", to)
		}
	})
}

func isJSONType(text string) bool {
	name, _, err := mime.ParseMediaType(text)
	return err == nil && name == "application/json"
}

func ignoreMalformed(_ *call, values []string) []string {
	if _, ok := wellFormed(values); ok {
		return values
	}
	return nil
}

// strictMutants refuse what the document allows. They turn it into something at the same place that the service itself
// refuses, so that the refusal itself is in order.
func strictMutants() []mutant {
	limits := func(change textChange) mutation { return updateNested("rate_limits", change) }
	return []mutant{
		{"refuses-integer-with-point", "refuses 20.0 for a limit", limits(matching(`^[1-9][0-9]*\.0+$`, to("null")))},
		{"refuses-highest-limit", "refuses 1000000000 for a limit", limits(becoming("1000000001", "1000000000"))},
		{"refuses-astral-characters", "counts 100 characters of a name as UTF-16",
			updateField("organization_name", byValue(func(text string) (string, bool) {
				return strings.Repeat("x", 101), utf8.RuneCountInString(text) <= 100 &&
					len(utf16.Encode([]rune(text))) > 100
			}))},
		{"refuses-shortest-name", "refuses a name of one character",
			updateField("organization_name", byValue(func(text string) (string, bool) {
				return "", utf8.RuneCountInString(text) == 1
			}))},
		{"refuses-longest-logo", "refuses a logo_url of 2048 characters", updateField("logo_url", lengthening(2048))},
		{"refuses-empty-object", "refuses an update that changes nothing", updateText(bodyBecoming("[]", "{}"))},
		{"refuses-null-flag", "refuses null for a boolean", updateFields(declared().flags, becoming("1", "null"))},
		{"refuses-null-in-merge-patch", "refuses null for a credential in a merge patch",
			mergeMembers(func(o *rawObject) {
				o.nested("default_llm_credentials", func(all *rawObject) {
					for _, m := range *all {
						all.change(m.name, becoming("1", "null"))
					}
				})
			})},
		{"refuses-merge-patch", "refuses merge patches", requests(func(c *call) {
			if c.merges() {
				setHeader(c.Header, "Content-Type", "text/plain")
			}
		})},
		{"refuses-two-names", "refuses both names of the limits together", updateMembers(func(o *rawObject) {
			one, _ := o.get("rate_limits")
			if other, ok := o.get("rate_limit_overrides"); ok && other != "null" && one != "" && one != "null" {
				o.set("rate_limit_overrides", "[]")
			}
		})},
		{"refuses-null-limits", "refuses null for the limits", updateField("rate_limits", becoming("1", "null"))},
		{"refuses-empty-credentials", "refuses an empty object for the credentials",
			updateField("default_llm_credentials", becoming("[]", "{}"))},
		{"refuses-undeclared-field", "refuses fields that the document does not declare",
			updateMembers(func(o *rawObject) {
				if o.hasOther(declared().updates) {
					o.set("organization_name", "1")
				}
			})},
		{"refuses-undeclared-limit", "refuses limits that the document does not declare",
			updateField("rate_limits", func(raw string) (string, bool) {
				o, ok := readRawObject([]byte(raw))
				return "[]", ok && o.hasOther(declared().limits)
			})},
		{"refuses-email-with-plus", "refuses an email with a plus",
			updateFields(declared().emails, byValue(func(text string) (string, bool) {
				return strings.ReplaceAll(text, "@", ""), strings.Contains(text, "+")
			}))},
		{"refuses-deepest-metadata", "refuses metadata of 32 levels",
			updateField("metadata", func(raw string) (string, bool) {
				return "[]", rawDepth(raw) == harness.MaxObjectDepth
			})},
		{"refuses-longest-metadata", "refuses metadata of 65,536 bytes",
			updateField("metadata", func(raw string) (string, bool) {
				return "[]", rawSize(raw) == harness.MaxObjectBytes
			})},
		{"refuses-spacious-metadata", "counts the white space in metadata",
			updateField("metadata", func(raw string) (string, bool) {
				return "[]", rawSize(raw) <= harness.MaxObjectBytes && len(raw) > harness.MaxObjectBytes
			})},
		{"refuses-charset", "refuses application/json with a charset", mediaType("text/plain",
			func(was string) bool { return isJSONType(was) && strings.Contains(was, ";") })},
		{"refuses-charset-utf8", "refuses UTF8 as a name of UTF-8", mediaType("text/plain",
			func(was string) bool {
				return isJSONType(was) && strings.Contains(strings.ToLower(was), "charset=utf8")
			})},
		{"refuses-empty-parameter", "refuses a media type with an empty parameter",
			mediaType("text/plain", func(was string) bool { return strings.Contains(was, "; ;") })},
		{"refuses-identity", "refuses the content coding identity", requests(func(c *call) {
			if values := judge.Canonical(c.Header)["Content-Encoding"]; len(values) > 0 && values[0] == "identity" {
				setHeader(c.Header, "Content-Encoding", "gzip")
			}
		})},
		{"refuses-tabs-in-tag-list", "refuses tabs around the comma of a list of tags",
			condition("If-Match", refusing(`\t`))},
		{"refuses-empty-elements", "refuses empty elements in a list of tags",
			condition("If-Match", refusing(`^,|,[ \t]*,|,$`))},
		{"refuses-tag-beyond-ascii", "refuses a tag with characters beyond ASCII",
			condition("If-Match", refusing(`[^\x00-\x7F]`))},
		{"refuses-two-lines-of-tags", "refuses a second line of If-Match",
			rawCondition("If-Match", func(_ *call, values []string) []string {
				if len(values) > 1 {
					return []string{"malformed"}
				}
				return values
			})},
		{"refuses-tag-list", "refuses conditions that name several tags",
			condition("If-Match", func(is harness.Condition, values []string) []string {
				if len(is.Tags) > 1 {
					return []string{"malformed"}
				}
				return values
			})},
	}
}

// refusing returns a change that makes conditions malformed that match the pattern.
func refusing(pattern string) func(harness.Condition, []string) []string {
	matches := regexp.MustCompile(pattern)
	return func(_ harness.Condition, values []string) []string {
		if matches.MatchString(strings.Join(values, ", ")) {
			return []string{"malformed"}
		}
		return values
	}
}

// lengthening returns a change that makes strings of n characters too long.
func lengthening(n int) textChange {
	return byValue(func(text string) (string, bool) { return text + "x", utf8.RuneCountInString(text) == n })
}

// hasOther reports whether the object has a member that is not one of those named.
func (o rawObject) hasOther(names []string) bool {
	return slices.ContainsFunc(o, func(m rawMember) bool { return !slices.Contains(names, m.name) })
}
