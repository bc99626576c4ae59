package judge

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"organizations-api/contracttests/spec"
)

// responseBody judges the body of a response. It returns the decoded body, or nil where nothing can be decoded.
func (c *collector) responseBody(declared *spec.Response, x Exchange, h http.Header) any {
	body := x.Response.Body
	if rule, why := bodiless(declared, x); rule != "" {
		if len(body) > 0 {
			c.add(Violation{Rule: rule, Expected: "no body " + why, Got: count(len(body), "byte")})
		}
		return nil
	}
	return c.body(declared.Content, body, h)
}

// body judges a body that has to be there.
func (c *collector) body(declared []*spec.MediaType, body []byte, h http.Header) any {
	if !emptyText(body, h) && !c.present(body) {
		return nil
	}
	m := c.mediaType(declared, h["Content-Type"])
	if m == nil {
		return nil
	}
	body, ok := c.unpacked(body, h)
	if !ok {
		return nil
	}
	return c.content(m, body)
}

// emptyText reports whether a body is a text without a character: that is a string like any other.
func emptyText(body []byte, h http.Header) bool {
	return len(bytes.TrimSpace(body)) == 0 && len(h["Content-Type"]) == 1 &&
		strings.HasPrefix(mediaName(h["Content-Type"][0]), "text/")
}

// maxUnpacked bounds what a compressed body may become.
const maxUnpacked = 256 << 20

// unpacked undoes gzip. It returns false for a body that cannot be judged further.
func (c *collector) unpacked(body []byte, h http.Header) ([]byte, bool) {
	coding := strings.ToLower(strings.Join(h["Content-Encoding"], ","))
	switch coding {
	case "", "identity":
		return body, true
	case "gzip", "x-gzip":
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			body, err = io.ReadAll(io.LimitReader(r, maxUnpacked))
		}
		if err != nil {
			c.add(Violation{Rule: RuleBodyUnreadable, Expected: "gzip, as Content-Encoding says", Got: err.Error()})
		}
		return body, err == nil
	default:
		return nil, false // this package does not know the coding
	}
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
func (c *collector) mediaType(declared []*spec.MediaType, values []string) *media {
	if len(values) != 1 {
		c.add(Violation{Rule: RuleContentType, Header: "Content-Type", Expected: "one value, " + mediaNames(declared),
			Got: count(len(values), "value")})
		return nil
	}
	text := values[0]
	name, parameters, err := mime.ParseMediaType(text)
	var m *media
	if err == nil {
		m = findMedia(declared, name, parameters)
	}
	written, _, _ := strings.Cut(text, ";")
	asDeclared := c.status == 0 || written == name && !strings.HasSuffix(text, ";")
	if m != nil && asDeclared && usual(name, m.declared, parameters) {
		return m
	}
	if c.status == 0 && err == nil {
		text = mime.FormatMediaType(name, parameters) // HTTP lets clients write it in any case
	}
	found := Violation{Rule: RuleContentType, Header: "Content-Type", Expected: mediaNames(declared),
		Got: Describe(text, nil)}
	switch {
	case m != nil:
		found.Expected += ", with no parameter but charset=utf-8"
	case err == nil:
		found.Rule = RuleMediaType
	}
	c.add(found)
	return m
}

// usual reports whether a Content-Type has no parameters but those that are declared and those that a media type is
// known for: JSON has charset=utf-8 alone, as it is always UTF-8 (RFC 8259, section 8.1).
func usual(name string, declared, parameters map[string]string) bool {
	for key, value := range parameters {
		_, expected := declared[key]
		switch {
		case expected && (key == "charset" || strings.EqualFold(declared[key], value)):
		case key == "charset" && (!IsJSON(name) || strings.EqualFold(value, "utf-8")):
		case key == "boundary" && strings.HasPrefix(name, "multipart/"):
		default:
			return false
		}
	}
	return true
}

// media is what the document declares of the media type of a body.
type media struct {
	spec.MediaType                   // Name is that of the body
	declared       map[string]string // parameters
	boundary       string            // of a multipart body
}

