package serve

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"organizations-api/cmd/orgs/internal/term"
)

func TestPrettyLog(t *testing.T) {
	t.Parallel()
	const at = `"time":"2026-01-05T09:30:15.123Z"`
	clock := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC).Local().Format("15:04:05")
	for _, test := range []struct {
		name, line, want string
		colours          bool
	}{
		{"success", `{` + at + `,"level":"INFO","msg":"request","request_id":"r","route":"GET /v1/organizations","status":200,"duration_ms":3.14,"organization_id":"org_a","key_id":"key_a"}`,
			clock + "  GET    /v1/organizations  200     3.1 ms  org_a", false},
		{"no key", `{` + at + `,"level":"INFO","msg":"request","route":"PATCH /v1/organizations","status":401,"duration_ms":0.2,"code":"api_key_missing"}`,
			clock + "  PATCH  /v1/organizations  \x1b[33m401\x1b[0m     0.2 ms  api_key_missing", true},
		{"fault", `{` + at + `,"level":"ERROR","msg":"request","route":"GET /v1/organizations","status":503,"duration_ms":800,"organization_id":"org_a","code":"store_unavailable","error":"disk\u001b[2J full"}`,
			clock + "  GET    /v1/organizations  \x1b[31m503\x1b[0m   800.0 ms  org_a  store_unavailable  disk\\x1b[2J full", true},
		{"event", `{` + at + `,"level":"INFO","msg":"serving","store":"sqlite:a","rate_limits":true,"address":"127.0.0.1:1"}`,
			clock + "  serving  address=127.0.0.1:1  rate_limits=true  store=sqlite:a", false},
		{"warning", `{` + at + `,"level":"WARN","msg":"no TLS"}`, clock + "  WARN  no TLS", false},
		{"no JSON", "panic: \x1b[31mred", `panic: \x1b[31mred`, false},
		{"other JSON", `{"a":1}`, `{"a":1}`, false},
	} {
		var out bytes.Buffer
		screen := &term.Screen{Writer: &out, Colours: test.colours}
		log := newLog(screen, logPretty)
		if n, err := log.Write([]byte(test.line + "\n")); err != nil || n != len(test.line)+1 {
			t.Errorf("%s: Write = %d, %v, want all", test.name, n, err)
		}
		if got := strings.TrimSuffix(out.String(), "\n"); got != test.want {
			t.Errorf("%s:\n got %q\nwant %q", test.name, got, test.want)
		}
	}
}

// TestLogForWhom: a terminal gets lines for a person, unless it is told otherwise.
func TestLogForWhom(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		terminal bool
		format   string
		pretty   bool
	}{
		{true, logAuto, true}, {false, logAuto, false}, {true, logJSON, false}, {false, logPretty, true},
	} {
		_, pretty := newLog(&term.Screen{Terminal: test.terminal}, test.format).(prettyLog)
		if pretty != test.pretty {
			t.Errorf("the log of a terminal: %t, with --log %s is pretty: %t, want %t", test.terminal, test.format, pretty, test.pretty)
		}
	}
}

// TestWrapped: a terminal that is too narrow for a curl line does not break it in the middle of a key.
func TestWrapped(t *testing.T) {
	t.Parallel()
	const line = "  curl -sS http://127.0.0.1:8080/v1/organizations -H 'Authorization: Bearer KEY' -d '{}'"
	const broken = "  curl -sS http://127.0.0.1:8080/v1/organizations \\\n    -H 'Authorization: Bearer KEY' \\\n    -d '{}'"
	for width, want := range map[int]string{0: line, 200: line, 60: broken} {
		if got := wrapped(line, width); got != want {
			t.Errorf("wrapped to %d = %q, want %q", width, got, want)
		}
	}
}
