package judge

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	"organizations-api/contracttests/spec"
)

// decodeForm reads a body of application/x-www-form-urlencoded as its schema says.
func decodeForm(m *spec.MediaType, body []byte) (any, error) {
	all := rawQuery(strings.TrimSpace(string(body)))
	object := map[string]any{}
	var place spec.Place
	if m.Schema != nil {
		place = m.Schema.Place()
	}
	for name, texts := range all {
		member, deep, nested := strings.Cut(name, "[")
		if nested && m.Encoding[member].Style == "deepObject" && strings.HasSuffix(deep, "]") {
			inner, ok := object[member].(map[string]any)
			if !ok {
				inner = map[string]any{}
				object[member] = inner
			}
			deep = strings.TrimSuffix(deep, "]")
			inner[deep] = meant(place.Member(member).Member(deep), unquery(texts[0]))[0]
			continue
		}
		object[name] = formValue(place.Member(name), m.Encoding[name], name, texts)
	}
	return object, nil
}

// formValue returns the value of a member with these texts, in the style of its encoding.
func formValue(place spec.Place, e spec.Encoding, name string, texts []string) any {
	p := &spec.Parameter{Name: name, Style: e.Style, Explode: e.Explode || e.Style == "" && e.ContentType == ""}
	if p.Style == "" {
		p.Style = "form"
	}
	read := reading{p: p, decode: unquery}
	if len(place) > 0 {
		p.Schema = &spec.Compiled{Schema: place[0]}
	}
	isText := !place.Has("array") && !place.Has("object")
	if jsonPart := e.ContentType != "" && IsJSON(mediaName(e.ContentType)); jsonPart || place.Has("object") && !isText {
		if value, faults, ok := ReadJSON([]byte(unquery(texts[0]))); ok && len(faults) == 0 {
			return value
		}
	}
	if read.value(texts); len(read.candidates) > 0 {
		return read.candidates[0]
	}
	return unquery(texts[0])
}

// mediaName returns a media type without parameters and in lower case, or "" where it is none.
func mediaName(written string) string {
	name, _, err := mime.ParseMediaType(written)
	if err != nil {
		return ""
	}
	return name
}

// decodeMultipart reads a body of multipart/form-data as its schema says. A part of another media type than JSON and
// text is a string of its bytes.
func decodeMultipart(m *spec.MediaType, boundary string, body []byte) (any, error) {
	if boundary == "" {
		return nil, errors.New("no boundary in the Content-Type")
	}
	var place spec.Place
	if m.Schema != nil {
		place = m.Schema.Place()
	}
	object := map[string]any{}
	for reader := multipart.NewReader(bytes.NewReader(body), boundary); ; {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return object, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		name := part.FormName()
		if name == "" {
			return nil, errors.New("a part without a name")
		}
		member := place.Member(name)
		list := member.Has("array") && !IsJSON(mediaName(part.Header.Get("Content-Type")))
		if list {
			member = member.Item(0)
		}
		value, err := partValue(member, part.Header.Get("Content-Type"), content)
		if err != nil {
			return nil, fmt.Errorf("the part %.60q: %w", name, err)
		}
		if !list {
			object[name] = value
			continue
		}
		items, _ := object[name].([]any)
		object[name] = append(items, value)
	}
}

func partValue(place spec.Place, contentType string, content []byte) (any, error) {
	isJSON := IsJSON(mediaName(contentType))
	if isJSON || contentType == "" && place.Has("object") {
		value, faults, ok := ReadJSON(content)
		if !ok || len(faults) > 0 {
			return nil, fmt.Errorf("it is not JSON: %s", faults[0].got)
		}
		return value, nil
	}
	return meant(place, string(content))[0], nil
}

// element is an XML element.
type element struct {
	name     string
	attrs    []xml.Attr
	text     strings.Builder
	children []*element
}

// decodeXML reads an XML text as its schema says. Names are compared without their prefixes. What the schema does not
// describe is text, or an object of what is in it.
func decodeXML(m *spec.MediaType, body []byte) (any, error) {
	root, err := readXML(body)
	if err != nil {
		return nil, err
	}
	var place spec.Place
	if m.Schema != nil {
		place = m.Schema.Place()
	}
	if place.Has("array") {
		return xmlItems(place, root.children), nil
	}
	return xmlValue(place, root), nil
}

func readXML(body []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	top := &element{}
	open := []*element{top}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		last := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: slices.Clone(token.Attr)}
			last.children = append(last.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			last.text.Write(token)
		}
		if len(open) > MaxDepth {
			return nil, fmt.Errorf("more than %d levels", MaxDepth)
		}
	}
	if len(top.children) != 1 || strings.TrimSpace(top.text.String()) != "" {
		return nil, errors.New("there must be one element, and nothing around it")
	}
	return top.children[0], nil
}

func xmlValue(p spec.Place, e *element) any {
	isObject := p.Has("object") || slices.ContainsFunc(p, func(s *spec.Schema) bool { return len(s.Properties) > 0 })
	if !isObject && (len(p.Types()) > 0 || len(e.children) == 0) {
		return meant(p, strings.TrimSpace(e.text.String()))[0]
	}
	object := map[string]any{}
	taken := map[*element]bool{}
	for _, s := range p {
		for _, member := range s.Properties {
			xmlMember(object, taken, p.Member(member.Name), member.Name, e)
		}
	}
	for _, c := range e.children { // what no schema names is undeclared, and has to show
		if !taken[c] {
			object[c.name] = xmlValue(p.Member(c.name), c)
		}
	}
	return object
}

// xmlMember reads a member from the attribute or the elements that the schema gives it.
func xmlMember(object map[string]any, taken map[*element]bool, p spec.Place, name string, e *element) {
	var hints spec.XML
	for _, s := range p {
		if s.XML != (spec.XML{}) {
			hints = s.XML
			break
		}
	}
	tag := name
	if hints.Name != "" {
		tag = hints.Name
	}
	if hints.Attribute {
		for _, a := range e.attrs {
			if a.Name.Local == tag {
				object[name] = meant(p, a.Value)[0]
			}
		}
		return
	}
	if p.Has("array") && !hints.Wrapped {
		for _, s := range p.Item(0) { // the name of the items is that of their schema
			if s.XML.Name != "" {
				tag = s.XML.Name
			}
		}
	}
	var found []*element
	for _, c := range e.children {
		if c.name == tag {
			found = append(found, c)
			taken[c] = true
		}
	}
	switch {
	case len(found) == 0:
	case p.Has("array") && hints.Wrapped:
		object[name] = xmlItems(p, found[0].children)
	case p.Has("array"):
		object[name] = xmlItems(p, found)
	default:
		object[name] = xmlValue(p, found[0])
	}
}

func xmlItems(p spec.Place, elements []*element) any {
	list := make([]any, len(elements))
	for i, e := range elements {
		list[i] = xmlValue(p.Item(i), e)
	}
	return list
}
