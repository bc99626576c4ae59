package bodies

import (
	"regexp"
	"strings"
)

// emailFormat is the only format that the generator understands.
const emailFormat = "email"

var (
	emailLocal = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~` + "`" + `-]+(\.[A-Za-z0-9!#$%&'*+/=?^_{|}~` +
		"`" + `-]+)*$`)
	hostnameLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	publicName    = regexp.MustCompile(`[.].*[A-Za-z]$`)
)

func isEmail(text string) bool {
	local, domain, found := strings.Cut(text, "@")
	return found && len(text) <= 254 && len(local) <= 64 && emailLocal.MatchString(local) && isHostname(domain) &&
		publicName.MatchString(domain)
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

// emailTexts are addresses, and texts that are almost addresses. Texts on which checkers disagree are left out.
var emailTexts = func() []string {
	label := strings.Repeat("d", 63)
	return []string{
		"a@b.example", "A.b+c=d@E-f.example", "a@b.c", "1@2.3d", "a@b", "1@2", "a@1.2.3.4", "a@b.c1",
		"!#$%&'*+/=?^_`{|}~-@b.example", strings.Repeat("l", 64) + "@b.example",
		strings.Repeat("l", 65) + "@b.example", "a@" + label + ".example", "a@" + label + "d.example", "a@b--c.example",
		"a@" + label + "." + label + "." + label + "." + strings.Repeat("d", 60), "a@" + label + "." + label + "." +
			label + "." + strings.Repeat("d", 61),
		"nobody", "@b.example", "a@", "@", "a@b@c.example", "a b@c.example", ".a@b.example", "a.@b.example",
		"a..b@c.example", "a@-b.example",
		"a@b-.example", "a@b.local", "a@b.c.TEST", "a@b.localhost", "a@ab--c.example", "a@xn--bcher-kva.example",
		"ab.cd--e@b.example", "a@b..example", "a@.b", "Ann <a@b.example>", "é@b.example", "a@é.example",
		"a@b.example\n", "\na@b.example",
		" a@b.example", "a@b.example ", "a@b_c.example", "a,b@c.example", "a@b.example\x00", "mailto:a@b.example",
		"a\r\nBcc:b@c.example",
	}
}()

// formatTexts returns the texts to try for a format.
func formatTexts(format string) []string {
	if format != emailFormat {
		return nil
	}
	return emailTexts
}
