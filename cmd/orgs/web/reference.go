package web

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"go.yaml.in/yaml/v4"

	"organizations-api/cmd/orgs/internal/term"
)

// reference is the page at /docs: all that the contract says, written out by the server. Only its forms that send
// requests need a script.
type reference struct {
	Version      string
	About        template.HTML
	Key          template.HTML // how to authenticate
	Operations   []operation
	Errors       []answer // those that operations share
	ErrorSchemas []schema
	Headers      []field // of responses
}

type operation struct {
	ID          string // such as "get", of the page's parts
	Method      string
	Path        string
	Summary     string
	Description template.HTML
	Parameters  []field
	Bodies      []body // in the order of preference; none for a read
	Answers     []answer
	Success     schema // of the answer 200
	SuccessAs   string // the ID of an operation before it whose answer 200 has the same schema; "": there is none
	Example     string // of the answer 200
}

// body is a request body of one media type.
type body struct {
	MediaType string
	Schema    schema
	Example   string // JSON
}

// answer is a response with one status.
type answer struct {
	Status      string
	Name        string // such as "Not Found"
	Description template.HTML
	Headers     []string
	Example     string // JSON; "" if the answer has no body
	Schema      string // the title of the body's schema
	Shared      bool   // it is among the errors
}

// schema is an object with fields.
type schema struct {
	Title       string
	Description template.HTML
	Fields      []field
}

// field is a member of an object, a parameter or a header.
type field struct {
	Name        string // with the names of the objects around it, such as "rate_limits.search"
	Type        string
	Required    bool
	Rules       []string // such as "1 to 100 characters"
	Example     string
	Description template.HTML
}

// errorSchemas are the bodies of errors, by their names in the contract.
var errorSchemas = []string{"ErrorResponse", "HTTPValidationError"}

// newReference reads the contract. It returns an error for a contract without operations or with an example that is no
// JSON.
func newReference(contract []byte) (*reference, error) {
	d, err := readDocument(contract)
	if err != nil {
		return nil, err
	}
	r := &reference{
		Version: d.text(d.root, "info", "version"),
		About:   d.html(d.root, "info", "description"),
		Key:     d.html(d.root, "components", "securitySchemes", "ApiKey", "description"),
	}
	shared := make(map[string]bool) // statuses of r.Errors
	for path, operations := range members(d.at(d.root, "paths")) {
		for method, node := range members(operations) {
			o, err := d.operation(method, path, node)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			for _, a := range o.Answers {
				if a.Shared && !shared[a.Status] {
					shared[a.Status] = true
					r.Errors = append(r.Errors, a)
				}
			}
			for _, before := range r.Operations {
				if before.Success.Title == o.Success.Title {
					o.SuccessAs = before.ID
				}
			}
			r.Operations = append(r.Operations, o)
		}
	}
	if len(r.Operations) == 0 {
		return nil, errors.New("it has no operations")
	}
	for _, name := range errorSchemas {
		r.ErrorSchemas = append(r.ErrorSchemas, d.schema(d.at(d.root, "components", "schemas", name)))
	}
	r.Headers = d.headers()
	return r, nil
}

func (d document) operation(method, path string, node *yaml.Node) (operation, error) {
	o := operation{
		ID:          method,
		Method:      strings.ToUpper(method),
		Path:        path,
		Summary:     d.text(node, "summary"),
		Description: d.html(node, "description"),
	}
	for _, item := range items(d.at(node, "parameters")) {
		parameter := d.at(item)
		f := d.field(d.text(parameter, "name"), d.at(parameter, "schema"))
		f.Description = d.html(parameter, "description")
		f.Example = d.text(parameter, "example")
		f.Required = d.text(parameter, "required") == "true"
		o.Parameters = append(o.Parameters, f)
	}
	for mediaType, content := range members(d.at(node, "requestBody", "content")) {
		example, err := d.json(d.at(content, "example"))
		if err != nil {
			return o, err
		}
		o.Bodies = append(o.Bodies, body{mediaType, d.schema(d.at(content, "schema")), example})
	}
	for status, response := range members(d.at(node, "responses")) {
		a, err := d.answer(status, response)
		if err != nil {
			return o, err
		}
		if status == "200" {
			o.Example = a.Example
			o.Success = d.schema(d.at(response, "content", "application/json", "schema"))
		}
		o.Answers = append(o.Answers, a)
	}
	return o, nil
}

// answer returns a response. One that is a reference is shared between operations.
func (d document) answer(status string, node *yaml.Node) (answer, error) {
	code := 0
	if _, err := fmt.Sscan(status, &code); err != nil {
		return answer{}, fmt.Errorf("the status %s: %w", status, err)
	}
	a := answer{
		Status:      status,
		Name:        http.StatusText(code),
		Description: d.html(node, "description"),
		Schema:      d.text(node, "content", "application/json", "schema", "title"),
		Shared:      member(node, "$ref") != nil,
	}
	for name := range members(d.at(node, "headers")) {
		a.Headers = append(a.Headers, name)
	}
	var err error
	a.Example, err = d.json(d.at(node, "content", "application/json", "example"))
	return a, err
}

