package spec

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// purpose is the kind of values that a schema judges. A request may omit required members that only the service sets
// (readOnly). A response may omit those that only the client sets (writeOnly).
type purpose int

const (
	forRequest purpose = iota
	forResponse
	forHeader // of a response
)

// absent returns the annotation of members that may be omitted.
func (p purpose) absent() string {
	if p == forRequest {
		return "readOnly"
	}
	return "writeOnly"
}

// compiler compiles the schemas of a document, each once for requests and once for responses.
//
// It gives each schema that stands alone, or that another refers to, to the engine as a document of its own. So if one
// schema cannot be compiled, only the schemas that refer to it are lost, and the time is linear in the size of the
// document.
type compiler struct {
	top     *yaml.Node
	numbers map[*yaml.Node]int // names of the documents
	nodes   []*yaml.Node
	names   []string              // where each is, for messages
	ids     map[string]*yaml.Node // schemas by $id
	anchors map[string]*yaml.Node // and by $anchor
	engines map[string]*jsonschema.Compiler
}

func newCompiler(top *yaml.Node) *compiler {
	c := &compiler{
		top: top, numbers: map[*yaml.Node]int{}, ids: map[string]*yaml.Node{}, anchors: map[string]*yaml.Node{},
		engines: map[string]*jsonschema.Compiler{},
	}
	for _, schema := range Fields(Field(Field(top, "components"), "schemas")) {
		c.identify(schema)
	}
	for _, p := range []purpose{forRequest, forResponse} {
		c.engines[p.absent()] = c.engine(p)
	}
	return c
}

// identify notes the further names of a component.
func (c *compiler) identify(schema *yaml.Node) {
	if id := text(schema, "$id"); id != "" {
		c.ids[strings.TrimSuffix(id, "#")] = schema
	}
	for _, key := range []string{"$anchor", "$dynamicAnchor"} {
		if name := text(schema, key); name != "" {
			c.anchors[name] = schema
		}
	}
	for _, inner := range Fields(Field(schema, "$defs")) {
		c.identify(inner)
	}
}

func (c *compiler) engine(p purpose) *jsonschema.Compiler {
	engine := jsonschema.NewCompiler()
	engine.DefaultDraft(jsonschema.Draft2020)
	if strings.Contains(text(c.top, "jsonSchemaDialect"), "draft-07") {
		engine.DefaultDraft(jsonschema.Draft7)
	}
	engine.AssertFormat()
	engine.RegisterFormat(&jsonschema.Format{Name: "int32", Validate: integerFormat(32)})
	engine.RegisterFormat(&jsonschema.Format{Name: "int64", Validate: integerFormat(64)})
	engine.UseRegexpEngine(compileRegexp)
	engine.UseLoader(loader{c, p})
	return engine
}

func (c *compiler) compile(node *yaml.Node, p purpose) (*jsonschema.Schema, error) {
	rules, err := c.engines[p.absent()].Compile(c.url("the schema", node))
	if err != nil {
		return nil, c.explained(err)
	}
	return rules, nil
}

// The engine's names of schemas begin with these texts. The second is for references that lead nowhere.
const (
	urlPrefix      = "doc:///"
	danglingPrefix = "nowhere"
)

// url returns the name that the engine has for a schema as a document.
func (c *compiler) url(name string, node *yaml.Node) string {
	node = unaliased(node)
	i, known := c.numbers[node]
	if !known {
		i = len(c.nodes)
		c.numbers[node] = i
		c.nodes, c.names = append(c.nodes, node), append(c.names, name)
	}
	return urlPrefix + strconv.Itoa(i)
}

var documentURL = regexp.MustCompile(urlPrefix + `(\d+)#?`)

