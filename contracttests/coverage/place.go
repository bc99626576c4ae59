package coverage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// coveredPlace is one place in the values of a schema: the whole value, a property, all items of an array, or all
// members of an object without a property of their own.
type coveredPlace struct {
	pointer  string // JSON pointer, with * for any item and any other member
	name     string
	property bool // can be absent
	required bool
	types    []string
	members  []*coveredPlace // in the order of the document
	byName   map[string]*coveredPlace
	rest     *coveredPlace // members that no property names
	items    *coveredPlace
	keywords []*coveredKeyword
	enum     []*coveredValue

	value, null, absent atomic.Int64
}

// coveredValue is one value of an enum.
type coveredValue struct {
	text string
	key  string // as valueKey returns it
	seen atomic.Int64
}

func newCoveredPlace(pointer, name string) *coveredPlace {
	return &coveredPlace{pointer: pointer, name: name, byName: map[string]*coveredPlace{}}
}

// where names the place for people.
func (p *coveredPlace) where() string {
	if p.pointer != "" {
		return p.pointer
	}
	if p.name != "" {
		return p.name
	}
	return "(whole)"
}

func (p *coveredPlace) nullable() bool {
	return slices.Contains(p.types, "null") || slices.ContainsFunc(p.enum,
		func(v *coveredValue) bool { return v.key == "null" })
}

// drop removes the keyword of that name.
func (p *coveredPlace) drop(keyword string) {
	p.keywords = slices.DeleteFunc(p.keywords, func(k *coveredKeyword) bool { return k.name == keyword })
}

func (p *coveredPlace) child(name string) *coveredPlace {
	return newCoveredPlace(p.pointer+judge.Pointer([]string{name}), name)
}

func (p *coveredPlace) member(name string) *coveredPlace {
	m := p.byName[name]
	if m == nil {
		m = p.child(name)
		m.property = true
		p.byName[name] = m
		p.members = append(p.members, m)
	}
	return m
}

// complete finishes the place once all its schemas are read.
func (p *coveredPlace) complete() {
	for _, next := range p.below() {
		next.complete()
	}
	if len(p.types) > 0 && len(p.types) < len(spec.TypeNames) {
		k := &coveredKeyword{name: "type", bound: strings.Join(p.types, " or ")}
		p.keywords = slices.Insert(p.keywords, 0, k)
	}
	whole := slices.Contains(p.types, "integer") && !slices.Contains(p.types, "number")
	for _, k := range p.keywords {
		k.whole = k.whole || whole
	}
}

// below returns the places one level down.
func (p *coveredPlace) below() []*coveredPlace {
	all := slices.Clone(p.members)
	for _, next := range []*coveredPlace{p.rest, p.items} {
		if next != nil {
			all = append(all, next)
		}
	}
	return all
}

// all returns the place and all places inside it.
func (p *coveredPlace) all() []*coveredPlace {
	out := []*coveredPlace{p}
	for _, next := range p.below() {
		out = append(out, next.all()...)
	}
	return out
}

// count counts a value and the values inside it.
func (p *coveredPlace) count(value any) { p.walk(value, (*coveredPlace).add) }

// add counts a value of the place itself.
func (p *coveredPlace) add(value any) {
	if value == nil {
		p.null.Add(1)
	} else {
		p.value.Add(1)
	}
	if len(p.enum) == 0 {
		return
	}
	key := valueKey(value)
	for _, v := range p.enum {
		if v.key == key {
			v.seen.Add(1)
		}
	}
}

// walk calls visit for every part of a value that has a place, and counts the absent properties.
func (p *coveredPlace) walk(value any, visit func(*coveredPlace, any)) {
	visit(p, value)
	switch value := value.(type) {
	case map[string]any:
		for _, m := range p.members {
			if member, ok := value[m.name]; ok {
				m.walk(member, visit)
			} else {
				m.absent.Add(1)
			}
		}
		if p.rest == nil {
			return
		}
		for name, member := range value {
			if p.byName[name] == nil {
				p.rest.walk(member, visit)
			}
		}
	case []any:
		if p.items == nil {
			return
		}
		for _, item := range value {
			p.items.walk(item, visit)
		}
	}
}

// find returns the place of a part of a value, or nil.
func (p *coveredPlace) find(path []string) *coveredPlace {
	for _, token := range path {
		_, err := strconv.Atoi(token)
		switch {
		case p.byName[token] != nil:
			p = p.byName[token]
		case p.rest != nil:
			p = p.rest
		case p.items != nil && err == nil:
			p = p.items
		default:
			return nil
		}
	}
	return p
}

// permits reports whether a value is of a type that the place declares.
func (p *coveredPlace) permits(value any) bool {
	if len(p.types) == 0 {
		return true
	}
	typ := spec.TypeOf(value)
	n, number := value.(json.Number)
	return slices.Contains(p.types, typ) ||
		number && slices.Contains(p.types, "integer") && spec.ParseDecimal(n.String()).Integer()
}

// valueKey returns a text that is equal for equal scalars. It returns "" for objects and arrays.
func valueKey(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(value)
	case json.Number:
		return fmt.Sprint(spec.ParseDecimal(value.String()))
	case string:
		return strconv.Quote(value)
	default:
		return ""
	}
}

// valueText writes a scalar for a report.
func valueText(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	if n, ok := value.(json.Number); ok {
		return n.String()
	}
	return valueKey(value)
}
