package spec

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Tree parses a document and expands its aliases.
func Tree(document []byte) (*yaml.Node, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("reading the document: it is not an object")
	}
	top, err := Expand(root.Content[0])
	if err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	return top, nil
}

// Expand returns a copy of a tree with every alias replaced by a copy of what it stands for. A change in one place then
// changes that place only. Expand refuses merge keys: CloseResponses would not see the members that they bring in.
func Expand(node *yaml.Node) (*yaml.Node, error) {
	node = unaliased(node)
	out := *node
	out.Anchor, out.Content = "", nil
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 && (child.Tag == "!!merge" || child.Value == "<<") {
			return nil, fmt.Errorf("line %d: YAML merge keys are not supported", child.Line)
		}
		expanded, err := Expand(child)
		if err != nil {
			return nil, err
		}
		out.Content = append(out.Content, expanded)
	}
	return &out, nil
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

// Field returns a member of a mapping, or nil.
func Field(node *yaml.Node, name string) *yaml.Node {
	for key, value := range Fields(node) {
		if key == name {
			return value
		}
	}
	return nil
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

// Lookup returns the node that a reference such as #/components/schemas/Error leads to, or nil.
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
	}
	return node
}

var pointerUnescapes = strings.NewReplacer("~1", "/", "~0", "~")

func child(node *yaml.Node, token string) *yaml.Node {
	if node == nil || node.Kind != yaml.SequenceNode {
		return Field(node, token)
	}
	i, err := strconv.Atoi(token)
	if err != nil || i < 0 || i >= len(node.Content) {
		return nil
	}
	return unaliased(node.Content[i])
}

// Resolve follows references from node to node. It returns nil for a reference that leads nowhere or in a circle.
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

// Text writes a node on one line: a scalar as the document has it, the items of anything else with commas.
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
