package organization

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"
)

// The bounds of what a caller may set. Lengths are in characters (Unicode code points, as in JSON Schema). The size of
// an object is in bytes of compact JSON. With these bounds a record stays far below DynamoDB's limit of 400 KB for an
// item.
const (
	MaxNameLength  = 100
	MaxURLLength   = 2048
	MaxObjectSize  = 64 << 10
	MaxObjectDepth = 32 // the object itself is the first level
)

// The bounds of what only the operator sets. The size of the list of users is in bytes of compact JSON.
const (
	MinCycleDay         = 1
	MaxCycleDay         = 31
	MaxUsersSize        = 16 << 10
	MaxProviderIDLength = 255
)

// The bounds of an email address, from RFC 5321, sections 4.5.3.1.1 and 4.5.3.1.3 (without the angle brackets of a
// path), and RFC 1035, section 2.3.4.
const (
	maxEmailLength = 254
	maxLocalLength = 64
	maxLabelLength = 63
)

// CheckName returns an error if name is not a display name: 1 to MaxNameLength characters, in UTF-8.
func CheckName(name string) error {
	if !utf8.ValidString(name) {
		return errors.New("a name must be UTF-8")
	}
	if n := utf8.RuneCountInString(name); n < 1 || n > MaxNameLength {
		return errors.New("a name has 1 to 100 characters")
	}
	return nil
}

// CheckLogoURL returns an error if s does not have 1 to MaxURLLength characters, in UTF-8. It need not be a URL: the
// contract asks for no more.
func CheckLogoURL(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("a logo URL must be UTF-8")
	}
	if n := utf8.RuneCountInString(s); n < 1 || n > MaxURLLength {
		return errors.New("a logo URL has 1 to 2048 characters")
	}
	return nil
}

// CheckAPIURL returns an error if s is not an absolute URL of the scheme http or https, of at most MaxURLLength
// visible ASCII characters.
func CheckAPIURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || !visible(s, MaxURLLength) {
		return errors.New("an API URL is such as https://eu.api.example.com, of at most 2048 visible ASCII characters")
	}
	return nil
}

// CheckProviderID returns an error if s is not 1 to MaxProviderIDLength visible ASCII characters.
func CheckProviderID(s string) error {
	if s == "" || !visible(s, MaxProviderIDLength) {
		return errors.New("an identifier of an authentication provider has 1 to 255 visible ASCII characters")
	}
	return nil
}

// visible reports whether s has at most most characters, all of them ASCII and visible (RFC 5234: VCHAR).
func visible(s string, most int) bool {
	return len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// CheckEmail returns an error that says what is wrong with an email address. It accepts the addr-spec of a mailbox as
// it is in everyday use, in ASCII:
//   - a dot-atom of at most 64 characters (RFC 5322, section 3.2.3)
//   - an @
//   - a host name (RFC 1123, section 2.1) that has a dot and ends in a letter, as all public host names do
//
// It refuses quoted local parts, address literals, display names, comments and international addresses.
//
// The service returns an address for as long as it is kept, and a client that checks the email format must be able to
// read that response. So CheckEmail accepts nothing that ajv-formats or Python's email-validator (which Pydantic uses)
// refuses. Both want the dot. email-validator also wants the letter, and refuses the domains of reservedDomains and
// reserved labels (RFC 5890, section 2.3.1: "--" in the third place) that do not start with xn--. CheckEmail does not
// check one of its rules: that the text after xn-- is Punycode.
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
	case isReserved(domain):
		return errors.New("what comes after the @ is reserved and can receive no mail from the internet")
	}
	return nil
}

// reservedDomains are the top-level domains for special use under which no host receives mail from the internet
// (RFC 6761, 6762 and 7686; for arpa, RFC 3172). RFC 6761 reserves .example for documentation and asks software to
// accept it, so it is not one of them.
var reservedDomains = [...]string{"arpa", "invalid", "local", "localhost", "onion", "test"}

// isReserved reports whether the host name is below a reserved domain, or has a reserved label.
func isReserved(host string) bool {
	last := ""
	for label := range strings.SplitSeq(host, ".") {
		last = label
		if len(label) >= 4 && label[2:4] == "--" && !strings.EqualFold(label[:2], "xn") {
			return true
		}
	}
	for _, domain := range reservedDomains {
		if strings.EqualFold(last, domain) {
			return true
		}
	}
	return false
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
