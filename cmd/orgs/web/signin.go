package web

import (
	"encoding/json"
	"io"
	"net"
	"net/http"

	"organizations-api/shared/plainjson"
)

// signIn gives the key of the demo organization to the console's script, for the token of a sign-in link.
type signIn struct {
	redeem func(token string) (key string, ok bool)
}

// maxToken is more than the body of a sign-in needs, in bytes.
const maxToken = 1 << 10

func (s signIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, r, http.StatusMethodNotAllowed, "The console sends the token of a sign-in link here.")
		return
	}
	if !fromThisMachine(r) {
		refuse(w, r, http.StatusForbidden, "A sign-in link works on the machine of the gateway only.")
		return
	}
	var sent struct {
		Token string `json:"token"`
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxToken))
	if err != nil || json.Unmarshal(text, &sent) != nil || sent.Token == "" {
		refuse(w, r, http.StatusBadRequest, "This is no token.")
		return
	}
	key, ok := "", false
	if s.redeem != nil {
		key, ok = s.redeem(sent.Token)
	}
	if !ok {
		refuse(w, r, http.StatusForbidden, "The link was used already, or is too old.")
		return
	}
	answer, err := plainjson.Marshal(struct {
		Key string `json:"key"`
	}{key})
	if err != nil {
		panic(err) // strings always encode
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // a client that is gone reads nothing
}

// fromThisMachine reports whether the client is on this machine.
func fromThisMachine(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}
