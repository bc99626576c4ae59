package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// These bounds limit a document, so that aliases that multiply each other cause an error and do not fill the memory.
const (
	maxGrowth = 20 // times the document's own values
	minNodes  = 100_000
	maxDepth  = 1_000
)

// Tree parses a document in YAML or JSON. It replaces aliases and merge keys by their content.
func Tree(document []byte) (*yaml.Node, error) {
	top, err := parse(document)
	if err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	if top == nil || top.Kind != yaml.MappingNode {
		return nil, errors.New("reading the document: it is not an object")
	}
	if top, err = Expand(top); err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	return top, nil
}

// ReadYAML returns the value of a YAML text, decoded as Plain does.
func ReadYAML(body []byte) (any, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(body, &root); err != nil {
		return nil, err
	}
	if len(root.Content) != 1 {
		return nil, nil
	}
	top, err := Expand(root.Content[0])
	if err != nil {
		return nil, err
	}
	return Plain(top), nil
}

// parse reads JSON with a reader of JSON, because YAML reads some escapes differently. A text that looks like JSON but
// is not may still be YAML.
func parse(document []byte) (*yaml.Node, error) {
	if bytes.HasPrefix(bytes.TrimLeft(document, "\ufeff \t\r\n"), []byte("{")) {
		if top, err := parseJSON(bytes.TrimPrefix(document, []byte("\ufeff"))); err == nil {
			return top, nil
		}
	}
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, err
	}
	if len(root.Content) != 1 {
		return nil, nil
	}
	return root.Content[0], nil
}

func parseJSON(document []byte) (*yaml.Node, error) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	top, err := jsonNode(d)
	if err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("there is more than one JSON value")
	}
	return top, nil
}

func jsonNode(d *json.Decoder) (*yaml.Node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if token == '[' {
			node = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		}
		for d.More() { // names and values alternate
			child, err := jsonNode(d)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
		_, err := d.Token()
		return node, err
	case string:
		return scalar("!!str", token), nil
	case json.Number:
		if strings.ContainsAny(token.String(), ".eE") {
			return scalar("!!float", token.String()), nil
		}
		return scalar("!!int", token.String()), nil
	case bool:
		return scalar("!!bool", strconv.FormatBool(token)), nil
	default:
		return scalar("!!null", "null"), nil
	}
}

func scalar(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

// Expand returns a copy of a tree in which copies of their content replace aliases and merge keys. So a change in one
// place changes only that place.
func Expand(node *yaml.Node) (*yaml.Node, error) {
	e := expander{left: minNodes + maxGrowth*count(node)}
	return e.expand(node, 0)
}

// count returns the number of nodes in a tree as it is written.
func count(node *yaml.Node) int {
	total := 1
	for _, child := range node.Content {
		total += count(child)
	}
	return total
}

type expander struct{ left int }

func (e *expander) expand(node *yaml.Node, depth int) (*yaml.Node, error) {
	node = unaliased(node)
	if e.left--; e.left < 0 || depth > maxDepth {
		return nil, fmt.Errorf("line %d: it has more than %d levels, or its aliases hold themselves or make it too "+
			"large",
			node.Line, maxDepth)
	}
	out := *node
	out.Anchor, out.Content = "", make([]*yaml.Node, 0, len(node.Content))
	var merged []*yaml.Node
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && isMerge(node.Content[i&^1]) {
			if i%2 == 1 {
				merged = append(merged, child)
			}
			continue
		}
		expanded, err := e.expand(child, depth+1)
		if err != nil {
			return nil, err
		}
		out.Content = append(out.Content, expanded)
	}
	return &out, e.merge(&out, merged, depth)
}

func isMerge(key *yaml.Node) bool { return key.Tag == "!!merge" || key.Tag == "" && key.Value == "<<" }

// merge adds the members that a mapping does not have. If several mappings have a member, the first one wins.
func (e *expander) merge(into *yaml.Node, from []*yaml.Node, depth int) error {
	for _, source := range from {
		source, err := e.expand(source, depth+1)
		if err != nil {
			return err
		}
		all := []*yaml.Node{source}
		if source.Kind == yaml.SequenceNode {
			all = source.Content
		}
		for _, mapping := range all {
			for name, value := range Fields(mapping) {
				if Field(into, name) == nil {
					SetField(into, name, value)
				}
			}
		}
	}
	return nil
}

func unaliased(node *yaml.Node) *yaml.Node {
	for node != nil && node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node
}

