package dynamo

import (
	"strings"
	"testing"
)

func TestCheckEndpoint(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"http://127.0.0.1:8000", "https://dynamodb.eu-central-1.amazonaws.com", "http://[::1]:8000/", "http://emulator:4566/dynamodb",
	} {
		if err := CheckEndpoint(good); err != nil {
			t.Errorf("CheckEndpoint(%q) = %v, want no error", good, err)
		}
	}
	for bad, want := range map[string]string{
		"":                           "does not begin with http://",
		"127.0.0.1:18500":            "does not begin with http://",
		"localhost":                  "does not begin with http://",
		"//127.0.0.1:8000":           "does not begin with http://",
		"ftp://127.0.0.1":            "is not the URL",
		"http://":                    "is not the URL",
		"http://:8000":               "is not the URL",
		"http://127.0.0.1:x":         "is not the URL",
		"http://127.0.0.1:8000 ":     "blanks",
		" http://127.0.0.1:8000":     "blanks",
		"http://127.0.0.1:8000\t":    "blanks",
		"http://127.0.0.1\u00a0":     "blanks",
		"http://127.0.0.1\u200b":     "blanks",
		"http://me:hunter2@host":     "a password",
		"http://127.0.0.1:8000?a=b":  "more than a host",
		"http://127.0.0.1:8000?":     "more than a host",
		"http://127.0.0.1:8000/#top": "more than a host",
	} {
		err := CheckEndpoint(bad)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "such as http://127.0.0.1:8000") ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("CheckEndpoint(%q) = %v, want an error that says %q and gives an example", bad, err, want)
		}
	}
}
