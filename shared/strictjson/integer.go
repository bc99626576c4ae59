package strictjson

import (
	"strconv"
	"strings"
)

// Integer returns a number as an integer in the sense of JSON Schema: a number without a fractional part, however it is
// written. So 20, 20.0 and 2e1 are the same. ok is false if the value is not a number or has a fractional part. Nothing
// is rounded. If the number is beyond ±limit, the result is ±(limit+1), which is enough to compare with limit, and
// takes no longer than reading the text. The limit must be positive.
func (v Value) Integer(limit int64) (n int64, ok bool) {
	if v.Kind() != Number {
		return 0, false
	}
	digits, exponent, negative := decimal(v.Text())
	if digits == "" {
		return 0, true
	}
	if exponent < 0 {
		return 0, false
	}
	n = magnitude(digits, exponent, limit)
	if negative {
		n = -n
	}
	return n, true
}

// decimal splits a number into digits × 10^exponent. The digits start and end with a digit other than 0. Zero has no
// digits. An exponent beyond ±1e9 is cut to ±1e9: no text has enough digits to make up for the difference.
func decimal(text string) (digits string, exponent int64, negative bool) {
	text, negative = strings.CutPrefix(text, "-")
	mantissa, power := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, power = text[:i], text[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	exponent = parseExponent(power) - int64(len(fraction))
	trimmed := strings.TrimRight(digits, "0")
	exponent += int64(len(digits) - len(trimmed))
	return trimmed, exponent, negative
}

func parseExponent(power string) int64 {
	const bound = 1_000_000_000
	if power == "" {
		return 0
	}
	n, err := strconv.ParseInt(power, 10, 64)
	if err != nil { // out of range: the text was checked
		n = bound
		if power[0] == '-' {
			n = -bound
		}
	}
	return min(max(n, -bound), bound)
}

// magnitude returns digits × 10^exponent, or limit+1 if that is more than limit.
func magnitude(digits string, exponent, limit int64) int64 {
	const int64Digits = 19
	if int64(len(digits))+exponent > int64Digits {
		return limit + 1
	}
	n, err := strconv.ParseInt(digits+strings.Repeat("0", int(exponent)), 10, 64)
	if err != nil || n > limit {
		return limit + 1
	}
	return n
}
