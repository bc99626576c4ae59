package attacks

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"

	"organizations-api/contracttests/sample"
	"organizations-api/shared/apikey"
	"organizations-api/shared/base62"
)

var (
	craftedKeys = flag.Int("security.keys", 0, "how many keys TestTenantCrossing crafts for each store; 0: 10,000, or 1,000 with -short")
	craftSeed   = flag.Uint64("security.seed", 1, "of the keys that TestTenantCrossing crafts")
)

// parts are the pieces of a key, and what else an attacker may know of its organization.
type parts struct {
	whole, mode, organization, secret, checksum string
	others                                      []string
	store                                       apikey.Secret // which no attacker has: with it, crafted keys reach the store
}

func partsOf(made tenant, key apikey.Key) parts {
	text := key.Reveal()
	piece := strings.Split(text, "_") // sk, mode, organization, secret and checksum
	end := len(piece[3]) - base62.Uint32Width
	return parts{
		whole: text, mode: piece[1], organization: piece[2], secret: piece[3][:end], checksum: piece[3][end:],
		others: []string{string(made.ID), made.adminID, key.Hash().Hex(), made.InternalID.Reveal(), made.ID.PublicPart()},
		store:  made.store,
	}
}

// sealed puts a key together, with the right checksum.
func (p parts) sealed(mode, organization, secret string) string {
	return p.seal("sk_" + mode + "_" + organization + "_" + secret)
}

// reseal gives a key the right checksum for the rest of it.
func (p parts) reseal(key string) string { return p.seal(key[:max(0, len(key)-base62.Uint32Width)]) }

// seal adds the checksum to the body of a key.
func (p parts) seal(body string) string {
	mac := hmac.New(sha256.New, []byte(p.store.Reveal()))
	mac.Write([]byte(body))
	return body + base62.Uint32(binary.BigEndian.Uint32(mac.Sum(nil)))
}

// craft makes a key of two organizations' parts.
func craft(r *rand.Rand, a, b parts) string {
	if r.IntN(2) == 0 {
		a, b = b, a
	}
	pick := func(choices ...string) string { return choices[r.IntN(len(choices))] }
	either := func(x, y string) string { return pick(x, y) }
	switch r.IntN(12) {
	case 0: // the one's place with the other's secret, sealed
		return a.sealed(either(a.mode, b.mode), a.organization, b.secret)
	case 1: // the mode turned, sealed
		return a.sealed(map[string]string{"live": "test", "test": "live"}[a.mode], a.organization, a.secret)
	case 2: // pieces of any kind in any place
		return "sk_" + either(a.mode, b.mode) + "_" + either(a.organization, b.organization) + "_" + either(a.secret, b.secret) + either(a.checksum, b.checksum)
	case 3: // the one's beginning, the other's end
		cut := r.IntN(len(a.whole))
		return pick(a.whole[:cut]+b.whole[cut:], a.reseal(a.whole[:cut]+b.whole[cut:]))
	case 4: // secrets that cross over, sealed
		cut := 1 + r.IntN(len(a.secret)-1)
		return a.sealed(a.mode, either(a.organization, b.organization), a.secret[:cut]+b.secret[cut:])
	case 5: // organizations that cross over, sealed
		cut := 1 + r.IntN(len(a.organization)-1)
		return a.sealed(a.mode, a.organization[:cut]+b.organization[cut:], either(a.secret, b.secret))
	case 6: // letters of other case
		flipped := flipCase(r, a.whole)
		return pick(flipped, a.reseal(flipped))
	case 7: // cut short, or with more
		return pick(a.whole[:r.IntN(len(a.whole))], a.reseal(a.whole[:r.IntN(len(a.whole))]), a.whole+pick(b.whole, b.secret, "0", "\x00", a.checksum))
	case 8: // both at once
		return a.whole + pick(" ", ",", ", ", ";", "\n", "\r\n", "\t", "\x00", "%20", "&", "|", ", Bearer ", "\r\nAuthorization: Bearer ") + b.whole
	case 9: // otherwise encoded
		return encoded(r, a.whole)
	case 10: // what else is known in the place of a part
		known := pick(append(a.others, b.others...)...)
		return pick(a.sealed(a.mode, known, b.secret), a.sealed(a.mode, b.organization, known), known, "sk_live_"+known)
	default: // one character of the secret changed, sealed: the neighbour of a key
		at := r.IntN(len(a.secret))
		return a.sealed(a.mode, a.organization, a.secret[:at]+base62.Random(1)+a.secret[at+1:])
	}
}

