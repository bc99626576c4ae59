package spec

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestExact(t *testing.T) {
	t.Parallel()
	cases := map[json.Number]bool{
		"0": true, "-0": true, "0.0": true, "0e9": true, "0.1": true, "1e2": true, "100": true, "-1.5E-3": true,
		"9007199254740992": true, "9007199254740993": false, "9007199254740994": true, "9007199254740993.5": false,
		"1e308": true, "1e309": false, "5e-324": true, "1e-400": false, "1e-999999999": false, "1e999999999": false,
		"1.00000000000000000001": false, "0.1000000000000000055511151231257827021181583404541015625": true,
		"0.10000000000000000": true, "1" + json.Number(strings.Repeat("0", 300)): true,
	}
	for n, want := range cases {
		if got := Exact(n); got != want {
			t.Errorf("exact(%s) = %v, want %v", n, got, want)
		}
	}
}

func TestBoundedNumber(t *testing.T) {
	t.Parallel()
	cases := map[json.Number]json.Number{
		"0": "0", "-0.0e999999999": "0", "1.5": "1.5", "1e2000": "1e2000", "1e400": "1e400",
		"1e99999999999999999999": "1e2000", "-3e2001": "-1e2000", "1e-99999999999999999999": "1e-2000",
		"-12e-3000": "-1e-2000",
	}
	for n, want := range cases {
		if got := BoundedNumber(n); got != want {
			t.Errorf("boundedNumber(%s) = %s, want %s", n, got, want)
		}
	}
}
