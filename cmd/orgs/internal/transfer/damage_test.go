package transfer_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"organizations-api/cmd/orgs/internal/transfer"
	"organizations-api/shared/store"
)

// linesOf returns the lines of a backup of the organizations, in their order.
func linesOf(t *testing.T, all ...store.Export) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orgs.backup")
	if _, err := transfer.Write(t.Context(), storeOf(t, all...), path, transfer.Options{Workers: 1}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	return lines[:len(lines)-1] // nothing comes after the last
}

// wantTextRefused is wantRefused for a file of the text.
func wantTextRefused(t *testing.T, text, why string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "damaged")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, path, why)
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	// The header, three organizations with three entries each, the secrets, and the trailer.
	lines := linesOf(t, full(3), full(3), full(3))
	text := strings.Join(lines, "")
	join := func(parts ...[]string) string {
		var all strings.Builder
		for _, p := range parts {
			all.WriteString(strings.Join(p, ""))
		}
		return all.String()
	}
	changed := func(from, to string) string { return strings.Replace(text, from, to, 1) }
	const sum = "what comes before the trailer has another SHA-256"
	tests := []struct{ name, text, want string }{
		{"empty", "", "line 1: the trailer is missing"},
		{"something else", "my diary\n", "line 1: it is not a line of a backup"},
		{"no header", join(lines[1:]), "line 1: a header must come first"},
		{"no trailer", join(lines[:14]), "line 15: the trailer is missing"},
		{"secrets before an organization", join(lines[:5], lines[13:14], lines[5:13], lines[14:]), "line 7: the trailer must come after the secrets"},
		{"secrets twice", join(lines[:14], lines[13:]), "line 15: the trailer must come after the secrets"},
		{"no secrets", join(lines[:13], lines[14:]), sum},
		{"a secret is changed", changed(`{"key_secrets":["`, `{"key_secrets":["_`), "line 14: a secret for keys is 43 letters or digits"},
		{"a list without a secret", changed(lines[13], `{"key_secrets":[]}`+"\n"), "line 14: it is not a line of a backup"},
		{"cut in the midst of a line", text[:len(text)-3], "line 15: the line breaks off"},
		{"cut between lines", join(lines[:6]), "line 7: the trailer is missing"},
		{"an organization is gone", join(lines[:5], lines[9:]), sum},
		{"an entry is gone", join(lines[:3], lines[4:]), sum},
		{"organizations swapped", join(lines[:1], lines[5:9], lines[1:5], lines[9:]), sum},
		{"an entry under another organization", join(lines[:4], lines[5:8], lines[4:5], lines[8:]), "line "},
		{"entries swapped", join(lines[:2], lines[3:4], lines[2:3], lines[4:]), "line 4: the entries of an organization must be in the order"},
		{"an entry twice", join(lines[:3], lines[2:]), "line 4: the entries of an organization must be in the order"},
		{"an entry without an organization", join(lines[:1], lines[2:]), "line 2: an entry must come after its organization"},
		{"an organization twice", join(lines[:2], lines[1:]), sum},
		{"two headers", join(lines[:1], lines), "line 2: a header must come first"},
		{"two backups", text + text, "line 16: a header must come first"},
		{"something after the trailer", join(lines, lines[1:2]), "line 16: something comes after the trailer"},
		{"two trailers", join(lines, lines[14:]), "line 16: something comes after the trailer"},
		{"a value is changed", changed(`"Credits":987654`, `"Credits":987655`), sum},
		{"a member is added", changed(`"Credits"`, `"Extra":1,"Credits"`), "line 2: it is not a line of a backup"},
		{"a line of nothing", changed(lines[2], "{}\n"), "line 3: it is not a line of a backup"},
		{"an empty line", changed(lines[2], "\n"+lines[2]), "line 3: it is not a line of a backup"},
		{"two things in a line", changed(`{"entry":{`, `{"entry":null,"end":{},"entry":{`), "line 3: it is not a line of a backup"},
		{"white space", changed(`{"entry":`, `{ "entry":`), "line 3: it is not a line of a backup"},
		{"two lines in one", changed("}\n", "}"), "line 1: it is not a line of a backup"},
		{"not UTF-8", changed("ä", "\xe4"), "line 3: it is not a line of a backup"},
		{"newer format", changed(`{"format":2`, `{"format":3`), "line 1: it has the format 3; this version reads 2"},
		{"older format", changed(`{"format":2`, `{"format":1`), "line 1: it has the format 1; this version reads 2"},
		{"wrong number of organizations", changed(`"organizations":3`, `"organizations":4`), "line 15: what comes before the trailer has another number"},
		{"wrong number of entries", changed(`"entries":9`, `"entries":8`), "line 15: what comes before the trailer has another number"},
		{"another trailer", changed(`"organizations":3`, `"organizations": 3`), "line 15: it is not a line of a backup"},
		{"a line without end", text[:len(lines[0])] + strings.Repeat("a", 9<<20), "line 2: it is longer than 4 MiB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			wantTextRefused(t, test.text, test.want)
		})
	}
}