// flipCase changes the case of some letters of the key.
func flipCase(r *rand.Rand, key string) string {
	text, flips := []byte(key), 1+r.IntN(len(key))
	for range flips {
		at := r.IntN(len(text))
		if c := text[at]; 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			text[at] = c ^ 0x20
		}
	}
	return string(text)
}

// encoded writes a key in an encoding that a reader might decode.
func encoded(r *rand.Rand, key string) string {
	at := r.IntN(len(key))
	forms := []string{
		url.QueryEscape(key[:at]) + "%" + strings.ToUpper(string("0123456789abcdef"[key[at]>>4])+string("0123456789abcdef"[key[at]&15])) + key[at+1:],
		base64.StdEncoding.EncodeToString([]byte(key)), `"` + key + `"`, "<" + key + ">", key[:at] + "\u200b" + key[at:], "\ufeff" + key,
		strings.ReplaceAll(key, "_", "\uff3f"), strings.ReplaceAll(key, "s", "\u0455"), key[:at] + "\x00" + key[at:], key[:at] + " " + key[at:],
		strings.ToUpper(key), strings.ToLower(key), "Bearer " + key,
	}
	return forms[r.IntN(len(forms))]
}

// TestTenantCrossing tries keys that are made of two organizations' keys. None of them was ever issued. Each must be
// refused as an unknown key and change nothing.
func TestTenantCrossing(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, w *world) {
		a, b := w.tenant(t), w.tenant(t)
		random := rand.New(rand.NewPCG(*craftSeed, 7))
		issued := map[string]bool{a.admin.Reveal(): true, a.read.Reveal(): true, b.admin.Reveal(): true, b.read.Reveal(): true}
		var keys []string
		for len(keys) < cmp.Or(*craftedKeys, sample.Size(10_000, 1_000)) {
			of := [2]apikey.Key{a.admin, b.admin}
			if random.IntN(3) == 0 {
				of = [2]apikey.Key{a.read, b.admin}
			}
			if key := craft(random, partsOf(a, of[0]), partsOf(b, of[1])); !issued[strings.TrimSpace(key)] {
				keys = append(keys, key)
			}
		}
		formed := w.tryCrossing(t, keys, a, b)
		t.Logf("%d keys, %d of them well-formed and looked up: no answer with data of either organization", len(keys), formed)
		if formed < len(keys)/4 || formed > len(keys)*3/4 {
			t.Errorf("%d of %d keys are well-formed; want many of either", formed, len(keys))
		}
		w.unchanged(t, a)
		w.unchanged(t, b)
		for _, made := range []tenant{a, b} { // and the keys that were issued still open what is theirs
			if r := w.send(t, "GET", newEvent("GET", made.read.Reveal())); r.StatusCode != 200 || !made.in(r.Body) {
				t.Errorf("GET with a key that was issued = %d, want 200", r.StatusCode)
			}
		}
	})
}

// tryCrossing sends each key, by GET or PATCH, from several goroutines. It returns how many had the form of a key.
func (w *world) tryCrossing(t *testing.T, keys []string, a, b tenant) int {
	const senders = 8
	var done sync.WaitGroup
	formed := make([]int, senders)
	for sender := range senders {
		done.Go(func() {
			for i := sender; i < len(keys); i += senders {
				if _, err := apikey.Parse(strings.TrimSpace(keys[i])); err == nil {
					formed[sender]++
				}
				method := [2]string{"GET", "PATCH"}[i/senders%2]
				e := newEvent(method, keys[i])
				if method == "PATCH" {
					e.Body = `{"organization_name":"taken over"}`
				}
				r := w.send(t, method, e)
				if all := everything(r); r.StatusCode != 401 || a.in(all) || b.in(all) {
					t.Errorf("%s with the crafted key %q = %s\nwant 401 and nothing of either organization", method, keys[i], all)
				}
			}
		})
	}
	done.Wait()
	sum := 0
	for _, n := range formed {
		sum += n
	}
	return sum
}
