package judge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"organizations-api/contracttests/spec"
)

// headers judges the headers of a response: declared headers by their schemas, all others by the list of allowed ones.
func (c *collector) headers(declared *spec.Response, h http.Header) {
	for _, header := range declared.Headers {
		c.header(header, h[header.Key])
	}
	for name, values := range h {
		if declared.Header(name) == nil && !c.v.allows(name) {
			c.add(Violation{
				Rule: RuleHeaderUndeclared, Header: name, Expected: "no such header",
				Got: describeSize(strings.Join(values, "")),
			})
		}
		for _, value := range values {
			if badValue(value) {
				c.add(Violation{
					Rule: RuleHeaderValue, Header: name, Expected: "no control characters and no space around",
					Got: headerText(name, value),
				})
			}
		}
	}
}

// badValue reports whether RFC 9110, section 5.5, forbids a header value.
func badValue(value string) bool {
	isControl := func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }
	return strings.ContainsFunc(value, isControl) || strings.Trim(value, " \t") != value
}

func (v *Validator) allows(name string) bool {
	for _, allowed := range v.allowed {
		prefix, isPrefix := strings.CutSuffix(allowed, "*")
		if strings.EqualFold(name, allowed) || isPrefix && len(name) >= len(prefix) &&
			strings.EqualFold(name[:len(prefix)], prefix) {
			return true
		}
	}
	return false
}

// headerText describes a header's value. It shows nothing of headers that carry credentials.
func headerText(name, value string) string { return Describe(value, []string{name}) }

func (c *collector) header(declared *spec.Header, values []string) {
	if len(values) == 0 {
		if declared.Required {
			c.add(Violation{Rule: RuleHeaderMissing, Header: declared.Name, Expected: "the header", Got: "nothing"})
		}
		return
	}
	list := declared.Schema != nil && declared.Schema.Place().Has("array")
	if len(values) > 1 && !list && declared.Key != "Set-Cookie" { // each cookie has a line (RFC 6265, section 3)
		c.add(Violation{Rule: RuleHeaderRepeated, Header: declared.Name, Expected: "one value",
			Got: fmt.Sprintf("%d values", len(values))})
	}
	if declared.Schema == nil {
		return
	}
	if list {
		values = []string{strings.Join(values, ",")}
	}
	for _, text := range values {
		c.headerValue(declared, text)
	}
}

func (c *collector) headerValue(declared *spec.Header, text string) {
	name, s := declared.Name, declared.Schema
	value, ok := headerValue(declared, text)
	if !ok {
		c.add(Violation{
			Rule: RuleHeaderType, Header: name, Expected: textOf(declared),
			Got: headerText(name, text),
		})
		return
	}
	for _, f := range Failures(s, value) {
		c.add(Violation{
			Rule: RuleHeaderSchema, Header: name, Keyword: f.Keyword, Expected: f.expected, Got: headerText(name, text),
		})
	}
}

// textOf says what the text of a header can be.
func textOf(declared *spec.Header) string {
	if declared.JSON {
		return "a JSON text"
	}
	return strings.Join(declared.Schema.Place().Types(), " or ")
}

// headerValue reads the text of a header. It returns false if the text is of none of the declared types.
func headerValue(declared *spec.Header, text string) (any, bool) {
	place := declared.Schema.Place()
	switch {
	case declared.JSON:
		value, faults, ok := ReadJSON([]byte(text))
		return value, ok && len(faults) == 0
	case place.Has("object"):
		var parts []string
		for part := range strings.SplitSeq(text, ",") {
			parts = append(parts, strings.Trim(part, " \t"))
		}
		read := reading{p: &spec.Parameter{Schema: declared.Schema, Explode: declared.Explode}, decode: strings.Clone}
		return read.members(parts), true
	default:
		return ParseHeader(place, text)
	}
}

func number(text string) any { return json.Number(text) }

// isNumber reports whether a text is a number as JSON writes it.
func isNumber(text string) bool {
	r := jsonReader{data: text}
	return r.skipNumber() && r.pos == len(text)
}

// IsInteger reports whether a text is a number as JSON writes it, without a point or an exponent.
func IsInteger(text string) bool { return !strings.ContainsAny(text, ".eE") && isNumber(text) }

// ParseHeader reads the text of a header as a value of the declared type, in OpenAPI's style "simple". It returns
// false if the text is of none of the types.
func ParseHeader(p spec.Place, text string) (any, bool) {
	switch {
	case p.Has("array"):
		return parseList(p, text), true
	case p.Has("integer") && IsInteger(text), p.Has("number") && isNumber(text):
		return json.Number(text), true
	case p.Has("boolean") && (text == "true" || text == "false"):
		return text == "true", true
	default:
		return text, p.Has("string") || len(p.Types()) == 0
	}
}

func parseList(p spec.Place, text string) []any {
	items := []any{}
	if text == "" {
		return items
	}
	for i, part := range strings.Split(text, ",") {
		part = strings.Trim(part, " \t")
		item := any(part)
		if place := p.Item(i); len(place) > 0 {
			if value, ok := ParseHeader(place, part); ok {
				item = value
			}
		}
		items = append(items, item)
	}
	return items
}

// contentLength compares Content-Length, where it is given, with the body. In answer to HEAD and with status 304 it may
// say more than was sent, and with 204 it must not be given (RFC 9110, section 8.6).
func (c *collector) contentLength(x Exchange, h http.Header) {
	values := h["Content-Length"]
	switch {
	case len(values) == 0, x.Request.Method == http.MethodHead, x.Response.Status == http.StatusNotModified:
	case x.Response.Status == http.StatusNoContent:
		c.add(Violation{Rule: RuleContentLength, Header: "Content-Length", Expected: "no such header with status 204",
			Got: Describe(values[0], nil)})
	case len(values) > 1 || values[0] != strconv.Itoa(len(x.Response.Body)):
		c.add(Violation{
			Rule: RuleContentLength, Header: "Content-Length", Expected: strconv.Itoa(len(x.Response.Body)),
			Got: Describe(strings.Join(values, ", "), nil),
		})
	}
}