// TestEveryByte flips a bit of each byte of a small backup, one at a time, and then cuts off byte after byte.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	text := []byte(strings.Join(linesOf(t, full(2)), ""))
	path := filepath.Join(t.TempDir(), "damaged")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for i, b := range text {
		flipped := b ^ 1<<rand.IntN(8)
		_, damaged := file.WriteAt([]byte{flipped}, int64(i))
		if wantRefused(t, path, ": line "); t.Failed() {
			t.Fatalf("byte %d of %d is %q instead of %q", i, len(text), flipped, b)
		}
		if _, err := file.WriteAt([]byte{b}, int64(i)); err != nil || damaged != nil {
			t.Fatal(damaged, err)
		}
	}
	openFile(t, path)
	for i := len(text) - 1; i >= 0; i-- {
		if err := file.Truncate(int64(i)); err != nil {
			t.Fatal(err)
		}
		if wantRefused(t, path, ": line "); t.Failed() {
			t.Fatalf("only %d of %d bytes are there", i, len(text))
		}
	}
}

// seal returns a backup with the lines and a trailer that fits them. It drops the trailer in lines.
func seal(organizations, entries int, lines []string) string {
	text := strings.Join(lines, "")
	return text + fmt.Sprintf(`{"end":{"organizations":%d,"entries":%d,"sha256":"%x"}}`+"\n",
		organizations, entries, sha256.Sum256([]byte(text)))
}

