// Package plainjson encodes values as JSON. It does what encoding/json does, but leaves <, > and & as they are.
// encoding/json writes each of them in six bytes, which is of use only inside of HTML.
//
// It must import nothing but the standard library.
package plainjson

import (
	"bytes"
	"encoding/json"
)

// Marshal returns v as compact JSON, without a newline at the end. The error is that of json.Marshal.
func Marshal(v any) ([]byte, error) { return encode(v, "") }

// MarshalIndent returns v as JSON with an indent of two spaces, without a newline at the end. The error is that of
// json.Marshal.
func MarshalIndent(v any) ([]byte, error) { return encode(v, "  ") }

// Text returns v as compact JSON. It is for values that always encode, such as strings and maps of strings: it panics
// where Marshal returns an error.
func Text(v any) string {
	text, err := Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func encode(v any, indent string) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
