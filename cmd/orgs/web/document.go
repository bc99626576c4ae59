package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"iter"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// document is the contract as a tree of YAML nodes, which keep the order of the text.
type document struct{ root *yaml.Node }

func readDocument(text []byte) (document, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return document{}, err
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) != 1 {
		return document{}, errors.New("it is not one YAML document")
	}
	return document{root.Content[0]}, nil
}

// at returns the value below node that the names lead to, or nil if there is none. It follows references.
func (d document) at(node *yaml.Node, names ...string) *yaml.Node {
	node = d.target(node)
	for _, name := range names {
		node = d.target(member(node, name))
	}
	return node
}

// target returns the node that a reference names, and any other node unchanged.
func (d document) target(node *yaml.Node) *yaml.Node {
	path, ok := strings.CutPrefix(valueOf(member(node, "$ref")), "#/")
	if !ok {
		return node
	}
	found := d.root
	for name := range strings.SplitSeq(path, "/") {
		found = member(found, name)
	}
	return d.target(found)
}

// text returns the text at the end of the names, or "" if there is none.
func (d document) text(node *yaml.Node, names ...string) string { return valueOf(d.at(node, names...)) }

// html returns the Markdown at the end of the names as HTML.
func (d document) html(node *yaml.Node, names ...string) template.HTML {
	return markdown(d.text(node, names...))
}

// json returns a value of the document as indented JSON, or "" for nil.
func (d document) json(node *yaml.Node) (string, error) {
	if node == nil {
		return "", nil
	}
	var compact, indented bytes.Buffer
	if err := writeNode(&compact, node); err != nil {
		return "", err
	}
	if err := json.Indent(&indented, compact.Bytes(), "", "  "); err != nil {
		return "", err
	}
	return indented.String(), nil
}

// members returns the members of an object in their order, or none for anything else.
func members(node *yaml.Node) iter.Seq2[string, *yaml.Node] {
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

// items returns the items of a list, or none for anything else.
func items(node *yaml.Node) []*yaml.Node {
	if node == nil || node.Kind != yaml.SequenceNode {
		return nil
	}
	return node.Content
}

func member(node *yaml.Node, name string) *yaml.Node {
	for found, value := range members(node) {
		if found == name {
			return value
		}
	}
	return nil
}

func valueOf(node *yaml.Node) string {
	if node == nil || node.Kind != yaml.ScalarNode {
		return ""
	}
	return node.Value
}

var codePattern = regexp.MustCompile("`([^`]+)`")

// markdown returns the HTML of the Markdown that the contract uses: paragraphs, lists with "- ", and `code`. All else is
// text.
func markdown(text string) template.HTML {
	var out strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		switch lines := strings.Split(block, "\n"); {
		case block == "":
		case strings.HasPrefix(block, "- "):
			out.WriteString("<ul>")
			for item := range strings.SplitSeq(strings.Join(lines, " "), " - ") {
				fmt.Fprintf(&out, "<li>%s</li>", inline(strings.TrimPrefix(item, "- ")))
			}
			out.WriteString("</ul>")
		default:
			fmt.Fprintf(&out, "<p>%s</p>", inline(strings.Join(lines, " ")))
		}
	}
	return template.HTML(out.String())
}

// inline returns a text of one paragraph as HTML.
func inline(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return codePattern.ReplaceAllString(template.HTMLEscapeString(text), "<code>$1</code>")
}
