package web

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"organizations-api/shared/plainjson"

	"go.yaml.in/yaml/v4"
)

// contract serves the document. The address of its server is the one that the request was sent to, so that a program that
// imports the document sends its requests here.
type contract struct {
	mediaType     string
	before, after []byte // the address
}

// newContract returns the document, which has the address / once, between the two texts. start comes before the address;
// end is the address and what follows it.
func newContract(mediaType string, document []byte, start, end string) (contract, error) {
	place := []byte(start + end)
	if n := bytes.Count(document, place); n != 1 {
		return contract{}, fmt.Errorf("%s has the server / %d times, and must have it once", mediaType, n)
	}
	at := bytes.Index(document, place) + len(start)
	return contract{mediaType, document[:at], document[at+len("/"):]}, nil
}

var hostPattern = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$`)

func (c contract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	address := cmp.Or(addressOf(r), "/")
	newFile(c.mediaType, slices.Concat(c.before, []byte(address), c.after)).ServeHTTP(w, r)
}

// addressOf returns the URL of this gateway as the request has it, or "" if its host has no place in a document.
func addressOf(r *http.Request) string {
	if !hostPattern.MatchString(r.Host) {
		return ""
	}
	return "http://" + r.Host
}

// toJSON returns a YAML document in JSON, with its members in their order.
func toJSON(text []byte) ([]byte, error) {
	d, err := readDocument(text)
	if err != nil {
		return nil, err
	}
	out, err := d.json(d.root)
	return []byte(out + "\n"), err
}

func writeNode(out *bytes.Buffer, node *yaml.Node) error {
	switch node.Kind {
	case yaml.MappingNode:
		return writeAll(out, node, '{', '}')
	case yaml.SequenceNode:
		return writeAll(out, node, '[', ']')
	case yaml.ScalarNode:
		return writeScalar(out, node)
	default:
		return fmt.Errorf("line %d: aliases are not supported", node.Line)
	}
}

// writeAll writes the content of a node: values, or names and values in turn.
func writeAll(out *bytes.Buffer, node *yaml.Node, opening, closing byte) error {
	out.WriteByte(opening)
	for i, child := range node.Content {
		isName := node.Kind == yaml.MappingNode && i%2 == 0
		switch {
		case i == 0:
		case node.Kind == yaml.MappingNode && !isName:
			out.WriteByte(':')
		default:
			out.WriteByte(',')
		}
		if isName { // a name is a string, even if it looks like a number, such as 200
			child = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: child.Value, Line: child.Line}
		}
		if err := writeNode(out, child); err != nil {
			return err
		}
	}
	out.WriteByte(closing)
	return nil
}

func writeScalar(out *bytes.Buffer, node *yaml.Node) error {
	var value any = node.Value
	switch node.ShortTag() {
	case "!!null", "!!bool", "!!int", "!!float":
		if err := node.Decode(&value); err != nil {
			return fmt.Errorf("line %d: %w", node.Line, err)
		}
	}
	text, err := plainjson.Marshal(value)
	if err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	out.Write(text)
	return nil
}
