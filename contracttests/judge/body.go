package judge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"organizations-api/contracttests/spec"
)

// responseBody judges the body of a response. It returns the decoded body, or nil where nothing can be decoded.
func (c *collector) responseBody(declared *spec.Response, x Exchange, h http.Header) any {
	body := x.Response.Body
	if rule, why := bodiless(declared, x); rule != "" {
		if len(body) > 0 {
			c.add(Violation{Rule: rule, Expected: "no body " + why, Got: fmt.Sprintf("%d bytes", len(body))})
		}
		return nil
	}
	if !c.present(body) {
		return nil
	}
	m := c.mediaType(declared.Content, h["Content-Type"])
	if m == nil {
		return nil
	}
	return c.content(m, body)
}

// bodiless returns the rule that any body would break, and why. It returns "" where the response must have a body.
func bodiless(declared *spec.Response, x Exchange) (Rule, string) {
	switch {
	case x.Request.Method == http.MethodHead:
		return RuleBodyOnHead, "in answer to HEAD"
	case x.Response.Status == http.StatusNoContent:
		return RuleBodyOn204, "with status 204"
	case x.Response.Status == http.StatusNotModified:
		return RuleBodyOn304, "with status 304"
	case len(declared.Content) == 0:
		return RuleBodyUndeclared, "where none is declared"
	default:
		return "", ""
	}
}

// present reports whether the body has content. If not, it records a violation.
func (c *collector) present(body []byte) bool {
	switch {
	case len(body) == 0:
		c.add(Violation{Rule: RuleBodyEmpty, Expected: "a body", Got: "no byte"})
	case len(bytes.TrimLeft(body, " \t\r\n")) == 0:
		c.add(Violation{Rule: RuleBodyBlank, Expected: "a body", Got: "white space alone"})
	default:
		return true
	}
	return false
}

// mediaType returns what the document declares for the Content-Type, or nil where it declares nothing. A response has
// to write the media type as the document does. HTTP ignores case here, but many clients compare the text.
func (c *collector) mediaType(declared []*spec.MediaType, values []string) *spec.MediaType {
	want := mediaNames(declared)
	if len(values) != 1 {
		c.add(Violation{Rule: RuleContentType, Header: "Content-Type", Expected: "one value, " + want, Got: fmt.Sprintf("%d values", len(values))})
		return nil
	}
	name, parameters, err := mime.ParseMediaType(values[0])
	if err != nil {
		c.add(Violation{Rule: RuleContentType, Header: "Content-Type", Expected: want, Got: Describe(values[0], nil)})
		return nil
	}
	m := findMedia(declared, name)
	if m == nil {
		c.add(Violation{Rule: RuleMediaType, Header: "Content-Type", Expected: want, Got: Describe(values[0], nil)})
		return nil
	}
	written, _, _ := strings.Cut(values[0], ";")
	if c.status != 0 && written != name || !utf8Alone(parameters) || strings.HasSuffix(values[0], ";") {
		c.add(Violation{Rule: RuleContentType, Header: "Content-Type", Expected: want + ", with no parameter but charset=utf-8", Got: Describe(values[0], nil)})
	}
	return m
}

func utf8Alone(parameters map[string]string) bool {
	for name, value := range parameters {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return false
		}
	}
	return true
}

func mediaNames(declared []*spec.MediaType) string {
	names := make([]string, len(declared))
	for i, m := range declared {
		names[i] = m.Name
	}
	return strings.Join(names, " or ")
}

// findMedia returns what is declared for a media type. The type itself comes before a range, such as text/*.
func findMedia(declared []*spec.MediaType, name string) *spec.MediaType {
	typ, _, _ := strings.Cut(name, "/")
	for _, want := range []string{name, typ + "/*", "*/*"} {
		i := slices.IndexFunc(declared, func(m *spec.MediaType) bool { return strings.EqualFold(m.Name, want) })
		if i >= 0 {
			return &spec.MediaType{Name: name, Schema: declared[i].Schema}
		}
	}
	return nil
}

// content reads a body of the given media type, judges it by its schema and returns the decoded value.
func (c *collector) content(m *spec.MediaType, body []byte) any {
	if !IsJSON(m.Name) {
		c.text(m, body)
		return nil
	}
	value, faults, ok := ReadJSON(body)
	for _, f := range faults {
		c.add(Violation{Rule: f.Rule, Pointer: Pointer(f.path), Expected: f.expected, Got: f.got})
	}
	if !ok {
		return nil
	}
	if m.Schema != nil {
		c.value(m.Schema, value)
	}
	return value
}

// IsJSON reports whether a media type, in lower case and without parameters, is JSON.
func IsJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

// text judges a body that is not JSON. A schema can only describe it as a string.
func (c *collector) text(m *spec.MediaType, body []byte) {
	if m.Schema == nil {
		return
	}
	if !utf8.Valid(body) || !m.Schema.Place().Has("string") {
		c.add(Violation{Rule: RuleBodyNotDecoded, Expected: "a body that can be read as its schema says", Got: "the media type " + m.Name})
		return
	}
	c.failures(Failures(m.Schema, string(body)))
}

// value judges a decoded body. It judges the forms of numbers and times in responses only: the schema alone says what a
// client may send.
func (c *collector) value(s *spec.Compiled, value any) {
	if value == nil && !s.Nullable && c.status != 0 {
		c.add(Violation{Rule: RuleBodyNull, Expected: "a value of the schema", Got: "null"})
		return
	}
	c.failures(Failures(s, value))
	if c.status != 0 {
		s.Place().Walk(value, nil, c.scalar)
	}
}

func (c *collector) failures(found []Failure) {
	for _, f := range found {
		c.add(Violation{Rule: f.rule, Pointer: Pointer(f.Path), Keyword: f.Keyword, Expected: f.expected, Got: f.got})
	}
}

// scalar judges how a response writes a number or a time at a place that a schema describes.
func (c *collector) scalar(p spec.Place, value any, path []string) {
	switch value := value.(type) {
	case json.Number:
		c.number(p, value, path)
	case string:
		if p.HasFormat("date-time") && looseTime.MatchString(value) {
			c.add(Violation{
				Rule: RuleDateTimeForm, Pointer: Pointer(path), Got: Describe(value, path),
				Expected: "T and Z in upper case and no leap second",
			})
		}
	}
}

// looseTime matches times of RFC 3339 that many parsers refuse.
var looseTime = regexp.MustCompile(`[tz]|:60(\.|Z|z|[+-]|$)`)

func (c *collector) number(p spec.Place, n json.Number, path []string) {
	whole := p.Has("integer") && !p.Has("number") && spec.ParseDecimal(n.String()).Integer()
	switch {
	case whole && strings.ContainsAny(n.String(), ".eE"):
		c.add(Violation{Rule: RuleJSONIntegerForm, Pointer: Pointer(path), Expected: "digits alone", Got: Describe(n, path)})
	case whole && !spec.WithinInteger(n) && !p.HasFormat("int64"):
		c.add(Violation{Rule: RuleJSONNumberInexact, Pointer: Pointer(path), Expected: "at most 2^53-1 either way", Got: Describe(n, path)})
	case (p.Has("number") || p.Has("integer") || p.ComparesNumbers()) && !whole && !spec.Exact(n):
		c.add(Violation{Rule: RuleJSONNumberInexact, Pointer: Pointer(path), Expected: "a number that a float64 can hold", Got: Describe(n, path)})
	}
}
