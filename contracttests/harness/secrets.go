package harness

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"organizations-api/contracttests/judge"
)

// secret is a text that no answer may contain.
type secret struct {
	what  string   // what it is, for the message of a failure
	forms [][]byte // the texts to look for
}

// minSecret is the least length of a secret. Shorter texts could occur by chance.
const minSecret = 12

// newSecret returns a secret in these forms: as it is, in capitals, without its public prefix, and in Base64.
func newSecret(what, text string) secret {
	forms := []string{text, strings.ToUpper(text), text[strings.LastIndex(text, "_")+1:]}
	forms = append(forms, base64.RawStdEncoding.EncodeToString([]byte(text)))
	if raw, err := hex.DecodeString(text); err == nil {
		forms = append(forms, base64.RawStdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw))
	}
	s := secret{what: what}
	for _, form := range forms {
		if len(form) >= minSecret {
			s.forms = append(s.forms, []byte(form))
		}
	}
	return s
}

// guard makes the session search every answer for the secrets of the organization.
func (s *Session) guard(t Tenant) {
	var found []secret
	for _, text := range t.Secrets {
		found = append(found, newSecret("a secret of an organization", text))
	}
	for kind, key := range t.Keys {
		sum := sha256.Sum256([]byte(key))
		found = append(found,
			newSecret("a key ("+string(kind)+")", key),
			newSecret("the hash of a key ("+string(kind)+")", hex.EncodeToString(sum[:])))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets = append(s.secrets, found...)
}

// scan reports secrets in an answer, also if they are written with JSON escapes. Texts that the caller sent itself may
// come back.
func (s *Session) scan(x judge.Exchange) {
	s.mu.Lock()
	secrets := s.secrets
	s.mu.Unlock()
	raw := WholeAnswer(x.Response)
	for _, secret := range secrets {
		for _, form := range secret.forms {
			if bytes.Contains(raw, form) && !bytes.Contains(x.Request.Body, form) {
				s.FailExchange(x, "the answer contains %s", secret.what)
				break
			}
		}
	}
}

// WholeAnswer returns everything that a caller can read: headers, body, and the body's strings without escapes.
func WholeAnswer(r judge.Response) []byte {
	var all bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		all.WriteString(name + ": " + strings.Join(r.Header[name], ", ") + "\n")
	}
	all.Write(r.Body)
	if bytes.Contains(r.Body, []byte(`\u`)) {
		value, _, _ := judge.ReadJSON(r.Body)
		for _, text := range TextsIn(value) {
			all.WriteString("\n" + text)
		}
	}
	return all.Bytes()
}

// TextsIn returns all strings of a decoded value, and the names of its members.
func TextsIn(value any) []string {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		var all []string
		for _, item := range value {
			all = append(all, TextsIn(item)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, name := range slices.Sorted(maps.Keys(value)) {
			all = append(append(all, name), TextsIn(value[name])...)
		}
		return all
	default:
		return nil
	}
}