// Fields yields the members of a mapping in their order. It yields nothing for any other node, nil included.
func Fields(node *yaml.Node) iter.Seq2[string, *yaml.Node] {
	node = unaliased(node)
	return func(yield func(string, *yaml.Node) bool) {
		if node == nil || node.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			if !yield(node.Content[i].Value, unaliased(node.Content[i+1])) {
				return
			}
		}
	}
}

// items returns the nodes of a list, and nothing for any other node.
func items(node *yaml.Node) []*yaml.Node {
	if node = unaliased(node); node == nil || node.Kind != yaml.SequenceNode {
		return nil
	}
	return node.Content
}

// Field returns a member of a mapping, or nil.
func Field(node *yaml.Node, name string) *yaml.Node {
	for key, value := range Fields(node) {
		if key == name {
			return value
		}
	}
	return nil
}

// text returns the text of a scalar member of a mapping, or "".
func text(node *yaml.Node, name string) string {
	if value := Field(node, name); value != nil && value.Kind == yaml.ScalarNode {
		return value.Value
	}
	return ""
}

func isTrue(node *yaml.Node) bool {
	return node != nil && node.Kind == yaml.ScalarNode && node.ShortTag() == "!!bool" && node.Value == "true"
}

// SetField sets a member of a mapping. It adds the member where it is missing.
func SetField(node *yaml.Node, name string, value *yaml.Node) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			node.Content[i+1] = value
			return
		}
	}
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, value)
}

// Lookup returns the node with a reference such as #/components/schemas/Error, or nil.
func Lookup(root *yaml.Node, ref string) *yaml.Node {
	path, local := strings.CutPrefix(ref, "#/")
	if !local {
		return nil
	}
	if root.Kind == yaml.DocumentNode {
		root = root.Content[0]
	}
	node := root
	for token := range strings.SplitSeq(path, "/") {
		node = child(node, pointerUnescapes.Replace(token))
		if node == nil {
			return nil
		}
	}
	return node
}

var pointerUnescapes = strings.NewReplacer("~1", "/", "~0", "~")

// child returns a member or an item. A name in a fragment may be encoded as in a URL.
func child(node *yaml.Node, token string) *yaml.Node {
	if node == nil || node.Kind != yaml.SequenceNode {
		if found := Field(node, token); found != nil {
			return found
		}
		decoded, err := pathUnescape(token)
		if err != nil || decoded == token {
			return nil
		}
		return Field(node, decoded)
	}
	i, err := strconv.Atoi(token)
	if err != nil || i < 0 || i >= len(node.Content) {
		return nil
	}
	return unaliased(node.Content[i])
}

// Resolve follows references from node to node. It returns nil if a reference leads nowhere or in a circle.
func Resolve(root, node *yaml.Node) *yaml.Node {
	for range 100 {
		ref := Field(node, "$ref")
		if ref == nil {
			return node
		}
		node = Lookup(root, ref.Value)
	}
	return nil
}

// Text writes a node on one line: a scalar as it is in the document, the items of other nodes with commas.
func Text(node *yaml.Node) string {
	node = unaliased(node)
	if node.Kind == yaml.ScalarNode {
		return node.Value
	}
	var texts []string
	for _, item := range node.Content {
		texts = append(texts, Text(item))
	}
	return strings.Join(texts, ", ")
}

// Plain decodes a node as JSON: maps, lists, strings, json.Number, bool and nil. A number that JSON cannot write, such
// as .inf or 007, and a time become text; a whole number in another notation, such as 0x1F, becomes decimal.
func Plain(node *yaml.Node) any {
	node = unaliased(node)
	switch {
	case node == nil:
		return nil
	case node.Kind == yaml.MappingNode:
		out := make(map[string]any, len(node.Content)/2)
		for name, member := range Fields(node) {
			out[name] = Plain(member)
		}
		return out
	case node.Kind == yaml.SequenceNode:
		out := make([]any, len(node.Content))
		for i, item := range node.Content {
			out[i] = Plain(item)
		}
		return out
	}
	switch node.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(node.Value, "true")
	case "!!int", "!!float":
		return plainNumber(node.Value)
	default:
		return node.Value
	}
}

func plainNumber(written string) any {
	if json.Valid([]byte(written)) {
		return json.Number(written)
	}
	digits := strings.TrimLeft(written, "+-")
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return written // YAML 1.1 and 1.2 do not agree on what this is, and most who write it mean the text
	}
	if n, err := strconv.ParseInt(written, 0, 64); err == nil {
		return json.Number(strconv.FormatInt(n, 10))
	}
	if f, err := strconv.ParseFloat(written, 64); err == nil {
		if short := strconv.FormatFloat(f, 'g', -1, 64); json.Valid([]byte(short)) {
			return json.Number(short)
		}
	}
	return written
}
