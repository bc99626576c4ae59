// Package base62 makes and checks strings of letters and digits. Identifiers and API keys consist of them.
//
// It must import nothing but the standard library.
package base62

import "crypto/rand"

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Random returns n random characters from the operating system's secure source. All characters are equally likely, so
// each has 5.95 bits of entropy. Random is safe for concurrent use.
func Random(n int) string {
	const fair = 256 - 256%len(alphabet) // with larger bytes the first characters would be more likely than the last
	out := make([]byte, 0, n)
	var pool [64]byte
	for len(out) < n {
		rand.Read(pool[:]) // never returns an error: crypto/rand would end the process
		for _, b := range pool {
			if int(b) < fair && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// Uint32Width is the length of the strings that Uint32 returns. Six are enough, as 62^6 is more than 2^32.
const Uint32Width = 6

// Uint32 returns n to the base 62, in six characters, the most significant first.
func Uint32(n uint32) string {
	var out [Uint32Width]byte
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = alphabet[n%uint32(len(alphabet))]
		n /= uint32(len(alphabet))
	}
	return string(out[:])
}

// Valid reports whether s consists of n ASCII letters or digits.
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