// headers returns the headers that responses have, in the order in which responses name them first.
func (d document) headers() []field {
	var all []field
	seen := make(map[string]bool)
	for _, operations := range members(d.at(d.root, "paths")) {
		for _, node := range members(operations) {
			for _, response := range members(d.at(node, "responses")) {
				for name, reference := range members(d.at(response, "headers")) {
					if seen[name] {
						continue
					}
					seen[name] = true
					header := d.at(reference)
					f := d.field(name, d.at(header, "schema"))
					f.Description = d.html(header, "description")
					f.Example = d.text(header, "example")
					all = append(all, f)
				}
			}
		}
	}
	return all
}

func (d document) schema(node *yaml.Node) schema {
	return schema{d.text(node, "title"), d.html(node, "description"), d.fields(node, "")}
}

// fields returns the members of an object and of the objects in it. before comes before their names.
func (d document) fields(object *yaml.Node, before string) []field {
	required := make(map[string]bool)
	for _, name := range items(d.at(object, "required")) {
		required[name.Value] = true
	}
	var all []field
	written := make(map[*yaml.Node]bool) // two names of one object need its fields once
	for name, node := range members(d.at(object, "properties")) {
		f := d.field(before+name, node)
		f.Required = required[name]
		all = append(all, f)
		inner, suffix := d.value(node), ""
		if d.text(inner, "type") == "array" {
			inner, suffix = d.value(d.at(inner, "items")), "[]"
		}
		if !written[inner] {
			written[inner] = true
			all = append(all, d.fields(inner, before+name+suffix+".")...)
		}
	}
	return all
}

// value returns the schema of what is not null.
func (d document) value(node *yaml.Node) *yaml.Node {
	for _, choice := range items(d.at(node, "anyOf")) {
		if choice = d.at(choice); d.text(choice, "type") != "null" {
			return choice
		}
	}
	return d.at(node)
}

func (d document) field(name string, node *yaml.Node) field {
	f := field{Name: name, Type: d.typeOf(node), Rules: d.rules(d.value(node)), Description: d.html(node, "description")}
	if member(node, "description") != nil { // beside a reference
		f.Description = markdown(valueOf(member(node, "description")))
	}
	if value, err := d.json(d.at(node, "default")); err == nil && value != "" {
		f.Rules = append(f.Rules, "default "+value)
	}
	return f
}

// typeOf returns the type of a schema in words, such as "string or null".
func (d document) typeOf(node *yaml.Node) string {
	if choices := items(d.at(node, "anyOf")); len(choices) > 0 {
		var names []string
		for _, choice := range choices {
			names = append(names, d.typeOf(choice))
		}
		return strings.Join(names, " or ")
	}
	name := d.text(node, "type")
	if format := d.text(node, "format"); format != "" {
		return name + ", " + format
	}
	switch {
	case name == "array":
		return "array of " + d.typeOf(d.at(node, "items"))
	case name == "object" && d.text(node, "additionalProperties", "type") != "":
		return "object of " + d.text(node, "additionalProperties", "type") + "s"
	case name == "object" && d.at(node, "additionalProperties", "anyOf") != nil:
		return "object of (" + d.typeOf(d.at(node, "additionalProperties")) + ")"
	}
	return name
}

// rules returns the bounds of a schema in words. Patterns are left out, as the descriptions say what they mean.
func (d document) rules(node *yaml.Node) []string {
	var rules []string
	for _, bound := range []struct{ least, most, unit string }{
		{"minLength", "maxLength", " characters"}, {"minimum", "maximum", ""},
	} {
		least, most := grouped(d.text(node, bound.least)), grouped(d.text(node, bound.most))
		switch {
		case least != "" && most != "":
			rules = append(rules, least+" to "+most+bound.unit)
		case least != "":
			rules = append(rules, least+bound.unit+" or more")
		case most != "":
			rules = append(rules, "at most "+most+bound.unit)
		}
	}
	if value, err := d.json(d.at(node, "const")); err == nil && value != "" {
		rules = append(rules, "always "+value)
	}
	var values []string
	for _, value := range items(d.at(node, "enum")) {
		values = append(values, value.Value)
	}
	if len(values) > 0 {
		rules = append(rules, strings.Join(values, ", "))
	}
	return rules
}

// grouped returns a whole number with commas between thousands, and any other text unchanged.
func grouped(text string) string {
	var n int64
	if _, err := fmt.Sscan(text, &n); err != nil {
		return text
	}
	return term.Grouped(n)
}
