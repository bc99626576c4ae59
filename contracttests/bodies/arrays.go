package bodies

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func arrayText(items []string) string { return "[" + strings.Join(items, ",") + "]" }

// exampleItems returns the items of a valid array, at least one where the parts allow it, as far as there are any.
func exampleItems(parts []*bodySchema, depth int) ([]string, bool) {
	n := 1
	for _, part := range parts {
		n = max(n, len(part.prefixItems))
		if part.minItems != nil {
			n = max(n, *part.minItems)
		}
	}
	for _, part := range parts {
		if part.maxItems != nil {
			n = min(n, *part.maxItems)
		}
	}
	return fillItems(parts, n, depth)
}

// fillItems returns n items that the parts take each, all different, and one that contains asks for.
func fillItems(parts []*bodySchema, n, depth int) ([]string, bool) {
	if depth > maxExampleDepth {
		return nil, false
	}
	var out []string
	for i := range n {
		text, ok := itemText(parts, out, i, depth)
		if !ok {
			return nil, false
		}
		out = append(out, text)
	}
	for _, part := range parts {
		if part.contains == nil || slices.ContainsFunc(out, part.contains.taken) || n == 0 {
			continue
		}
		text, ok := part.contains.example(depth + 1)
		if !ok {
			return nil, false
		}
		out[n-1] = text
	}
	return out, true
}

// itemText returns a valid item that is not among the others.
func itemText(parts []*bodySchema, others []string, i, depth int) (string, bool) {
	schema := itemOf(parts, i)
	candidates := []string{strconv.Itoa(i + 1), jsonText(fmt.Sprintf("text %d", i))}
	if schema != nil {
		if text, ok := schema.example(depth + 1); ok {
			candidates = append([]string{text}, candidates...)
		}
		candidates = append(candidates, simpleTexts(schema.inPlace())...)
	}
	for _, text := range candidates {
		if (schema == nil || schema.taken(text)) && !slices.Contains(others, text) {
			return text, true
		}
	}
	return "", false
}

// itemOf returns the schema of an item by all that the parts say of it, nil where they leave it free.
func itemOf(parts []*bodySchema, i int) *bodySchema {
	var found []*bodySchema
	for _, part := range parts {
		if s := part.itemSchema(i); s != nil {
			found = append(found, s)
		}
	}
	return conjunction(found)
}

// arrays tries both sides of the keywords of arrays. Items are places of their own.
func (p *sampler) arrays(part *bodySchema) {
	fill := func(keyword, side string, n int) {
		if items, ok := fillItems(p.parts, n, 0); ok && n >= 0 {
			p.add(part, keyword, side, arrayText(items))
		}
	}
	if part.minItems != nil {
		fill("minItems", fmt.Sprintf("at %d", *part.minItems), *part.minItems)
		fill("minItems", fmt.Sprintf("one under %d", *part.minItems), *part.minItems-1)
	}
	if part.maxItems != nil {
		fill("maxItems", fmt.Sprintf("at %d", *part.maxItems), *part.maxItems)
		fill("maxItems", fmt.Sprintf("one over %d", *part.maxItems), *part.maxItems+1)
	}
	if part.uniqueItems {
		p.repeated(part)
	}
	if part.contains != nil {
		p.containing(part)
	}
}

func (p *sampler) repeated(part *bodySchema) {
	items, ok := fillItems(p.parts, 2, 0)
	if !ok {
		return
	}
	p.add(part, "uniqueItems", "different items", arrayText(items))
	for i, item := range items {
		p.add(part, "uniqueItems", fmt.Sprintf("item %d twice", i), arrayText([]string{item, item}))
	}
	p.add(part, "uniqueItems", "1 and 1.0", "[1,1.0]")
	p.add(part, "uniqueItems", "1 and true", "[1,true]")
}

func (p *sampler) containing(part *bodySchema) {
	items, ok := exampleItems(p.parts, 0)
	if !ok || len(items) == 0 {
		return
	}
	p.add(part, "contains", "one of them", arrayText(items))
	p.add(part, "contains", "no item", "[]")
	rest := slices.DeleteFunc(slices.Clone(items), part.contains.taken)
	for len(rest) < len(items) {
		text, ok := refusedBy(part.contains, itemOf(p.parts, len(rest)))
		if !ok {
			return
		}
		rest = append(rest, text)
	}
	p.add(part, "contains", "none of them", arrayText(rest))
}

// refusedBy returns a text that one schema refuses and another, if there is one, takes.
func refusedBy(refusing, taking *bodySchema) (string, bool) {
	candidates := []string{"null", `"text"`, "0.5", "[]", "{}"}
	if taking != nil {
		candidates = append(simpleTexts(taking.inPlace()), candidates...)
	}
	for _, text := range candidates {
		if !refusing.taken(text) && (taking == nil || taking.taken(text)) {
			return text, true
		}
	}
	return "", false
}
