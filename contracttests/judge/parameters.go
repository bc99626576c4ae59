package judge

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"organizations-api/contracttests/spec"
)

// parameters judges the parameters of a request, and whether it has credentials. It does not judge the credentials
// themselves, nor parameters that the document does not declare.
func (c *collector) parameters(h http.Header) {
	for _, p := range c.op.Parameters {
		c.headerParameter(p, h[p.Key])
	}
	if c.urlErr != nil {
		c.add(Violation{Rule: RuleParameter, Expected: "a request that can be read",
			Got: Clip(c.urlErr.Error(), MaxText)})
		return
	}
	in := inputs{path: c.path, query: rawQuery(c.url.RawQuery), cookies: cookies(h)}
	for _, p := range c.op.Inputs {
		c.input(p, in)
	}
	c.credentials(in, h)
}

// inputs is what a request gives, as it is written: percent-encoded in path and query, so that a comma that is data
// differs from one that separates.
type inputs struct {
	path           map[string]string
	query, cookies map[string][]string
}

func rawQuery(query string) map[string][]string {
	if query == "" {
		return nil
	}
	out := map[string][]string{}
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		out[unquery(name)] = append(out[unquery(name)], value)
	}
	return out
}

// unquery decodes a part of a query, and leaves one that cannot be decoded.
func unquery(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil {
		return decoded
	}
	return text
}

func unpath(text string) string {
	if decoded, err := url.PathUnescape(text); err == nil {
		return decoded
	}
	return text
}

