package apikey

import (
	"errors"
	"strings"
	"testing"

	"organizations-api/shared/organization"
)

// FuzzParse: what parses is given back to the letter and names an organization; the error never quotes anything.
func FuzzParse(f *testing.F) {
	id, err := organization.ParseID("org_0123456789abc")
	if err != nil {
		f.Fatal(err)
	}
	for _, mode := range []Mode{Live, Test} {
		body := prefix + string(mode) + "_" + id.PublicPart() + "_" + strings.Repeat("s", secretLength)
		f.Add(body + "000000")
		f.Add(body + "00000")
	}
	for _, text := range []string{"", "sk_", "sk_live_", "sk_live_0123456789abc_", "sk_live___", "SK_LIVE_", "sk_test_\x00", "sk_live_é"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := Parse(text)
		if err != nil {
			if !errors.Is(err, ErrMalformed) || err.Error() != ErrMalformed.Error() || key != (Key{}) {
				t.Errorf("Parse(%q) = %v, want the zero Key and ErrMalformed alone", text, err)
			}
			return
		}
		if _, err := organization.ParseID(string(key.Organization())); err != nil {
			t.Errorf("Parse(%q) names the organization %q: %v", text, key.Organization(), err)
		}
		want := prefix + string(key.Mode()) + "_" + key.Organization().PublicPart() + "_"
		if key.Reveal() != text || !strings.HasPrefix(text, want) {
			t.Errorf("Parse(%q) = %q, which begins with %q", text, key.Reveal(), want)
		}
	})
}
