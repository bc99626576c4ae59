// Package base62 makes and checks the letters-and-digits strings that identifiers and API keys are built from.
//
// It must import nothing but the standard library.
package base62

import "crypto/rand"

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Random returns n characters, each drawn independently and uniformly from the operating system's secure source: 5.95
// bits of entropy a character. It is safe for concurrent use.
func Random(n int) string {
	const fair = 256 - 256%len(alphabet) // bytes from here on would favour the first characters
	out := make([]byte, 0, n)
	var pool [64]byte
	for len(out) < n {
		rand.Read(pool[:]) // never fails; crypto/rand ends the process instead
		for _, b := range pool {
			if int(b) < fair && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// Uint32Width is the length of every string that Uint32 returns: 62^6 is more than 2^32.
const Uint32Width = 6

// Uint32 returns n in six characters, most significant first.
func Uint32(n uint32) string {
	var out [Uint32Width]byte
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = alphabet[n%uint32(len(alphabet))]
		n /= uint32(len(alphabet))
	}
	return string(out[:])
}

// Valid reports whether s has n characters, all of them letters and digits of ASCII.
func Valid(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
