package template_test

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

type (
	object = map[string]any
	list   = []any
)

// noValue stands for AWS::NoValue: a member or an element that is left out.
type noValue struct{}

// fromYAML returns what a template in YAML is in JSON: a short form such as !Ref X becomes {"Ref": "X"}.
func fromYAML(node *yaml.Node) any {
	if node.Kind == yaml.DocumentNode {
		return fromYAML(node.Content[0])
	}
	value := plain(node)
	name, isFunction := strings.CutPrefix(node.Tag, "!")
	switch {
	case !isFunction || strings.HasPrefix(name, "!"):
		return value
	case name == "Ref" || name == "Condition":
		return object{name: value}
	case name == "GetAtt":
		resource, attribute, _ := strings.Cut(node.Value, ".")
		return object{"Fn::GetAtt": list{resource, attribute}}
	default:
		return object{"Fn::" + name: value}
	}
}

func plain(node *yaml.Node) any {
	switch node.Kind {
	case yaml.MappingNode:
		members := object{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			members[node.Content[i].Value] = fromYAML(node.Content[i+1])
		}
		return members
	case yaml.SequenceNode:
		elements := list{}
		for _, child := range node.Content {
			elements = append(elements, fromYAML(child))
		}
		return elements
	default:
		return node.Value
	}
}

// stack is a template with the values of its parameters.
type stack struct {
	template   object
	parameters map[string]string
}

// newStack returns the template's stack with these parameters, and the defaults of the others.
func newStack(template object, given map[string]string) stack {
	parameters := map[string]string{}
	for name, declared := range members(template["Parameters"]) {
		parameters[name] = text(members(declared)["Default"])
	}
	maps.Copy(parameters, given)
	return stack{template, parameters}
}

// members returns v as an object, or an empty object if v is something else.
func members(v any) object {
	o, _ := v.(object)
	return o
}

func elements(v any) list {
	l, _ := v.(list)
	return l
}

// text returns a scalar as CloudFormation compares it.
func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// function returns the name and the argument of an intrinsic function, or "".
func function(v any) (name string, argument any) {
	o, _ := v.(object)
	if len(o) != 1 {
		return "", nil
	}
	for name, argument := range o {
		if name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::") {
			return name, argument
		}
	}
	return "", nil
}

// holds evaluates a condition: its name, or a function.
func (s stack) holds(condition any) bool {
	if name, ok := condition.(string); ok {
		return s.holds(members(s.template["Conditions"])[name])
	}
	name, argument := function(condition)
	all := elements(argument)
	switch name {
	case "Condition":
		return s.holds(argument)
	case "Fn::Equals":
		return text(s.resolve(all[0])) == text(s.resolve(all[1]))
	case "Fn::Not":
		return !s.holds(all[0])
	case "Fn::And":
		return !slices.ContainsFunc(all, func(c any) bool { return !s.holds(c) })
	case "Fn::Or":
		return slices.ContainsFunc(all, s.holds)
	default:
		panic(fmt.Sprintf("a condition of an unknown function: %v", condition))
	}
}

// resolve returns v with the values of parameters instead of references to them, and with the branches that Fn::If
// takes. References to resources stay.
func (s stack) resolve(v any) any {
	switch name, argument := function(v); name {
	case "Ref":
		if value, ok := s.parameters[text(argument)]; ok {
			return value
		}
		if argument == "AWS::NoValue" {
			return noValue{}
		}
	case "Fn::If":
		branches := elements(argument)
		if s.holds(branches[0]) {
			return s.resolve(branches[1])
		}
		return s.resolve(branches[2])
	}
	switch v := v.(type) {
	case object:
		resolved := object{}
		for name, member := range v {
			if r := s.resolve(member); r != (any)(noValue{}) {
				resolved[name] = r
			}
		}
		return resolved
	case list:
		resolved := list{}
		for _, element := range v {
			if r := s.resolve(element); r != (any)(noValue{}) {
				resolved = append(resolved, r)
			}
		}
		return resolved
	default:
		return v
	}
}

// resources returns the resources that the stack has, resolved.
func (s stack) resources() map[string]object {
	all := map[string]object{}
	for id, r := range members(s.template["Resources"]) {
		if condition, ok := members(r)["Condition"]; ok && !s.holds(condition) {
			continue
		}
		all[id] = members(s.resolve(r))
	}
	return all
}

