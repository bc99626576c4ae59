package organization

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Bounds of what a caller may set. Lengths of text are in characters (Unicode code points, as JSON Schema counts them),
// sizes of objects in bytes of compact JSON. Together they keep a record far below DynamoDB's 400 KB for an item.
const (
	MaxNameLength  = 100
	MaxURLLength   = 2048
	MaxObjectSize  = 64 << 10
	MaxObjectDepth = 32 // the object itself is the first level
)

// Bounds of email addresses: RFC 5321, sections 4.5.3.1.1 and 4.5.3.1.3 (less the angle brackets of a path), and RFC
// 1035, section 2.3.4.
const (
	maxEmailLength = 254
	maxLocalLength = 64
	maxLabelLength = 63
)

// CheckName says what is wrong with a display name: it has 1 to MaxNameLength characters, in UTF-8.
func CheckName(name string) error {
	if !utf8.ValidString(name) {
		return errors.New("a name must be UTF-8")
	}
	if n := utf8.RuneCountInString(name); n < 1 || n > MaxNameLength {
		return errors.New("a name has 1 to 100 characters")
	}
	return nil
}

// CheckEmail says what is wrong with an email address. It accepts the addr-spec of a mailbox as it is in everyday use: a
// dot-atom of at most 64 characters (RFC 5322, section 3.2.3), an @, and a host name (RFC 1123, section 2.1) with a dot
// that ends in a letter, as all public ones do, all in ASCII. Quoted local parts, address literals, display names and
// comments are refused, as are international addresses.
//
// An address is answered for as long as it is kept, and a client that checks the email format must be able to read that
// answer. So this accepts no form that ajv-formats or Python's email-validator, which Pydantic uses, refuses: ajv-formats
// wants the dot, email-validator wants the letter too. What email-validator knows beyond form is left to it: names of
// special use, such as .local, and labels with a double hyphen in the third place that are no Punycode.
func CheckEmail(address string) error {
	local, domain, found := strings.Cut(address, "@")
	switch {
	case !found:
		return errors.New("it has no @")
	case len(address) > maxEmailLength:
		return errors.New("it is longer than 254 characters")
	case local == "":
		return errors.New("nothing comes before the @")
	case len(local) > maxLocalLength:
		return errors.New("more than 64 characters come before the @")
	case !isDotAtom(local):
		return errors.New("what comes before the @ has a character that cannot stand there")
	case !isHostname(domain):
		return errors.New("what comes after the @ is not a host name")
	case !strings.Contains(domain, ".") || !letter(domain[len(domain)-1]):
		return errors.New("what comes after the @ must have a dot and end in a letter")
	}
	return nil
}

func isDotAtom(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			if c := atom[i]; !alphanumeric(c) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) < 0 {
				return false
			}
		}
	}
	return true
}

func isHostname(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabelLength || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !alphanumeric(c) && c != '-' {
				return false
			}
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || letter(c)
}

func letter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
