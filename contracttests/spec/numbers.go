package spec

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// maxExponent is beyond the range of a float64 and small enough for exact arithmetic.
const maxExponent = 2000

// maxInteger is the largest integer that every reader of JSON holds exactly (RFC 7493, section 2.2).
var maxInteger = big.NewInt(1<<53 - 1)

// decimal is a JSON number: a sign, digits without zeros at either end, and the power of ten to multiply them with.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// ParseDecimal reads a JSON number. It cuts exponents that do not fit into an int, because no digits can make up for
// them.
func ParseDecimal(literal string) decimal {
	rest, negative := strings.CutPrefix(literal, "-")
	exponent := 0
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		exponent = parseExponent(rest[i+1:])
		rest = rest[:i]
	}
	whole, fraction, _ := strings.Cut(rest, ".")
	digits := whole + fraction
	exponent -= len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(trimmed)
	trimmed = strings.TrimLeft(trimmed, "0")
	if trimmed == "" {
		return decimal{}
	}
	return decimal{negative, trimmed, exponent}
}

func parseExponent(text string) int {
	e, err := strconv.Atoi(text)
	if err == nil {
		return max(min(e, math.MaxInt32), math.MinInt32)
	}
	if strings.HasPrefix(text, "-") {
		return math.MinInt32
	}
	return math.MaxInt32
}

// magnitude is the power of ten of the first digit.
func (d decimal) magnitude() int { return d.exponent + len(d.digits) }

// Integer reports whether the value is a whole number, however it is written.
func (d decimal) Integer() bool { return d.digits == "" || d.exponent >= 0 }

// exactDigits is how long a whole number may be, with its sign, so that every sort of reader holds it exactly.
const exactDigits = 15

// PlainInteger reports whether a JSON number is written as digits alone, and so few that every reader holds it exactly.
func PlainInteger(n json.Number) bool {
	if len(n) > exactDigits {
		return false
	}
	for _, c := range strings.TrimPrefix(string(n), "-") {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// Exact reports whether a number survives being read as a float64. It does if the float64 equals the number, or if the
// shortest text of the float64 does.
func Exact(n json.Number) bool {
	f, err := n.Float64()
	if err != nil {
		return false
	}
	d := ParseDecimal(n.String())
	if d == ParseDecimal(strconv.FormatFloat(f, 'e', -1, 64)) {
		return true
	}
	if d.exponent < -maxExponent {
		return false
	}
	rat, ok := new(big.Rat).SetString(n.String())
	return ok && rat.Cmp(new(big.Rat).SetFloat64(f)) == 0
}

// WithinInteger reports whether every reader of JSON holds a whole number exactly.
func WithinInteger(n json.Number) bool {
	d := ParseDecimal(n.String())
	if d.magnitude() > 20 {
		return false
	}
	value, ok := new(big.Rat).SetString(n.String())
	return ok && value.Num().CmpAbs(maxInteger) <= 0
}

// integerFormat returns the check for the format of integers with so many bits. It accepts values that are not whole
// numbers, because the type judges them.
func integerFormat(bits uint) func(any) error {
	end := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return func(value any) error {
		if !isNumber(value) {
			return nil
		}
		n, ok := new(big.Rat).SetString(fmt.Sprint(value))
		if !ok || !n.IsInt() {
			return nil
		}
		if n.Num().Cmp(end) >= 0 || new(big.Int).Neg(end).Cmp(n.Num()) > 0 {
			return fmt.Errorf("it does not fit %d bits", bits)
		}
		return nil
	}
}

// BoundedNumber returns the number. If its exponent is too large for exact arithmetic, it returns another number of the
// same sign that is also larger than every float64, or also too small for one.
func BoundedNumber(n json.Number) json.Number {
	d := ParseDecimal(n.String())
	sign := ""
	if d.negative {
		sign = "-"
	}
	switch {
	case d.digits == "":
		return "0"
	case d.exponent > maxExponent:
		return json.Number(sign + "1e" + strconv.Itoa(maxExponent))
	case d.exponent < -maxExponent-len(n):
		return json.Number(sign + "1e-" + strconv.Itoa(maxExponent))
	default:
		return n
	}
}
