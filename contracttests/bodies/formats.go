package bodies

import (
	"math/big"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// bodyFormat is what the generator knows of a format.
type bodyFormat struct {
	takes func(text string) bool // nil: any text
	bits  uint                   // of an integer format; 0: any number
	try   []string               // texts on both sides
}

var (
	emailLocal    = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~` + "`" + `-]+(\.[A-Za-z0-9!#$%&'*+/=?^_{|}~` + "`" + `-]+)*$`)
	hostnameLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	publicName    = regexp.MustCompile(`[.].*[A-Za-z]$`)
	uuidForm      = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

func isEmail(text string) bool {
	local, domain, found := strings.Cut(text, "@")
	return found && len(text) <= 254 && len(local) <= 64 && emailLocal.MatchString(local) && isHostname(domain) && publicName.MatchString(domain)
}

func isHostname(text string) bool {
	if len(text) > 253 {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if !hostnameLabel.MatchString(label) {
			return false
		}
	}
	return true
}

func isTime(layout string) func(string) bool {
	return func(text string) bool {
		_, err := time.Parse(layout, text)
		return err == nil
	}
}

func isAddress(is func(netip.Addr) bool) func(string) bool {
	return func(text string) bool {
		address, err := netip.ParseAddr(text)
		return err == nil && is(address)
	}
}

func isURI(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.IsAbs()
}

// bodyFormats returns the formats that are understood. Some are said to be no more than a note: OpenAPI gives them no
// rule that a text could break. Texts about which checkers differ are not among those to try.
func bodyFormats() map[string]bodyFormat {
	label := strings.Repeat("d", 63)
	return map[string]bodyFormat{
		"email": {takes: isEmail, try: []string{
			"a@b.example", "A.b+c=d@E-f.example", "a@b.c", "1@2.3d", "a@b", "1@2", "a@1.2.3.4", "a@b.c1", "!#$%&'*+/=?^_`{|}~-@b.example", strings.Repeat("l", 64) + "@b.example",
			strings.Repeat("l", 65) + "@b.example", "a@" + label + ".example", "a@" + label + "d.example", "a@b--c.example",
			"a@" + label + "." + label + "." + label + "." + strings.Repeat("d", 60), "a@" + label + "." + label + "." + label + "." + strings.Repeat("d", 61),
			"nobody", "@b.example", "a@", "@", "a@b@c.example", "a b@c.example", ".a@b.example", "a.@b.example", "a..b@c.example", "a@-b.example",
			"a@b-.example", "a@b..example", "a@.b", "Ann <a@b.example>", "é@b.example", "a@é.example", "a@b.example\n", "\na@b.example",
			" a@b.example", "a@b.example ", "a@b_c.example", "a,b@c.example", "a@b.example\x00", "mailto:a@b.example", "a\r\nBcc:b@c.example",
		}},
		"hostname":  {takes: isHostname, try: []string{"a.example", "a", "1-2.example", label, label + "d", "-a", "a-", "a..b", "a_b", "é.example"}},
		"date":      {takes: isTime(time.DateOnly), try: []string{"2024-02-29", "2023-02-29", "2023-2-1", "2023-13-01", "20230101"}},
		"date-time": {takes: isTime(time.RFC3339), try: []string{"2024-02-29T00:00:00Z", "2024-02-29T23:59:59.123456+01:00", "2024-02-30T00:00:00Z", "2024-02-29T24:00:00Z", "2024-02-29T00:00:00", "2024-02-29 00:00:00Z", "2024-02-29"}},
		"uuid":      {takes: uuidForm.MatchString, try: []string{"123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g", ""}},
		"ipv4":      {takes: isAddress(netip.Addr.Is4), try: []string{"192.0.2.1", "0.0.0.0", "192.0.2.256", "192.0.2", "192.0.2.01", "::1"}},
		"ipv6":      {takes: isAddress(netip.Addr.Is6), try: []string{"2001:db8::1", "::", "2001:db8::g", "2001:db8:::1", "192.0.2.1"}},
		"uri":       {takes: isURI, try: []string{"https://a.example/b?c=d#e", "urn:a:b", "a.example", "/a", ""}},
		"int32":     {bits: 32},
		"int64":     {bits: 64},
		"float":     {}, "double": {}, "password": {}, "byte": {}, "binary": {},
	}
}

var formatTable = bodyFormats()

func knownFormat(name string) bool {
	_, ok := formatTable[name]
	return ok
}

// notable reports whether a format has two sides.
func (f bodyFormat) notable() bool { return f.takes != nil || f.bits > 0 }

func formatTakesText(name, text string) bool {
	takes := formatTable[name].takes
	return takes == nil || takes(text)
}

// formatTakesNumber leaves what is no whole number to the type.
func formatTakesNumber(name string, value *big.Rat) bool {
	bits := formatTable[name].bits
	if bits == 0 || !value.IsInt() {
		return true
	}
	end := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return value.Num().Cmp(end) < 0 && value.Num().Cmp(new(big.Int).Neg(end)) >= 0
}