// ofType returns the resources of the stack of a type.
func (s stack) ofType(kind string) map[string]object {
	all := s.resources()
	maps.DeleteFunc(all, func(_ string, r object) bool { return r["Type"] != kind })
	return all
}

// outputs returns the outputs that the stack has, resolved.
func (s stack) outputs() map[string]any {
	all := map[string]any{}
	for name, output := range members(s.template["Outputs"]) {
		if condition, ok := members(output)["Condition"]; !ok || s.holds(condition) {
			all[name] = s.resolve(members(output)["Value"])
		}
	}
	return all
}

// broken returns the rules that the parameters break, by their assertions' sentences.
func (s stack) broken() []string {
	var sentences []string
	for _, rule := range members(s.template["Rules"]) {
		if condition, ok := members(rule)["RuleCondition"]; ok && !s.holds(condition) {
			continue
		}
		for _, assertion := range elements(members(rule)["Assertions"]) {
			if !s.holds(members(assertion)["Assert"]) {
				sentences = append(sentences, text(members(assertion)["AssertDescription"]))
			}
		}
	}
	slices.Sort(sentences)
	return sentences
}

var substituted = regexp.MustCompile(`\$\{([A-Za-z0-9:]+)(\.[A-Za-z0-9.]+)?\}`)

// references returns the logical ids that a resolved value refers to, pseudo parameters excepted.
func references(v any) []string {
	found := map[string]bool{}
	note := func(id string) { found[id] = true }
	switch name, argument := function(v); name {
	case "Ref":
		note(text(argument))
	case "Fn::GetAtt":
		id, _, _ := strings.Cut(text(argument), ".")
		if parts := elements(argument); len(parts) > 0 {
			id = text(parts[0])
		}
		note(id)
	case "Fn::Sub":
		names := object{}
		body := text(argument)
		if parts := elements(argument); len(parts) == 2 {
			body, names = text(parts[0]), members(parts[1])
		}
		for _, match := range substituted.FindAllStringSubmatch(body, -1) {
			if _, local := names[match[1]]; !local {
				note(match[1])
			}
		}
		for _, value := range names {
			for _, id := range references(value) {
				note(id)
			}
		}
	default:
		var children list
		switch v := v.(type) {
		case object:
			children = slices.Collect(maps.Values(v))
		case list:
			children = v
		}
		for _, child := range children {
			for _, id := range references(child) {
				note(id)
			}
		}
	}
	maps.DeleteFunc(found, func(id string, _ bool) bool { return strings.HasPrefix(id, "AWS::") })
	return slices.Sorted(maps.Keys(found))
}

// needs returns what each resource refers to or waits for. The second result names references that end nowhere.
func (s stack) needs() (edges map[string][]string, dangling []string) {
	all := s.resources()
	edges = map[string][]string{}
	follow := func(from string, v any) {
		for _, id := range references(v) {
			_, isParameter := s.parameters[id]
			switch _, isResource := all[id]; {
			case isResource:
				edges[from] = append(edges[from], id)
			case !isParameter:
				dangling = append(dangling, from+" refers to "+id)
			}
		}
	}
	for id, r := range all {
		follow(id, list{r["Properties"], r["UpdatePolicy"]})
		waits := r["DependsOn"]
		if name, ok := waits.(string); ok {
			waits = list{name}
		}
		for _, other := range elements(waits) {
			follow(id, object{"Ref": other})
		}
	}
	for name, value := range s.outputs() {
		follow("output "+name, value)
	}
	slices.Sort(dangling)
	return edges, dangling
}

// cycle returns a circle of references, or nil.
func cycle(edges map[string][]string) []string {
	const under, done = 1, 2
	state := map[string]int{}
	var path []string
	var walk func(id string) []string
	walk = func(id string) []string {
		path = append(path, id)
		defer func() { path = path[:len(path)-1] }()
		state[id] = under
		for _, next := range edges[id] {
			switch state[next] {
			case under:
				return append(slices.Clone(path[slices.Index(path, next):]), next)
			case 0:
				if found := walk(next); found != nil {
					return found
				}
			}
		}
		state[id] = done
		return nil
	}
	for _, id := range slices.SortedFunc(maps.Keys(edges), cmp.Compare[string]) {
		if state[id] == 0 {
			if found := walk(id); found != nil {
				return found
			}
		}
	}
	return nil
}
