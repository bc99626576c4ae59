package contracttests

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// headers judges the headers of a response: the declared ones by their schemas, all others by the allow-list.
func (c *collector) headers(declared *responseContract, h http.Header) {
	for _, name := range sortedKeys(declared.headers) {
		c.header(declared.headers[name], h[name])
	}
	for _, name := range sortedKeys(h) {
		if declared.headers[name] == nil && !c.v.allows(name) {
			c.add(Violation{
				Rule: RuleHeaderUndeclared, Header: name, Expected: "no such header", Got: describeSize(strings.Join(h[name], "")),
			})
		}
		for _, value := range h[name] {
			if badValue.MatchString(value) {
				c.add(Violation{
					Rule: RuleHeaderValue, Header: name, Expected: "no control characters and no space around", Got: headerText(name, value),
				})
			}
		}
	}
}

// badValue matches what a header value must not contain (RFC 9110, section 5.5).
var badValue = regexp.MustCompile("[\x00-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$")

func (v *Validator) allows(name string) bool {
	for _, allowed := range v.allowed {
		prefix, isPrefix := strings.CutSuffix(allowed, "*")
		if strings.EqualFold(name, allowed) || isPrefix && len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			return true
		}
	}
	return false
}

// headerText describes a header's value, without showing those that carry credentials.
func headerText(name, value string) string { return describe(value, []string{name}) }

func (c *collector) header(declared *headerContract, values []string) {
	if len(values) == 0 {
		if declared.required {
			c.add(Violation{Rule: RuleHeaderMissing, Header: declared.name, Expected: "the header", Got: "nothing"})
		}
		return
	}
	list := declared.schema != nil && declared.schema.shape.has("array")
	if len(values) > 1 && !list {
		c.add(Violation{Rule: RuleHeaderRepeated, Header: declared.name, Expected: "one value", Got: fmt.Sprintf("%d values", len(values))})
	}
	if declared.schema == nil {
		return
	}
	if list {
		values = []string{strings.Join(values, ",")}
	}
	for _, text := range values {
		c.headerValue(declared.name, declared.schema, text)
	}
}

func (c *collector) headerValue(name string, s *compiledSchema, text string) {
	value, ok := s.shape.parse(text)
	if !ok {
		c.add(Violation{
			Rule: RuleHeaderType, Header: name, Expected: strings.Join(s.shape.types(), " or "), Got: headerText(name, text),
		})
		return
	}
	for _, f := range s.judge(value) {
		c.add(Violation{
			Rule: RuleHeaderSchema, Header: name, Keyword: f.keyword, Expected: f.expected, Got: headerText(name, text),
		})
	}
}

var (
	integerText = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	numberText  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
)

// parse reads the text of a header as a value of the declared type, in the style "simple".
func (s *shape) parse(text string) (any, bool) {
	switch {
	case s.has("array"):
		return s.parseList(text), true
	case s.has("integer") && integerText.MatchString(text), s.has("number") && numberText.MatchString(text):
		return json.Number(text), true
	case s.has("boolean") && (text == "true" || text == "false"):
		return text == "true", true
	default:
		return text, s.has("string") || len(s.types()) == 0
	}
}

func (s *shape) parseList(text string) []any {
	items := []any{}
	if text == "" {
		return items
	}
	for i, part := range strings.Split(text, ",") {
		part = strings.Trim(part, " \t")
		item := any(part)
		if shape := s.item(i); shape != nil {
			if value, ok := shape.parse(part); ok {
				item = value
			}
		}
		items = append(items, item)
	}
	return items
}

// contentLength holds Content-Length, where it is given, against the body. It may say more than came in answer to
// HEAD and with status 304, and must not be given with 204 (RFC 9110, section 8.6).
func (c *collector) contentLength(x Exchange, h http.Header) {
	values := h["Content-Length"]
	switch {
	case len(values) == 0, x.Request.Method == http.MethodHead, x.Response.Status == http.StatusNotModified:
	case x.Response.Status == http.StatusNoContent:
		c.add(Violation{Rule: RuleContentLength, Header: "Content-Length", Expected: "no such header with status 204", Got: describe(values[0], nil)})
	case len(values) > 1 || values[0] != strconv.Itoa(len(x.Response.Body)):
		c.add(Violation{
			Rule: RuleContentLength, Header: "Content-Length", Expected: strconv.Itoa(len(x.Response.Body)),
			Got: describe(strings.Join(values, ", "), nil),
		})
	}
}
