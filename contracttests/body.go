package contracttests

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
)

// responseBody judges the body of a response and returns what it holds, nil where it holds nothing that can be read.
func (c *collector) responseBody(declared *responseContract, x Exchange, h http.Header) any {
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
	m := c.mediaType(declared.media, h["Content-Type"])
	if m == nil {
		return nil
	}
	return c.content(*m, body)
}

// bodiless returns the rule that a body would break, or "" where a body is due.
func bodiless(declared *responseContract, x Exchange) (Rule, string) {
	switch {
	case x.Request.Method == http.MethodHead:
		return RuleBodyOnHead, "in answer to HEAD"
	case x.Response.Status == http.StatusNoContent:
		return RuleBodyOn204, "with status 204"
	case x.Response.Status == http.StatusNotModified:
		return RuleBodyOn304, "with status 304"
	case len(declared.media) == 0:
		return RuleBodyUndeclared, "where none is declared"
	default:
		return "", ""
	}
}

// present reports whether there is anything in the body, and records it if not.
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

// mediaType finds what is declared for a response's Content-Type, and nil where nothing is. A response has to write the
// media type as the document does, though HTTP would let it change the case: many a client compares the text.
func (c *collector) mediaType(declared []mediaContract, values []string) *mediaContract {
	want := mediaNames(declared)
	if len(values) != 1 {
		c.add(Violation{Rule: RuleContentType, Header: "Content-Type", Expected: "one value, " + want, Got: fmt.Sprintf("%d values", len(values))})
		return nil
	}
	name, parameters, err := mime.ParseMediaType(values[0])
	if err != nil {
		c.add(Violation{Rule: RuleContentType, Header: "Content-Type", Expected: want, Got: describe(values[0], nil)})
		return nil
	}
	m := findMedia(declared, name)
	if m == nil {
		c.add(Violation{Rule: RuleMediaType, Header: "Content-Type", Expected: want, Got: describe(values[0], nil)})
		return nil
	}
	written, _, _ := strings.Cut(values[0], ";")
	if c.status != 0 && written != name || !utf8Alone(parameters) || strings.HasSuffix(values[0], ";") {
		c.add(Violation{Rule: RuleContentType, Header: "Content-Type", Expected: want + ", with no parameter but charset=utf-8", Got: describe(values[0], nil)})
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

func mediaNames(declared []mediaContract) string {
	names := make([]string, len(declared))
	for i, m := range declared {
		names[i] = m.name
	}
	return strings.Join(names, " or ")
}

// findMedia returns what is declared for a media type, the type itself before a range that it is in.
func findMedia(declared []mediaContract, name string) *mediaContract {
	typ, _, _ := strings.Cut(name, "/")
	for _, want := range []string{name, typ + "/*", "*/*"} {
		i := slices.IndexFunc(declared, func(m mediaContract) bool { return strings.EqualFold(m.name, want) })
		if i >= 0 {
			return &mediaContract{name: name, schema: declared[i].schema}
		}
	}
	return nil
}

// content reads a body of the given media type, judges it by its schema and returns what it holds.
func (c *collector) content(m mediaContract, body []byte) any {
	if !isJSON(m.name) {
		c.text(m, body)
		return nil
	}
	value, faults, ok := readJSON(body)
	for _, f := range faults {
		c.add(Violation{Rule: f.rule, Pointer: pointer(f.path), Expected: f.expected, Got: f.got})
	}
	if !ok {
		return nil
	}
	if m.schema != nil {
		c.value(m.schema, value)
	}
	return value
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

// text judges a body that is not JSON, which a schema can only describe as a string.
func (c *collector) text(m mediaContract, body []byte) {
	if m.schema == nil {
		return
	}
	if !utf8.Valid(body) || !slices.Contains(m.schema.shape.types(), "string") {
		c.add(Violation{Rule: RuleBodyNotDecoded, Expected: "a body that can be read as its schema says", Got: "the media type " + m.name})
		return
	}
	c.failures(m.schema.judge(string(body)))
}

// value judges a decoded body. The forms of numbers and times are a matter of responses only: what a client may send
// is up to the schema.
func (c *collector) value(s *compiledSchema, value any) {
	if value == nil && !s.nullable && c.status != 0 {
		c.add(Violation{Rule: RuleBodyNull, Expected: "a value of the schema", Got: "null"})
		return
	}
	c.failures(s.judge(value))
	if c.status != 0 {
		s.shape.walk(value, nil, c.scalar)
	}
}

func (c *collector) failures(found []failure) {
	for _, f := range found {
		c.add(Violation{Rule: f.rule, Pointer: pointer(f.path), Keyword: f.keyword, Expected: f.expected, Got: f.got})
	}
}

// scalar judges how a response writes a number or a time at a place that the schema gives a type to.
func (c *collector) scalar(s *shape, value any, path []string) {
	switch value := value.(type) {
	case json.Number:
		c.number(s, value, path)
	case string:
		if s.hasFormat("date-time") && looseTime.MatchString(value) {
			c.add(Violation{
				Rule: RuleDateTimeForm, Pointer: pointer(path), Got: describe(value, path),
				Expected: "T and Z in upper case and no leap second",
			})
		}
	}
}

// looseTime matches times of RFC 3339 that many parsers refuse.
var looseTime = regexp.MustCompile(`[tz]|:60(\.|Z|z|[+-]|$)`)

func (c *collector) number(s *shape, n json.Number, path []string) {
	whole := s.has("integer") && !s.has("number") && parseDecimal(n.String()).integer()
	switch {
	case whole && strings.ContainsAny(n.String(), ".eE"):
		c.add(Violation{Rule: RuleJSONIntegerForm, Pointer: pointer(path), Expected: "digits alone", Got: describe(n, path)})
	case whole && !withinInteger(n) && !s.hasFormat("int64"):
		c.add(Violation{Rule: RuleJSONNumberInexact, Pointer: pointer(path), Expected: "at most 2^53-1 either way", Got: describe(n, path)})
	case (s.has("number") || s.has("integer") || s.comparesNumbers()) && !whole && !exact(n):
		c.add(Violation{Rule: RuleJSONNumberInexact, Pointer: pointer(path), Expected: "a number that a float64 can hold", Got: describe(n, path)})
	}
}