func cookies(h http.Header) map[string][]string {
	if len(h["Cookie"]) == 0 {
		return nil
	}
	out := map[string][]string{}
	for _, line := range h["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			out[name] = append(out[name], strings.Trim(value, `"`))
		}
	}
	return out
}

func (c *collector) input(p *spec.Parameter, in inputs) {
	refused := Violation{Rule: RuleParameter, Header: p.Name, In: p.In}
	read := reading{p: p, decode: unquery}
	switch p.In {
	case "path":
		read.decode = unpath
		read.value(strings.Split(in.path[p.Name], "\x00"))
	case "query":
		read.query(in.query)
	default:
		read.value(in.cookies[p.Name])
	}
	refused.Got = Describe(read.shown, []string{p.Name})
	switch {
	case !read.given && p.Required:
		refused.Expected, refused.Got = "the parameter", "nothing"
		c.add(refused)
	case !read.given:
	case read.twice:
		refused.Expected, refused.Got = "one value", fmt.Sprintf("%d values", read.count)
		c.add(refused)
	case p.JSON && len(read.candidates) == 0:
		refused.Expected = "a JSON text"
		c.add(refused)
	case p.Schema != nil:
		c.fits(p.Schema, read.candidates, refused)
	}
}

// fits records a violation unless the schema accepts one of the values that a text may mean.
func (c *collector) fits(s *spec.Compiled, candidates []any, refused Violation) {
	var first []Failure
	for i, value := range candidates {
		found := Failures(s, value)
		if len(found) == 0 {
			return
		}
		if i == 0 {
			first = found
		}
	}
	if len(candidates) == 0 {
		refused.Expected = cmp.Or(strings.Join(s.Place().Types(), " or "), "what the schema says")
		c.add(refused)
	}
	for _, f := range first {
		found := refused
		found.Pointer, found.Keyword, found.Expected = Pointer(f.Path), f.Keyword, f.expected
		if len(f.Path) > 0 && !sensitive([]string{refused.Header}) {
			found.Got = f.got // of the part that is wrong
		}
		c.add(found)
	}
}

// reading is one parameter as it was read, in one of OpenAPI's styles.
type reading struct {
	p          *spec.Parameter
	decode     func(string) string
	given      bool
	twice      bool
	count      int
	shown      string // the text
	candidates []any  // what the text may mean
}

func (r *reading) place() spec.Place {
	if r.p.Schema == nil {
		return nil
	}
	return r.p.Schema.Place()
}

// query reads a parameter of the query, whose values may have several names.
func (r *reading) query(all map[string][]string) {
	isObject := r.place().Has("object") && !r.p.JSON
	switch {
	case isObject && r.p.Style == "deepObject":
		r.deep(all)
	case isObject && r.p.Style == "form" && r.p.Explode:
		r.exploded(all)
	default:
		r.value(all[r.p.Name])
	}
}

// deep reads name[member]=value.
func (r *reading) deep(all map[string][]string) {
	object := map[string]any{}
	for name, values := range all {
		inner, found := strings.CutPrefix(name, r.p.Name+"[")
		if !found || !strings.HasSuffix(inner, "]") {
			continue
		}
		path := strings.Split(strings.TrimSuffix(inner, "]"), "][")
		at, place := object, r.place()
		for _, token := range path[:len(path)-1] {
			next, ok := at[token].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[token] = next
			}
			at, place = next, place.Member(token)
		}
		last := path[len(path)-1]
		at[last] = r.list(place.Member(last), values)
	}
	r.object(object)
}

// exploded reads an object whose members are parameters of the query.
func (r *reading) exploded(all map[string][]string) {
	object := map[string]any{}
	for _, s := range r.place() {
		for _, m := range s.Properties {
			if values := all[m.Name]; len(values) > 0 {
				object[m.Name] = r.list(r.place().Member(m.Name), values)
			}
		}
	}
	r.object(object)
}

func (r *reading) object(object map[string]any) {
	if len(object) > 0 {
		r.given, r.candidates = true, []any{object}
		r.shown = strings.Join(slices.Sorted(maps.Keys(object)), ", ")
	}
}

// list returns the value of a member with these texts.
func (r *reading) list(place spec.Place, texts []string) any {
	if !place.Has("array") {
		return meant(place, r.decode(texts[len(texts)-1]))[0]
	}
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = meant(place.Item(i), r.decode(text))[0]
	}
	return list
}

// value reads the texts that were given under the parameter's own name.
func (r *reading) value(texts []string) {
	if len(texts) == 0 || r.p.In == "path" && texts[0] == "" {
		return
	}
	r.given, r.count = true, len(texts)
	r.shown = r.decode(strings.Join(texts, ", "))
	place := r.place()
	if r.p.JSON {
		if value, faults, ok := ReadJSON([]byte(r.decode(texts[0]))); ok && len(faults) == 0 {
			r.candidates = []any{value}
		}
		return
	}
	if place.Has("array") && (r.p.Explode && r.p.Style == "form") {
		r.candidates = append([]any{r.list(place, texts)}, r.scalars(texts)...)
		return
	}
	r.twice = len(texts) > 1
	text, separator := r.styled(texts[0])
	switch {
	case place.Has("array"):
		var parts []string
		if text != "" {
			parts = strings.Split(text, separator)
		}
		r.candidates = append([]any{r.list(place, parts)}, r.scalars(texts)...)
	case place.Has("object"):
		r.candidates = []any{r.members(strings.Split(text, separator))}
	default:
		r.candidates = meant(place, r.decode(text))
	}
}

// scalars returns what a single text means where a list may be a scalar as well.
func (r *reading) scalars(texts []string) []any {
	if len(texts) != 1 {
		return nil
	}
	var out []any
	for _, value := range meant(r.place(), r.decode(texts[0])) {
		if _, text := value.(string); !text || r.place().Has("string") {
			out = append(out, value)
		}
	}
	return out
}

// styled takes off what a style puts before a value, and returns what it puts between the parts of one.
func (r *reading) styled(text string) (string, string) {
	switch r.p.Style {
	case "label":
		if r.p.Explode {
			return strings.TrimPrefix(text, "."), "."
		}
		return strings.TrimPrefix(text, "."), ","
	case "matrix":
		text = strings.TrimPrefix(text, ";")
		if !r.p.Explode || !r.place().Has("object") {
			text = strings.TrimPrefix(text, r.p.Name+"=")
		}
		if r.p.Explode {
			return strings.ReplaceAll(text, ";"+r.p.Name+"=", ";"), ";"
		}
		return text, ","
	case "spaceDelimited":
		return strings.ReplaceAll(text, "%20", "+"), "+"
	case "pipeDelimited":
		return strings.NewReplacer("%7C", "|", "%7c", "|").Replace(text), "|"
	default:
		return text, ","
	}
}

// members reads an object from its parts: name and value in turn, or name=value.
func (r *reading) members(parts []string) any {
	object := map[string]any{}
	for i := 0; i < len(parts); i++ {
		name, value, paired := strings.Cut(parts[i], "=")
		if !r.p.Explode || !paired {
			name, value = parts[i], ""
			if i++; i < len(parts) {
				value = parts[i]
			}
		}
		name = r.decode(name)
		object[name] = meant(r.place().Member(name), r.decode(value))[0]
	}
	return object
}

// meant returns the values that a text may mean at a place, the likeliest first. It is never empty: a text is always a
// string, which the schema may refuse.
func meant(p spec.Place, text string) []any {
	var out []any
	untyped := len(p.Types()) == 0
	if (p.Has("integer") || untyped) && IsInteger(text) || (p.Has("number") || untyped) &&
		isNumber(text) {
		out = append(out, number(text))
	}
	if (p.Has("boolean") || untyped) && (text == "true" || text == "false") {
		out = append(out, text == "true")
	}
	if p.Has("null") && (text == "null" || text == "") {
		out = append(out, nil)
	}
	return append(out, text)
}

// credentials judges whether the request has what one of the alternatives wants.
func (c *collector) credentials(in inputs, h http.Header) {
	var missing []spec.Credential
	for _, alternative := range c.op.Security {
		lacking := slices.IndexFunc(alternative, func(wanted spec.Credential) bool { return !has(wanted, in, h) })
		if lacking < 0 {
			return
		}
		missing = append(missing, alternative[lacking])
	}
	if len(missing) > 0 {
		c.add(Violation{Rule: RuleSecurity, Header: missing[0].Name,
			In: strings.TrimPrefix(missing[0].In, "header"), Expected: "credentials as the document says",
			Got: "none of that kind"})
	}
}

func has(wanted spec.Credential, in inputs, h http.Header) bool {
	switch wanted.In {
	case "query":
		return len(in.query[wanted.Name]) > 0
	case "cookie":
		return len(in.cookies[wanted.Name]) > 0
	case "header":
		values := h[http.CanonicalHeaderKey(wanted.Name)]
		if len(values) == 0 || values[0] == "" {
			return false
		}
		scheme, _, _ := strings.Cut(values[0], " ")
		return wanted.Scheme == "" || strings.EqualFold(scheme, wanted.Scheme)
	default:
		return true
	}
}

func (c *collector) headerParameter(declared *spec.Header, values []string) {
	if len(values) == 0 && declared.Required {
		c.add(Violation{Rule: RuleParameter, Header: declared.Name, Expected: "the header", Got: "nothing"})
	}
	if len(values) == 0 || declared.Schema == nil {
		return
	}
	text := strings.Join(values, ", ") // what is split over lines is one list
	value, ok := headerValue(declared, text)
	if !ok {
		c.add(Violation{Rule: RuleParameter, Header: declared.Name, Got: headerText(declared.Name, text),
			Expected: textOf(declared)})
		return
	}
	for _, f := range Failures(declared.Schema, value) {
		c.add(Violation{Rule: RuleParameter, Header: declared.Name, Keyword: f.Keyword, Expected: f.expected,
			Got: headerText(declared.Name, text)})
	}
}