func mediaNames(declared []*spec.MediaType) string {
	names := make([]string, len(declared))
	for i, m := range declared {
		names[i] = m.String()
	}
	return strings.Join(names, " or ")
}

// findMedia returns what is declared for a media type. The type itself comes before a range, such as text/*. Of several
// with parameters, the one whose parameters are given comes first.
func findMedia(declared []*spec.MediaType, name string, parameters map[string]string) *media {
	typ, _, _ := strings.Cut(name, "/")
	var best *spec.MediaType
	most := -1
	for _, want := range []string{name, typ + "/*", "*/*"} {
		for _, m := range declared {
			if same := matching(m.Parameters, parameters); m.Name == want && same > most {
				best, most = m, same
			}
		}
		if best != nil {
			found := &media{MediaType: *best, declared: best.Parameters, boundary: parameters["boundary"]}
			found.Name = name
			return found
		}
	}
	return nil
}

// matching returns how many of the wanted parameters are given, or -1 if one is not. A charset need not be given.
func matching(wanted, given map[string]string) int {
	count := 0
	for key, value := range wanted {
		switch {
		case strings.EqualFold(given[key], value):
			count++
		case key != "charset":
			return -1
		}
	}
	return count
}

// content reads a body of the given media type, judges it by its schema and returns the decoded value, if it is JSON.
func (c *collector) content(m *media, body []byte) any {
	switch kind := kindOf(m.Name); {
	case kind == kindJSON:
		return c.json(m.Schema, body)
	case m.Schema == nil:
	case kind == kindLines:
		c.lines(m, body)
	case kind == kindDecoded:
		c.decoded(m, body)
	default:
		c.text(m, body, kind)
	}
	return nil
}

func (c *collector) json(s *spec.Compiled, body []byte) any {
	value, faults, ok := ReadJSON(body)
	for _, f := range faults {
		c.add(Violation{Rule: f.Rule, Pointer: Pointer(f.path), Expected: f.expected, Got: f.got})
	}
	if !ok {
		return nil
	}
	if s != nil {
		c.value(s, value)
	}
	return value
}

// bodyKind is how bodies of a media type are read.
type bodyKind int

const (
	kindJSON    bodyKind = iota
	kindLines            // a JSON text on each line
	kindDecoded          // a form, XML or YAML
	kindText
	kindEvents // a stream of server-sent events
	kindBytes
)

func kindOf(name string) bodyKind {
	switch name {
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines",
		"application/json-seq",
		"application/jsonlines":
		return kindLines
	case "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", "text/xml", "application/yaml",
		"application/x-yaml", "text/yaml", "text/x-yaml":
		return kindDecoded
	case "text/event-stream":
		return kindEvents
	}
	switch {
	case IsJSON(name):
		return kindJSON
	case strings.HasSuffix(name, "+xml"), strings.HasSuffix(name, "+yaml"):
		return kindDecoded
	case strings.HasPrefix(name, "text/"):
		return kindText
	default:
		return kindBytes
	}
}

// lines judges a body of one JSON text a line. A schema of a list describes the whole body, one of a string its text,
// any other each line.
func (c *collector) lines(m *media, body []byte) {
	place := m.Schema.Place()
	if types := place.Types(); len(types) == 1 && types[0] == "string" {
		c.text(m, body, kindText)
		return
	}
	all := []any{}
	for line := range bytes.Lines(body) {
		line = bytes.Trim(line, " \t\r\n\x1e") // RFC 7464 begins each text with a record separator
		switch {
		case len(line) == 0:
		case place.Has("array"):
			all = append(all, c.json(nil, line))
		default:
			c.json(m.Schema, line)
		}
	}
	if place.Has("array") {
		c.value(m.Schema, all)
	}
}

