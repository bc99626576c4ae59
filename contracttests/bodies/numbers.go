package bodies

import (
	"math/big"
	"strings"

	"organizations-api/contracttests/spec"
)

// ratJSON writes n + step. The bounds of a document are decimals, and so is the result.
func ratJSON(n *big.Rat, step float64) string {
	sum := new(big.Rat).Add(n, new(big.Rat).SetFloat64(step))
	return decimalText(sum)
}

func decimalText(n *big.Rat) string {
	if n.IsInt() {
		return n.Num().String()
	}
	digits, _ := n.FloatPrec()
	return n.FloatString(digits)
}

// epsilon is so small that 1 and 1 + epsilon are the same float64.
var epsilon = big.NewRat(1, 1e18)

// numberBounds returns the bounds that the parts set for numbers.
func numberBounds(parts spec.Place) []*big.Rat {
	var out []*big.Rat
	for _, part := range parts {
		for _, bound := range []*big.Rat{part.Minimum, part.Maximum} {
			if bound != nil {
				out = append(out, bound)
			}
		}
	}
	return out
}

// bounds tries both sides of each bound of numbers.
func (p *sampler) bounds(part *spec.Schema) {
	if part.Minimum != nil {
		p.around(part, "minimum", part.Minimum)
	}
	if part.Maximum != nil {
		p.around(part, "maximum", part.Maximum)
	}
}

func (p *sampler) around(part *spec.Schema, keyword string, bound *big.Rat) {
	at := decimalText(bound)
	p.add(part, keyword, "at "+at, at)
	p.add(part, keyword, "one under "+at, ratJSON(bound, -1))
	p.add(part, keyword, "one over "+at, ratJSON(bound, 1))
	p.add(part, keyword, "a little under "+at, decimalText(new(big.Rat).Sub(bound, epsilon)))
	p.add(part, keyword, "a little over "+at, decimalText(new(big.Rat).Add(bound, epsilon)))
	p.add(part, keyword, "half under "+at, ratJSON(bound, -0.5))
	p.add(part, keyword, "at "+at+" as text", `"`+at+`"`)
	p.add(part, keyword, "at minus "+at, decimalText(new(big.Rat).Neg(bound)))
	if bound.IsInt() {
		p.add(part, keyword, "at "+at+" with a point", at+".0")
		p.add(part, keyword, "at "+at+" with an exponent", at+"0e-1")
		p.add(part, keyword, "ten times "+at, at+"e1")
		p.add(part, keyword, "one over "+at+" with an exponent", ratJSON(bound, 1)+"E0")
		p.add(part, keyword, "one under "+at+" with a point", ratJSON(bound, -1)+".000")
	}
}

// oddNumbers are forms and sizes of numbers that readers often get wrong.
var oddNumbers = []string{
	"0", "-0", "-0.0", "0e5", "1", "20", "20.0", "2e1", "2E+1", "200e-1", "0.2e2", "1.5", "1e0", "1.0e2",
	"1.00000000000000000001", "0.99999999999999999999", "1e400", "-1e400", "1e-400", "1.7976931348623157e308",
	"1.7976931348623159e308", "1e999999999", "1e-999999999",
	"2147483647", "2147483648", "4294967296", "4294967297", "9007199254740991", "9007199254740992", "9007199254740993",
	"9223372036854775807", "9223372036854775808", "18446744073709551616", "18446744073709551617", "-1",
	"-9223372036854775809",
	"1234567890123456789012345", "0.1", "1" + strings.Repeat("0", 400), "0." + strings.Repeat("0", 400) + "1",
}

// brokenNumbers look like numbers and are not JSON.
var brokenNumbers = []string{
	"01", "-01", "+1", ".5", "5.", "1e", "1e+", "-", "--1", "0x10", "1_000", "NaN", "Infinity", "-Infinity", "1.2.3",
	"１", "1f",
}

func (p *sampler) numbers() {
	for _, text := range oddNumbers {
		side := text
		if len(side) > 30 {
			side = side[:10] + " and more digits"
		}
		p.add(nil, "number", side, text)
		p.add(nil, "number", side+" as text", `"`+text+`"`)
	}
	for _, text := range brokenNumbers {
		p.unreadable(text, text)
	}
}
