package contracttests

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

const schemaPrefix = "#/components/schemas/"

// tighten returns a copy of the document whose response schemas refuse undeclared members.
//
// Schemas are open by default, so a response may carry anything beside what is declared; an internal identifier, for
// one. The copy closes every object schema that lists its members and does not say what else it takes. It serves to
// judge responses alone: in requests, what is open must stay open, and they are judged by the document as it is.
//
// Closing a schema is not closing each of its parts: what allOf combines has to be open in the parts, or the parts
// refuse each other's members. So a component has up to three forms in the copy: closed under its own name, open at
// its own level but closed below it where it is a part, and verbatim where it is a test (not, if, contains).
func tighten(document []byte) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("reading the document: it is not an object")
	}
	top, err := expand(root.Content[0])
	if err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	t := newTightener(field(field(top, "components"), "schemas"))
	t.responses(top)
	t.components()
	out, err := yaml.Marshal(top)
	if err != nil {
		return nil, fmt.Errorf("writing the tightened document: %w", err)
	}
	return out, nil
}

// form says how a schema is rewritten.
type form int

const (
	closedForm   form = iota // refuses undeclared members, at its own level and below
	partForm                 // open at its own level, closed below
	verbatimForm             // as it is
)

type tightener struct {
	schemas   *yaml.Node            // components/schemas, nil where there are none
	originals map[string]*yaml.Node // the components as they were
	suffixes  map[form]string       // appended to the name of a component for its other forms
	wanted    []variant             // other forms that are referred to and not yet written
	known     map[variant]bool
}

type variant struct {
	name string
	form form
}

func newTightener(schemas *yaml.Node) *tightener {
	t := &tightener{schemas: schemas, originals: map[string]*yaml.Node{}, known: map[variant]bool{}}
	dashes := "--"
	for name, schema := range fields(schemas) {
		t.originals[name] = schema
		for strings.HasSuffix(name, dashes+"part") || strings.HasSuffix(name, dashes+"verbatim") {
			dashes += "-"
		}
	}
	t.suffixes = map[form]string{partForm: dashes + "part", verbatimForm: dashes + "verbatim"}
	return t
}

// responses closes the schemas that responses state in place, wherever a response can stand.
func (t *tightener) responses(top *yaml.Node) {
	components := field(top, "components")
	for _, response := range fields(field(components, "responses")) {
		t.response(response)
	}
	for _, items := range []*yaml.Node{field(top, "paths"), field(components, "pathItems")} {
		for _, item := range fields(items) {
			for _, operation := range fields(item) {
				for _, response := range fields(field(operation, "responses")) {
					t.response(response)
				}
			}
		}
	}
}

func (t *tightener) response(response *yaml.Node) {
	for _, media := range fields(field(response, "content")) {
		if schema := field(media, "schema"); schema != nil {
			setField(media, "schema", t.rewrite(schema, closedForm))
		}
	}
}

// components closes every component and then adds the other forms that are in use.
func (t *tightener) components() {
	for name, schema := range fields(t.schemas) {
		setField(t.schemas, name, t.rewrite(schema, closedForm))
	}
	for len(t.wanted) > 0 {
		next := t.wanted[0]
		t.wanted = t.wanted[1:]
		setField(t.schemas, next.name+t.suffixes[next.form], t.rewrite(t.originals[next.name], next.form))
	}
}

// reference returns the reference to the given form of what a reference names.
func (t *tightener) reference(ref string, want form) string {
	name, ok := strings.CutPrefix(ref, schemaPrefix)
	if !ok || want == closedForm || t.originals[name] == nil {
		return ref
	}
	if v := (variant{name, want}); !t.known[v] {
		t.known[v] = true
		t.wanted = append(t.wanted, v)
	}
	return ref + t.suffixes[want]
}
