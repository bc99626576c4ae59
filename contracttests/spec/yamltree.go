package spec

import (
	"fmt"
	"iter"

	"go.yaml.in/yaml/v4"
)

// Expand returns a copy of a tree with every alias replaced by what it stands for, so that a change in one place is a
// change in one place only. It refuses merge keys: what they bring in would escape the tightening unnoticed.
func Expand(node *yaml.Node) (*yaml.Node, error) {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
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

// Fields yields the members of a mapping in their order, and nothing for anything else.
func Fields(node *yaml.Node) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		if node == nil || node.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			if !yield(node.Content[i].Value, node.Content[i+1]) {
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

// SetField sets a member of a mapping, adding it where it is missing.
func SetField(node *yaml.Node, name string, value *yaml.Node) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			node.Content[i+1] = value
			return
		}
	}
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, value)
}
