package attacks

import (
	"encoding/json"
	"strings"
	"testing"
)

// What is decided for each field: mail is sent to an email address, so only ASCII in the form of an everyday address is
// taken. A name, a URL and metadata are only kept and shown, so every character is kept exactly. A program that shows
// them has to escape them, as the orgs command does. Nothing is normalised: two names that look alike stay two names.

// deceptive are texts that look like other texts.
func deceptive() map[string]string {
	return map[string]string{
		"right-to-left override":    "Acme\u202etcerroc\u202c",
		"isolates":                  "\u2066Acme\u2069\u2067Ltd\u2069",
		"zero width":                "Ac\u200bm\u200ce\u200d\u2060",
		"byte order mark":           "\ufeffAcme",
		"soft hyphen":               "Ac\u00adme",
		"homoglyphs":                "\u0410\u0441me", // А and с of Cyrillic
		"fullwidth":                 "\uff21\uff43\uff4d\uff45",
		"combining, far too many":   "A" + strings.Repeat("\u0336", 90),
		"composed":                  "Caf\u00e9",
		"decomposed":                "Cafe\u0301",
		"tags":                      "Acme\U000e0041\U000e007f",
		"variation selectors":       "A\ufe0f\U000e0100",
		"unassigned":                "\u0378\U000e1000",
		"private use":               "\ue000\U0010fffd",
		"noncharacters":             "\ufdd0\uffff\U0010ffff",
		"NUL":                       "Acme\x00Ltd",
		"controls":                  "\x01\x1b[31m\x7f\u0085\u009b",
		"separators of lines":       "a\u2028b\u2029c",
		"only white space":          "\u00a0\u2003\u3000",
		"markup":                    `<script>alert(1)</script>&amp;"'`,
		"replacement character":     "\ufffd",
		"Hangul filler":             "\u3164\uffa0",
		"dotless and dotted i":      "\u0130\u0131",
		"emoji of several people":   "👩\u200d👩\u200d👧\u200d👦",
		"spreadsheet formula":       "=HYPERLINK(\"http://evil.example\")",
		"ligature and long s":       "\ufb01 \u017f",
		"first and last of a plane": "\U00010000\U0001fffd",
	}
}

// TestTextsAreKeptExactly: names, URLs and metadata come back as they were sent, character for character.
func TestTextsAreKeptExactly(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, w *world) {
		made := w.tenant(t)
		for what, text := range deceptive() {
			e := newEvent("PATCH", made.admin.Reveal())
			quoted, err := json.Marshal(text)
			if err != nil {
				t.Fatal(err)
			}
			e.Body = `{"organization_name":` + string(quoted) + `,"logo_url":` + string(quoted) + `,"metadata":{` + string(quoted) + `:` + string(quoted) + `}}`
			changed := w.send(t, "PATCH", e)
			read := w.send(t, "GET", newEvent("GET", made.read.Reveal()))
			for _, r := range []response{changed, read} {
				var got struct {
					Name     string            `json:"organization_name"`
					Logo     string            `json:"logo_url"`
					Metadata map[string]string `json:"metadata"`
				}
				if err := json.Unmarshal([]byte(r.Body), &got); err != nil || r.StatusCode != 200 {
					t.Errorf("%s: %d %s, %v, want 200", what, r.StatusCode, r.Body, err)
					continue
				}
				if got.Name != text || got.Logo != text || len(got.Metadata) != 1 || got.Metadata[text] != text {
					t.Errorf("%s: %+q, %+q and %+q came back for %+q", what, got.Name, got.Logo, got.Metadata, text)
				}
			}
		}
	})
}

// addresses are texts that some readers take for an address, or for an address of another domain.
func addresses() map[string]string {
	return map[string]string{
		"homoglyph domain":        "billing@\u0430cme.example",
		"international domain":    "billing@b\u00fccher.example",
		"international local":     "b\u00fccher@example.com",
		"fullwidth @":             "billing\uff20example.com",
		"fullwidth full stop":     "billing@example\uff0ecom",
		"ideographic full stop":   "billing@example\u3002com",
		"comment":                 "billing(@evil.example)@example.com",
		"display name":            "Billing <billing@example.com>",
		"quoted":                  `"billing@evil.example"@example.com`,
		"two addresses":           "billing@example.com,spy@evil.example",
		"two @":                   "billing@evil.example@example.com",
		"source route":            "@evil.example:billing@example.com",
		"percent hack, encoded @": "billing%40evil.example",
		"address literal":         "billing@[192.0.2.1]",
		"IPv4 address":            "billing@192.0.2.1",
		"host without a dot":      "billing@localhost",
		"header":                  "billing@example.com\r\nBcc: spy@evil.example",
		"line feed at the end":    "billing@example.com\n",
		"blank at the end":        "billing@example.com ",
		"blank in front":          " billing@example.com",
		"NUL":                     "billing@example.com\x00.evil.example",
		"too long a label":        "billing@" + strings.Repeat("a", 64) + ".example",
		"too long a local part":   strings.Repeat("a", 65) + "@example.com",
		"dots":                    "billing..x@example.com",
		"mailto":                  "mailto:billing@example.com?bcc=spy@evil.example",
	}
}

// TestDeceptiveEmailsAreRefused: an email that is not plainly an address is refused.
func TestDeceptiveEmailsAreRefused(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	made := w.tenant(t)
	addresses := addresses()
	for what, text := range deceptive() {
		addresses[what+", in front"] = text + "@example.com"
		addresses[what+", behind"] = "billing@" + text + ".example"
	}
	for what, address := range addresses {
		for _, field := range []string{"billing_email", "notifications_email"} {
			e := newEvent("PATCH", made.admin.Reveal())
			e.Body = jsonObject(field, address)
			if r := w.send(t, "PATCH", e); r.StatusCode != 422 || !strings.Contains(r.Body, `["body","`+field+`"]`) {
				t.Errorf("%s: %s %+q = %d %s, want 422 for the field", what, field, address, r.StatusCode, r.Body)
			}
		}
	}
	w.unchanged(t, made)
}

// TestTextsThatAreNoUnicode: a body with half a character is refused, in every field and every notation.
func TestTextsThatAreNoUnicode(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	made := w.tenant(t)
	for what, raw := range map[string]string{
		"overlong slash": "\xc0\xaf", "overlong NUL": "\xc0\x80", "surrogate in UTF-8": "\xed\xa0\x80", "beyond Unicode": "\xf4\x90\x80\x80",
		"Latin-1": "\xe9", "cut off": "\xe2\x82", "continuation alone": "\x80", "five bytes": "\xf8\x88\x80\x80\x80", "byte FF": "\xff",
		"high half, escaped": `\ud83d`, "low half, escaped": `\ude00`, "halves in the wrong order": `\ude00\ud83d`, "half before a letter": `\ud83da`,
	} {
		for _, body := range []string{`{"organization_name":"` + raw + `"}`, `{"metadata":{"` + raw + `":1}}`, `{"` + raw + `":1}`, `{"undeclared":["` + raw + `"]}`} {
			e := newEvent("PATCH", made.admin.Reveal())
			e.Body = body
			if r := w.send(t, "PATCH", e); r.StatusCode != 400 || !strings.Contains(r.Body, "body_malformed") {
				t.Errorf("%s: PATCH %+q = %d %s, want 400 body_malformed", what, body, r.StatusCode, r.Body)
			}
		}
	}
	w.unchanged(t, made)
}
