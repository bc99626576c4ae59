package judge

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Curl returns a shell command that sends the request again. The variable KEY stands for the key and URL for the
// target's address. A body that is long or not printable is read from a file named BODY.
func Curl(r Request) string {
	words := []string{"curl", "-i", "-X", r.Method, curlURL(r.URL)}
	h := Canonical(r.Header)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			words = append(words, "-H", curlHeader(name, value))
		}
	}
	if len(r.Body) > 0 {
		words = append(words, "--data-binary", bodyArgument(r.Body))
	}
	return strings.Join(words, " ")
}

var plainURL = regexp.MustCompile(`^[A-Za-z0-9/_.:%-]*$`)

// curlURL puts the target's address before a path. It leaves an absolute URL as it is.
func curlURL(url string) string {
	switch plain := plainURL.MatchString(url); {
	case !strings.HasPrefix(url, "/"):
		return quote(url)
	case plain:
		return `"$URL` + url + `"`
	default:
		return `"$URL"` + quote(url)
	}
}

// curlHeader returns a header without the credentials: of Authorization only the scheme is kept.
func curlHeader(name, value string) string {
	switch {
	case value == "":
		return quote(name + ";") // how curl is told to send an empty one
	case name != "Authorization":
		return quote(name + ": " + value)
	}
	scheme, _, found := strings.Cut(value, " ")
	if !found || strings.ContainsAny(scheme, "_$`\"\\") { // no scheme at all, and perhaps a key
		return `"Authorization: $KEY"`
	}
	return `"Authorization: ` + scheme + ` $KEY"`
}

const maxCurlBody = 2000

func bodyArgument(body []byte) string {
	if len(body) > maxCurlBody || !utf8.Valid(body) {
		return "@BODY"
	}
	for _, c := range body {
		if c < ' ' && c != '\n' && c != '\t' {
			return "@BODY"
		}
	}
	return quote(string(body))
}

// quote quotes for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
