package api

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"organizations-api/shared/ijson"
)

// MaxBodySize is the longest body, in bytes, that an update may have.
const MaxBodySize = 256 << 10

// checkQuery refuses a query that cannot be read. The operations declare no parameters in it, so one that can be read is ignored.
func checkQuery(r *http.Request) error {
	if _, err := url.QueryUnescape(r.URL.RawQuery); err != nil {
		return &Error{Kind: BadRequest, Message: "The query string has a malformed percent-encoding."}
	}
	return nil
}

// readJSON reads a body of the media type application/json.
func readJSON(r *http.Request) (ijson.Value, error) {
	if err := checkMediaType(r.Header); err != nil {
		return ijson.Value{}, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBodySize+1))
	if err != nil {
		return ijson.Value{}, malformed("The body could not be read.", err)
	}
	if len(body) > MaxBodySize {
		return ijson.Value{}, &Error{
			Kind:    BadRequest,
			Code:    "body_too_large",
			Message: fmt.Sprintf("The body is longer than %d bytes.", MaxBodySize),
			Details: map[string]any{"limit": MaxBodySize},
		}
	}
	value, err := ijson.Parse(body)
	if err != nil {
		return ijson.Value{}, malformed(fmt.Sprintf("The body is not well-formed JSON: %v.", err), err)
	}
	return value, nil
}

func malformed(message string, cause error) error {
	return &Error{Kind: BadRequest, Code: "body_malformed", Message: message, Cause: cause}
}

// checkMediaType wants application/json, in UTF-8 as RFC 8259, section 8.1, demands, and not compressed.
func checkMediaType(h http.Header) error {
	unsupported := func(message string) error {
		return &Error{Kind: BadRequest, Code: "media_type_unsupported", Message: message}
	}
	const want = "The body must be sent with the header: Content-Type: application/json"
	types := h.Values("Content-Type")
	if len(types) != 1 {
		return unsupported(want)
	}
	mediaType, parameters, err := mime.ParseMediaType(types[0])
	if err != nil || mediaType != "application/json" {
		return unsupported(want)
	}
	if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return unsupported("The body must be in UTF-8.")
	}
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return unsupported("The body must be sent without a Content-Encoding.")
	}
	return nil
}
