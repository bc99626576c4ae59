package apikey

import (
	"math"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"organizations-api/shared/organization"
)

// secretOf returns the part of a key that nobody can guess.
func secretOf(t *testing.T, k Key) string {
	t.Helper()
	parts := strings.Split(k.Reveal(), "_")
	if len(parts) != 4 {
		t.Fatalf("a key has %d parts, want 4", len(parts))
	}
	return parts[3][:len(parts[3])-6] // without the checksum
}

// TestEntropyOfKeys: each of the 32 characters of a secret takes each of 62 values, and does not depend on its
// neighbour or the others. By chance a value is missing with a probability below 10^-15. The other bounds are equally
// safe.
func TestEntropyOfKeys(t *testing.T) {
	t.Parallel()
	const keys, length, values = 4000, 32, 62
	if bits := length * math.Log2(values); bits < 190 {
		t.Fatalf("a secret has %.1f bits, want 190", bits)
	}
	id, store := organization.NewID(), NewSecret()
	var taken [length]map[byte]bool
	var pairs [length]map[string]bool // of a character and the one before
	var equal [length][length]int     // how often two characters are equal
	for i := range length {
		taken[i], pairs[i] = make(map[byte]bool), make(map[string]bool)
	}
	for range keys {
		secret := secretOf(t, New(id, Live, store))
		if len(secret) != length {
			t.Fatalf("a secret has %d characters, want %d", len(secret), length)
		}
		for i := range length {
			taken[i][secret[i]] = true
			for j := range i {
				if secret[i] == secret[j] {
					equal[i][j]++
				}
			}
			if i > 0 {
				pairs[i][secret[i-1:i+1]] = true
			}
		}
	}
	for i := range length {
		for j := range i {
			// 65 on average, with a deviation of 8.
			if equal[i][j] > 200 {
				t.Errorf("characters %d and %d are equal in %d of %d keys", j, i, equal[i][j], keys)
			}
		}
		if len(taken[i]) != values {
			t.Errorf("character %d takes %d values, want %d", i, len(taken[i]), values)
		}
		// Of 62*62 pairs, 4,000 draws show 2,486 on average, with a deviation of 23.
		if i > 0 && len(pairs[i]) < 2200 {
			t.Errorf("characters %d and %d take %d pairs of values, want about 2,486", i-1, i, len(pairs[i]))
		}
	}
}

// TestRandomSource: all that is random in a key and its record comes from crypto/rand. When crypto/rand repeats itself,
// so do they, which a generator beside it would not; and when it does not, they differ.
func TestRandomSource(t *testing.T) {
	id := organization.NewID()
	made := func(seed uint64) [5]string {
		cryptotest.SetGlobalRandom(t, seed)
		secret := NewSecret()
		key := New(id, Live, secret)
		record := NewRecord(key, Read, time.Unix(0, 0), nil)
		return [5]string{key.Reveal(), secret.Reveal(), record.ID, string(organization.NewID()), organization.NewInternalID().Reveal()}
	}
	first, second, other := made(1), made(1), made(2)
	for i := range first {
		if first[i] != second[i] {
			t.Errorf("value %d is %s and %s from the same random bytes", i, first[i], second[i])
		}
		if first[i] == other[i] {
			t.Errorf("value %d is %s from all random bytes", i, first[i])
		}
	}
}
