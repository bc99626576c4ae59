package term

import "organizations-api/shared/plainjson"

// WriteJSON writes the value as indented JSON, all of it or nothing.
func (s *Screen) WriteJSON(v any) error {
	text, err := plainjson.MarshalIndent(v)
	if err != nil {
		return err
	}
	_, err = s.Write(append(text, '\n'))
	return err
}