// explained returns the error with the schemas' places in the document, on one line.
func (c *compiler) explained(err error) error {
	message := err.Error()
	var invalid *jsonschema.SchemaValidationError
	var reason *jsonschema.ValidationError
	if errors.As(err, &invalid) && errors.As(invalid.Err, &reason) {
		message = invalid.URL + " is no schema: " + deepest(reason)
	}
	named := documentURL.ReplaceAllStringFunc(message, func(found string) string {
		i, err := strconv.Atoi(documentURL.FindStringSubmatch(found)[1])
		if err != nil || i >= len(c.names) {
			return found
		}
		return c.names[i]
	})
	return errors.New(strings.Join(strings.Fields(named), " "))
}

// deepest returns the first cause that has no further causes.
func deepest(e *jsonschema.ValidationError) string {
	for len(e.Causes) > 0 {
		e = slices.MinFunc(e.Causes, func(a, b *jsonschema.ValidationError) int {
			return strings.Compare(strings.Join(a.InstanceLocation, "/"), strings.Join(b.InstanceLocation, "/"))
		})
	}
	return e.Error()
}

// loader gives the engine the schemas of the document.
type loader struct {
	*compiler
	purpose purpose
}

// Load implements jsonschema.URLLoader.
func (l loader) Load(url string) (any, error) {
	if number, ok := strings.CutPrefix(url, urlPrefix); ok {
		if i, err := strconv.Atoi(number); err == nil && i < len(l.nodes) {
			return l.schema(l.nodes[i], nil, nil), nil
		}
		if ref, dangling := strings.CutPrefix(number, danglingPrefix); dangling {
			return nil, fmt.Errorf("the reference \"#%.80s\" leads nowhere in this document", ref)
		}
	}
	if node := l.ids[url]; node != nil {
		return l.schema(node, nil, nil), nil
	}
	return nil, errors.New("it is another document, and only one is read")
}

// schema returns a schema as the engine reads it: without annotations, and with references to other documents of the
// engine. within is the nearest schema around with an $id, or nil. beside holds the schemas that judge the same value.
func (l loader) schema(node, within *yaml.Node, beside []*yaml.Node) any {
	node = unaliased(node)
	if node.Kind != yaml.MappingNode {
		return Plain(node)
	}
	if Field(node, "$id") != nil {
		within = node
	}
	beside = append(slices.Clone(beside), node)
	out := make(map[string]any, len(node.Content)/2)
	for key, value := range Fields(node) {
		switch key {
		case "properties", "patternProperties", "$defs", "definitions":
			out[key] = l.named(value, within, nil)
		case "dependentSchemas":
			out[key] = l.named(value, within, beside)
		case "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "additionalItems", "contains",
			"propertyNames", "contentSchema":
			out[key] = l.schema(value, within, nil)
		case "items":
			out[key] = l.oneOrList(value, within)
		case "prefixItems":
			out[key] = l.list(value, within, nil)
		case "allOf", "anyOf", "oneOf":
			out[key] = l.list(value, within, beside)
		case "if", "then", "else", "not":
			out[key] = l.schema(value, within, beside)
		case "$ref", "$dynamicRef":
			out["$ref"] = l.reference(value.Value, within)
		case "required":
			out[key] = l.required(value, beside)
		case "$recursiveAnchor", "$recursiveRef": // of an older draft, which 2020-12 does not know
		case "readOnly", "writeOnly":
			out[key] = isTrue(value)
		default:
			if !slices.Contains(annotations, key) && !strings.HasPrefix(key, "x-") {
				out[key] = Plain(value)
			}
		}
	}
	return out
}

func (l loader) named(node, within *yaml.Node, beside []*yaml.Node) any {
	if node.Kind != yaml.MappingNode {
		return Plain(node)
	}
	out := make(map[string]any, len(node.Content)/2)
	for name, schema := range Fields(node) {
		out[name] = l.schema(schema, within, beside)
	}
	return out
}

func (l loader) list(node, within *yaml.Node, beside []*yaml.Node) any {
	if node.Kind != yaml.SequenceNode {
		return Plain(node)
	}
	out := make([]any, len(node.Content))
	for i, schema := range node.Content {
		out[i] = l.schema(schema, within, beside)
	}
	return out
}

