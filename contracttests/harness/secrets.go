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

// secret is something that no answer may contain, in all the forms in which it is looked for.
type secret struct {
	what  string
	forms [][]byte
}

// minSecret is the length from which a text does not occur by chance.
const minSecret = 12

// newSecret returns the forms of a text: as it is, without what it begins with in public, and in Base64.
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

// guard sees to it that no answer to this session contains a secret of the organization.
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
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.secrets = append(s.secrets, found...)
}

func (s *Session) GuardFaults() {
	s.secrets = append(s.secrets, newSecret("the cause of a fault", FaultText))
}

// scan looks for secrets in the bytes of an answer and in the texts that they stand for. What the caller sent is no
// secret to the caller.
func (s *Session) scan(x judge.Exchange) {
	s.Mu.Lock()
	secrets := s.secrets
	s.Mu.Unlock()
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

// WholeAnswer returns everything that a caller can read: headers, body, and what the body's escapes stand for.
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

// TextsIn returns all strings of a decoded value, names of members included.
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
