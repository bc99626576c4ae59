package api

import "strings"

// utf8Labels are the names of UTF-8 in the Encoding Standard of the WHATWG, in lower case.
var utf8Labels = map[string]bool{
	"unicode-1-1-utf-8": true, "unicode11utf8": true, "unicode20utf8": true, "utf-8": true, "utf8": true,
	"x-unicode20utf8": true,
}

// isUTF8 reports whether a charset is a name of UTF-8, in any case and with white space around it.
func isUTF8(charset string) bool {
	return utf8Labels[strings.ToLower(strings.Trim(charset, " \t\r\n\f"))]
}

// mediaType is the value of a Content-Type header.
type mediaType struct {
	name     string   // in lower case, such as application/json
	charsets []string // the values of all charset parameters
}

// parseMediaType parses a Content-Type by RFC 9110, sections 8.3.1 and 5.6.6. mime.ParseMediaType refuses empty
// parameters, which the RFC allows, and takes a backslash in quotes for itself.
func parseMediaType(value string) (m mediaType, ok bool) {
	name, rest := cutToken(value)
	name, subtype, ok := strings.Cut(name, "/")
	if !ok || name == "" || subtype == "" {
		return mediaType{}, false
	}
	m.name = strings.ToLower(name + "/" + subtype)
	for {
		if rest = strings.TrimLeft(rest, whiteSpace); rest == "" {
			return m, true
		}
		if rest, ok = strings.CutPrefix(rest, ";"); !ok {
			return mediaType{}, false
		}
		rest = strings.TrimLeft(rest, whiteSpace)
		if rest == "" || rest[0] == ';' {
			continue // an empty parameter
		}
		var parameter, text string
		if parameter, text, rest, ok = cutParameter(rest); !ok {
			return mediaType{}, false
		}
		if strings.EqualFold(parameter, "charset") {
			m.charsets = append(m.charsets, text)
		}
	}
}

// cutParameter cuts a parameter from the front of s. Its value is a token or a quoted string.
func cutParameter(s string) (name, value, rest string, ok bool) {
	name, rest = cutToken(s)
	rest, ok = strings.CutPrefix(rest, "=")
	if !ok || name == "" {
		return "", "", "", false
	}
	if strings.HasPrefix(rest, `"`) {
		value, rest, ok = cutQuoted(rest)
		return name, value, rest, ok
	}
	value, rest = cutToken(rest)
	return name, value, rest, value != ""
}

// cutToken cuts the token at the front of s. A slash counts as a part of it, for media types.
func cutToken(s string) (token, rest string) {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),:;<=>?@[\]{}`, c) >= 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// cutQuoted cuts a quoted string (RFC 9110, section 5.6.4) from the front of s, and returns what it stands for.
func cutQuoted(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// isEncoded reports whether a Content-Encoding (RFC 9110, section 8.4) lists a coding other than identity.
func isEncoded(values []string) bool {
	for coding := range strings.SplitSeq(strings.Join(values, ","), ",") {
		coding = strings.Trim(coding, whiteSpace)
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return true
		}
	}
	return false
}