// oneOrList reads the value of items. It is a list in older drafts, which a schema may choose.
func (l loader) oneOrList(node, within *yaml.Node) any {
	if node.Kind == yaml.SequenceNode {
		return l.list(node, within, nil)
	}
	return l.schema(node, within, nil)
}

// reference returns the engine's name for the target of a reference.
func (l loader) reference(ref string, within *yaml.Node) string {
	if within != nil && (ref == "#" || Lookup(within, ref) != nil) {
		return ref // relative to the schema with the $id
	}
	if node := l.target(ref); node != nil {
		return l.url(ref, node)
	}
	if strings.HasPrefix(ref, "#") {
		return urlPrefix + danglingPrefix + strings.ReplaceAll(ref, "#", "")
	}
	return ref
}

func (c *compiler) target(ref string) *yaml.Node {
	if node := Lookup(c.top, ref); node != nil {
		return node
	}
	if name, ok := strings.CutPrefix(ref, "#"); ok {
		return c.anchors[name]
	}
	return c.ids[ref]
}

// required returns the names of the required members, without those that may be omitted for the purpose.
func (l loader) required(names *yaml.Node, beside []*yaml.Node) any {
	if names.Kind != yaml.SequenceNode {
		return Plain(names)
	}
	out := []any{}
	for i, name := range names.Content {
		twice := slices.ContainsFunc(names.Content[:i], func(n *yaml.Node) bool { return n.Value == name.Value })
		optional := slices.ContainsFunc(beside, func(s *yaml.Node) bool { return l.annotated(s, name.Value, 0) })
		if !optional && !twice {
			out = append(out, Plain(name))
		}
	}
	return out
}

// maxReferences is how many references are followed to find an annotation.
const maxReferences = 8

// annotated reports whether a schema, or one that it includes, allows a member to be omitted.
func (l loader) annotated(schema *yaml.Node, name string, depth int) bool {
	if schema == nil || depth > maxReferences {
		return false
	}
	if l.marked(Field(Field(schema, "properties"), name), depth) {
		return true
	}
	for _, part := range items(Field(schema, "allOf")) {
		if l.annotated(unaliased(part), name, depth+1) {
			return true
		}
	}
	return l.annotated(l.target(text(schema, "$ref")), name, depth+1)
}

// marked reports whether a schema, or one that it includes, has the annotation itself.
func (l loader) marked(schema *yaml.Node, depth int) bool {
	if schema == nil || depth > maxReferences {
		return false
	}
	if isTrue(Field(schema, l.purpose.absent())) {
		return true
	}
	for _, part := range items(Field(schema, "allOf")) {
		if l.marked(unaliased(part), depth+1) {
			return true
		}
	}
	return l.marked(l.target(text(schema, "$ref")), depth+1)
}

// matchTimeout is the time limit for the engine that can need exponential time.
const matchTimeout = time.Second

// Regexp is a compiled pattern. It is safe for concurrent use.
type Regexp = jsonschema.Regexp

// compileRegexp compiles a pattern. JSON Schema uses the regular expressions of ECMA-262. Go's engine understands most
// of them, in linear time. Patterns that it does not understand, such as lookahead, go to another engine.
func compileRegexp(pattern string) (Regexp, error) {
	re, err := regexp.Compile(pattern)
	if err == nil {
		return re, nil
	}
	other, otherErr := regexp2.Compile(pattern, regexp2.ECMAScript|regexp2.Unicode)
	if otherErr != nil {
		return nil, err
	}
	other.MatchTimeout = matchTimeout
	return backtracking{other}, nil
}

// backtracking is a pattern that Go's engine does not understand.
type backtracking struct{ *regexp2.Regexp }

// MatchString implements Regexp. If a match takes too long, the text counts as matching.
func (b backtracking) MatchString(s string) bool {
	matched, err := b.Regexp.MatchString(s)
	return matched || err != nil
}
