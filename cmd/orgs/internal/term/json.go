package term

import (
	"bytes"
	"encoding/json"
)

// EncodeJSON returns the value as JSON. Unlike json.Marshal it leaves <, > and & as they are.
func EncodeJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// WriteJSON writes the value as indented JSON, all of it or nothing.
func (s *Screen) WriteJSON(v any) error {
	text, err := EncodeJSON(v)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err = s.Write(out.Bytes())
	return err
}
