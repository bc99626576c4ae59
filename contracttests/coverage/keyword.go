package coverage

import (
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// coveredKeyword is one keyword of a schema, at one place. It has two sides: the values that it accepts and the values
// that it refuses.
type coveredKeyword struct {
	name  string
	bound string         // as the document writes it
	limit *big.Rat       // of a bound; nil of other keywords
	whole bool           // what is compared is a whole number
	match *regexp.Regexp // of a pattern

	accepted, refused atomic.Int64
}

func newCoveredKeyword(name, text string) *coveredKeyword {
	k := &coveredKeyword{name: name, bound: text}
	if name == "pattern" {
		k.match, _ = regexp.Compile(text) // the judge alone knows a pattern that Go cannot read
	}
	if isBound(name) {
		k.limit, _ = new(big.Rat).SetString(string(spec.BoundedNumber(json.Number(text))))
		k.whole = strings.HasSuffix(name, "Length") || strings.HasSuffix(name, "Items") ||
			strings.HasSuffix(name, "Properties")
	}
	return k
}

func isBound(name string) bool {
	return name != "minContains" && name != "maxContains" &&
		(strings.HasPrefix(name, "min") || strings.HasPrefix(name, "max") || strings.HasPrefix(name, "exclusive"))
}

// refusable reports whether the keyword can refuse any value.
func (k *coveredKeyword) refusable() bool {
	counts := k.whole && k.limit != nil && (k.name == "minLength" || k.name == "minItems" || k.name == "minProperties")
	return !counts || k.limit.Sign() > 0
}

// accept counts an accepted value if it exercises the accepting side of the keyword.
func (k *coveredKeyword) accept(value any) {
	if k.limit == nil {
		if k.concerns(value) {
			k.accepted.Add(1)
		}
		return
	}
	if excess, ok := k.excess(value); ok && k.justFits(excess) {
		k.accepted.Add(1)
	}
}

// refuses reports whether a value exercises the refusing side of the keyword. For a bound that is the first value that
// does not fit. named says that the judge names the keyword. If a format is broken too, the judge names only one of
// several keywords.
func (k *coveredKeyword) refuses(value any, named bool) bool {
	if k.limit != nil {
		excess, ok := k.excess(value)
		return ok && k.justFails(excess)
	}
	if text, ok := value.(string); ok && k.match != nil {
		return !k.match.MatchString(text)
	}
	return named
}

var ratOne = big.NewRat(1, 1)

// excess returns how much larger a value is than a bound. It is negative if the value is inside the bound. excess
// returns false if the bound does not apply to the value.
func (k *coveredKeyword) excess(value any) (*big.Rat, bool) {
	size, ok := k.size(value)
	if !ok {
		return nil, false
	}
	if strings.HasPrefix(k.name, "min") || k.name == "exclusiveMinimum" {
		size = size.Sub(k.limit, size)
	} else {
		size = size.Sub(size, k.limit)
	}
	if k.exclusive() && k.whole {
		size = size.Add(size, ratOne) // more than 0 is at least 1
	}
	return size, true
}

func (k *coveredKeyword) exclusive() bool { return strings.HasPrefix(k.name, "exclusive") }

// justFits reports whether a value is the last one that fits. An exclusive bound for fractions has no last value, so
// any value inside it counts.
func (k *coveredKeyword) justFits(excess *big.Rat) bool {
	if k.exclusive() && !k.whole {
		return excess.Sign() < 0
	}
	return excess.Sign() == 0
}

// justFails reports whether a value is the first one that does not fit. Without a first one, any value that does not
// fit counts.
func (k *coveredKeyword) justFails(excess *big.Rat) bool {
	switch {
	case k.whole:
		return excess.Cmp(ratOne) == 0
	case k.exclusive():
		return excess.Sign() == 0
	default:
		return excess.Sign() > 0
	}
}

// size returns the size that a bound compares.
func (k *coveredKeyword) size(value any) (*big.Rat, bool) {
	count := -1
	switch value := value.(type) {
	case json.Number:
		if strings.HasSuffix(k.name, "imum") {
			return new(big.Rat).SetString(string(spec.BoundedNumber(value)))
		}
	case string:
		if strings.HasSuffix(k.name, "Length") {
			count = utf8.RuneCountInString(value)
		}
	case []any:
		if strings.HasSuffix(k.name, "Items") {
			count = len(value)
		}
	case map[string]any:
		if strings.HasSuffix(k.name, "Properties") {
			count = len(value)
		}
	}
	return new(big.Rat).SetInt64(int64(count)), count >= 0
}

// concerns reports whether a keyword, which is not a bound, judges values of that type.
func (k *coveredKeyword) concerns(value any) bool {
	typ := spec.TypeOf(value)
	switch k.name {
	case "pattern":
		return typ == "string"
	case "format":
		return typ == "string" || typ == "number"
	case "multipleOf":
		return typ == "number"
	case "uniqueItems", "contains", "items":
		return typ == "array"
	case "required", "additionalProperties", "unevaluatedProperties", "propertyNames", "dependentRequired":
		return typ == "object"
	default:
		return true
	}
}

// refuse counts the keywords of a place that a refusal exercises. Nothing except value is wrong with the request.
func (p *coveredPlace) refuse(value any, failures []judge.Failure) {
	for _, k := range p.keywords {
		named := slices.ContainsFunc(failures, func(f judge.Failure) bool { return p.isOf(f, k, value) })
		if k.refuses(value, named) {
			k.refused.Add(1)
		}
	}
}

// isOf reports whether the keyword causes a failure at the place.
func (p *coveredPlace) isOf(f judge.Failure, k *coveredKeyword, value any) bool {
	switch f.Keyword {
	case "anyOf", "oneOf": // perhaps no alternative has the type
		return k.name == "type" && !p.permits(value)
	case "required":
		return k.name == "required" && k.bound == f.Path[len(f.Path)-1]
	case "additionalProperties":
		return k.name == f.Keyword || k.name == "unevaluatedProperties"
	default:
		return k.name == f.Keyword
	}
}