// decoded judges a form, XML or YAML by the value that it stands for.
func (c *collector) decoded(m *media, body []byte) {
	if types := m.Schema.Place().Types(); len(types) == 1 && types[0] == "string" {
		c.text(m, body, kindText)
		return
	}
	var value any
	var err error
	switch {
	case m.Name == "application/x-www-form-urlencoded":
		value, err = decodeForm(&m.MediaType, body)
	case m.Name == "multipart/form-data":
		value, err = decodeMultipart(&m.MediaType, m.boundary, body)
	case strings.HasSuffix(m.Name, "xml"):
		value, err = decodeXML(&m.MediaType, body)
	default:
		value, err = spec.ReadYAML(body)
	}
	if err != nil {
		c.add(Violation{Rule: RuleBodyNotDecoded, Expected: "a body of the media type " + m.Name, Got: err.Error()})
		return
	}
	c.failures(Failures(m.Schema, value))
}

// IsJSON reports whether a media type, in lower case and without parameters, is JSON.
func IsJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

// text judges a body that is a text, or bytes. A schema can only describe it as a string, or as what the text means.
// Bytes have nothing to judge but that they may be there.
func (c *collector) text(m *media, body []byte, kind bodyKind) {
	place := m.Schema.Place()
	bytesAllowed := len(place.Types()) == 0 || place.Has("string")
	switch {
	case kind == kindEvents && !bytesAllowed: // a schema of the events, which OpenAPI 3.1 has no word for
	case kind == kindBytes && (bytesAllowed || strings.HasPrefix(m.Name, "multipart/")):
	case kind == kindBytes && json.Valid(body): // a media type of a vendor that does not end in +json
		c.json(m.Schema, body)
	case !utf8.Valid(body) && kind == kindText && bytesAllowed && len(m.declared) > 0: // of another charset
	case place.Has("object") || place.Has("array") || kind == kindBytes || !utf8.Valid(body):
		c.add(Violation{Rule: RuleBodyNotDecoded, Expected: "a body that can be read as its schema says",
			Got: "the media type " + m.Name})
	default:
		c.fits(m.Schema, meant(place, string(body)), Violation{Rule: RuleSchema, Got: Describe(string(body), nil)})
	}
}

// usualDepth is how deep most bodies are, so that a path seldom grows.
const usualDepth = 8

// value judges a decoded body. It judges the forms of numbers and times in responses only: the schema alone says what a
// client may send.
func (c *collector) value(s *spec.Compiled, value any) {
	if value == nil && !s.Nullable && c.status != 0 {
		c.add(Violation{Rule: RuleBodyNull, Expected: "a value of the schema", Got: "null"})
		return
	}
	c.failures(Failures(s, value))
	if c.status != 0 {
		s.Place().Walk(value, make([]string, 0, usualDepth), c.scalar)
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
		if p.HasFormat("date-time") && looseTime(value) {
			c.add(Violation{
				Rule: RuleDateTimeForm, Pointer: Pointer(path), Got: Describe(value, path),
				Expected: "T and Z in upper case and no leap second",
			})
		}
	}
}

// looseTime reports whether a text is a time of RFC 3339 that many parsers refuse. The format has judged it already.
func looseTime(text string) bool {
	return strings.ContainsAny(text, "tz") || strings.Contains(text, ":60")
}

func (c *collector) number(p spec.Place, n json.Number, path []string) {
	if spec.PlainInteger(n) {
		return
	}
	whole := p.Has("integer") && !p.Has("number") && spec.ParseDecimal(n.String()).Integer()
	switch {
	case whole && strings.ContainsAny(n.String(), ".eE"):
		c.add(Violation{Rule: RuleJSONIntegerForm, Pointer: Pointer(path), Expected: "digits alone",
			Got: Describe(n, path)})
	case whole && !spec.WithinInteger(n) && !p.HasFormat("int64") && !p.HasFormat("uint64"):
		c.add(Violation{Rule: RuleJSONNumberInexact, Pointer: Pointer(path), Expected: "at most 2^53-1 either way",
			Got: Describe(n, path)})
	case (p.Has("number") || p.Has("integer") || p.ComparesNumbers()) && !whole && !spec.Exact(n):
		c.add(Violation{Rule: RuleJSONNumberInexact, Pointer: Pointer(path),
			Expected: "a number that a float64 can hold", Got: Describe(n, path)})
	}
}
