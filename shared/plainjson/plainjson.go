// Package plainjson encodes values as JSON. It does what encoding/json does, but leaves <, > and & as they are.
// encoding/json writes each of them in six bytes, which is of use only inside of HTML.
//
// It must import nothing but the standard library.
package plainjson

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// Marshal returns v as compact JSON, without a newline at the end. The error is that of json.Marshal.
func Marshal(v any) ([]byte, error) { return marshal(v, "") }

// MarshalIndent returns v as JSON with an indent of two spaces, without a newline at the end. The error is that of
// json.Marshal.
func MarshalIndent(v any) ([]byte, error) { return marshal(v, "  ") }

// Text returns v as compact JSON. It is for values that always encode, such as strings and maps of strings: it panics
// where Marshal returns an error.
func Text(v any) string {
	var out strings.Builder
	if err := encode(&out, v, ""); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func marshal(v any, indent string) ([]byte, error) {
	var out bytes.Buffer
	if err := encode(&out, v, indent); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// encode writes v with a newline at the end.
func encode(w io.Writer, v any, indent string) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	return encoder.Encode(v)
}