// TestUnreadable restores complete backups with data that the service or the command could not read afterwards.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	e := full(1)
	lines := linesOf(t, e)[:3]
	path := filepath.Join(t.TempDir(), "sealed")
	if err := os.WriteFile(path, []byte(seal(1, 1, lines)), 0o600); err != nil {
		t.Fatal(err)
	}
	wantIdentical(t, path, storeOf(t, e), 1) // so it is the changes that are refused

	id, keyID := string(e.Organization.ID), e.Keys[0].ID
	tests := []struct{ name, from, to, want string }{
		{"identifier", id, "org_1", "line 2: an organization id is"},
		{"no internal identifier", `"InternalID":"` + e.Organization.InternalID.Reveal(), `"InternalID":"`, "line 2: an organization must have an internal"},
		{"no name", `"Name":"` + e.Organization.Name, `"Name":"`, "line 2: a name has"},
		{"long name", `"Name":"`, `"Name":"` + strings.Repeat("a", 100), "line 2: a name has"},
		{"tier", `"Tier":"enterprise"`, `"Tier":"best"`, "line 2: a tier is one of"},
		{"limit", `"Upload":4000`, `"Upload":-1`, "line 2: a rate limit must"},
		{"high limit", `"Upload":4000`, `"Upload":4000000000`, "line 2: a rate limit must"},
		{"email", `"BillingEmail":"`, `"BillingEmail":"x `, "line 2: the billing email is not an address"},
		{"other email", `"NotificationsEmail":"`, `"NotificationsEmail":"<`, "line 2: the notifications email is not an address"},
		{"long logo", `"LogoURL":"`, `"LogoURL":"` + strings.Repeat("a", 2048), "line 2: a URL, and"},
		{"long API", `"APIURL":"`, `"APIURL":"` + strings.Repeat("a", 2048), "line 2: a URL, and"},
		{"long provider", `"AuthProviderOrgID":"`, `"AuthProviderOrgID":"` + strings.Repeat("a", 2048), "line 2: a URL, and"},
		{"version", `"Version":1`, `"Version":-1`, "line 2: credits, their use and the version"},
		{"credits", `"Credits":987654`, `"Credits":-1`, "line 2: credits, their use and the version"},
		{"deep metadata", `"Metadata":"{`, `"Metadata":"{\"a\":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `,`, "line 2: metadata must"},
		{"metadata with a name twice", `"Metadata":"{`, `"Metadata":"{\"a\":1,\"a\":2,`, "line 2: metadata must"},
		{"metadata that is not JSON", `"Metadata":"{`, `"Metadata":"{not json `, "line 2: metadata must"},
		{"deep users", `"Users":"[`, `"Users":"[{\"a\":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `},`, "line 2: users must"},
		{"large users", `"Users":"[`, `"Users":"[{\"a\":\"` + strings.Repeat("a", 64<<10) + `\"},`, "line 2: users must"},
		{"users in tags", `"Users":"[`, `"Users":"<x>[`, "line 2: users must"},
		{"many keys", `"Keys":[`, `"Keys":[` + strings.Repeat("{},", 100), "line 2: it has a list of more than 100"},
		{"unknown member of a key", `"Keys":[{`, `"Keys":[{"Extra":1,`, "line 2: it is not a line of a backup"},
		{"keys that are no list", `"Keys":[`, `"Keys":{},"Keys":[`, "line 2: it is not a line of a backup"},
		{"long identifier of a key", `"ID":"` + keyID, `"ID":"` + strings.Repeat("k", 129), "line 2: each key must"},
		{"long internal identifier", `"InternalID":"`, `"InternalID":"` + strings.Repeat("i", 129), "line 2: an organization must have an internal"},
		{"metadata", `"Metadata":"{`, `"Metadata":"[{`, "line 2: metadata must"},
		{"metadata null", `"Metadata":"{`, `"Metadata":"null","APIURL":"{`, "line 2: metadata must"},
		{"large metadata", `"Metadata":"{`, `"Metadata":"{\"a\":\"` + strings.Repeat("a", 64<<10) + `\",`, "line 2: metadata must"},
		{"credentials", `\"openai_key\"`, "1", "line 2: credentials must"},
		{"users", `"Users":"[`, `"Users":"[1,`, "line 2: users must"},
		{"users null", `"Users":"[`, `"Users":"null","APIURL":"[`, "line 2: users must"},
		{"time", `"DeletedAt":"`, `"DeletedAt":"1`, "line 2: it is not a line of a backup"},
		{"time elsewhere", `"UpdatedAt":"2`, `"UpdatedAt":"2026-01-02T03:04:05+01:00","CreatedAt":"2`, "line 2: a time must"},
		{"fine time", `"ExpiresAt":"2`, `"ExpiresAt":"2026-01-02T03:04:05.0000001Z","CreatedAt":"2`, "line 2: a time must"},
		{"key without identifier", `"ID":"` + keyID, `"ID":"`, "line 2: each key must"},
		{"identifier of a key twice", `"ID":"` + e.Keys[1].ID, `"ID":"` + keyID, "line 2: each key must"},
		{"hash twice", e.Keys[1].Hash.Hex(), e.Keys[0].Hash.Hex(), "line 2: each key must"},
		{"hash", e.Keys[0].Hash.Hex(), "abc", "line 2: a key's hash is"},
		{"permission", `"Permission":"admin"`, `"Permission":"owner"`, "line 2: a permission is one of"},
		{"mode", `"Mode":"test"`, `"Mode":"other"`, "line 2: a mode is"},
		{"entry", `{"ID":"2`, `{"ID":"x`, "line 3: an entry's identifier must"},
		{"change", `"After":"\"`, `"After":"`, "line 3: a change must"},
		{"many changes", `"Changes":[`, `"Changes":[` + strings.Repeat("{},", 100), "line 3: it has a list of more than 100"},
		{"long actor", `"Actor":"`, `"Actor":"` + strings.Repeat("a", 129), "line 3: an entry's action"},
		{"version of an entry", `"Version":1`, `"Version":-1`, "line "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Join(lines, "")
			changed := strings.Replace(text, test.from, test.to, 1)
			if changed == text {
				t.Fatalf("%s is not in the backup", test.from)
			}
			wantTextRefused(t, seal(1, 1, []string{changed}), test.want)
		})
	}
}

// TestMemoryOfALine: a line of the greatest length, made of the smallest elements that JSON has, takes a few times its
// length in memory.
func TestMemoryOfALine(t *testing.T) {
	for _, begin := range []string{
		`{"organization":{"Keys":[`, `{"organization":{"Keys":[],"Keys":[`, `{"entry":{"Changes":[`, `{"organization":{"Users":"[`,
	} {
		for _, element := range []string{"{},", "[],", "0,", `"",`} {
			line := begin + strings.Repeat(element, (4<<20-len(begin))/len(element)-1) + "0]}}\n"
			path := filepath.Join(t.TempDir(), "large")
			if err := os.WriteFile(path, []byte(seal(0, 0, []string{line})), 0o600); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			wantRefused(t, path, "line 1: ")
			runtime.ReadMemStats(&after)
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 40 {
				t.Errorf("a line of 4 MiB of %q makes Open allocate %d MiB in all, want at most 40", begin+element, used)
			}
		}
	}
}
