package contracttests

import (
	"strings"
)

// Curl returns a command that sends the request again, for a shell. Keys are left out: KEY stands in for them, and
// URL for the target's address. A body that is long or not printable comes from a file, named BODY.
func Curl(r Request) string {
	words := []string{"curl", "-i", "-X", r.Method, `"$URL` + strings.TrimPrefix(quoteInner(r.URL), "$URL") + `"`}
	h := canonical(r.Header)
	for _, name := range sortedKeys(h) {
		for _, value := range h[name] {
			if name == "Authorization" {
				words = append(words, "-H", `"Authorization: Bearer $KEY"`)
				continue
			}
			words = append(words, "-H", quote(name+": "+value))
		}
	}
	if len(r.Body) > 0 {
		words = append(words, "--data-binary", bodyArgument(r.Body))
	}
	return strings.Join(words, " ")
}

const maxCurlBody = 2000

func bodyArgument(body []byte) string {
	for _, c := range body {
		if c < ' ' && c != '\n' && c != '\t' || len(body) > maxCurlBody {
			return "@BODY"
		}
	}
	return quote(string(body))
}

// quote quotes for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// quoteInner escapes for the inside of double quotes.
func quoteInner(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(s)
}
