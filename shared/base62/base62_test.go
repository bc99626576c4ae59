package base62

import (
	"math"
	"testing"
)

func TestRandomIsUniform(t *testing.T) {
	t.Parallel()
	const n = 62_000
	counts := make(map[rune]int)
	for _, c := range Random(n) {
		counts[c]++
	}
	// 1,000 of each are expected with a standard deviation of 31; eight of those are out of reach of chance.
	for _, c := range alphabet {
		if counts[c] < 750 || counts[c] > 1250 {
			t.Errorf("Random(%d) has %d of %q, want about %d", n, counts[c], c, n/62)
		}
	}
}

func TestRandomLength(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 13, 64, 65, 1000} {
		if s := Random(n); !Valid(s, n) {
			t.Errorf("Random(%d) = %q, want %d letters and digits", n, s, n)
		}
	}
}

func TestUint32(t *testing.T) {
	t.Parallel()
	tests := map[uint32]string{0: "000000", 1: "000001", 61: "00000z", 62: "000010", math.MaxUint32: "4gfFC3"}
	for n, want := range tests {
		if got := Uint32(n); got != want {
			t.Errorf("Uint32(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestValid(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "abcd", "ab", "ab-", "ab_", "abé", "ab\x00", "ab ", "ab:", "ab@", "ab[", "ab`", "ab{"} {
		if Valid(s, 3) {
			t.Errorf("Valid(%q, 3) = true, want false", s)
		}
	}
	if !Valid("aZ9", 3) {
		t.Error(`Valid("aZ9", 3) = false, want true`)
	}
}
