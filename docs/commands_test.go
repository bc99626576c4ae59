package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"organizations-api/shared/store/dynamo/dynamotest"
)

// prelude prepares the shell of each document. It starts a DynamoDB instead of AWS's, with the tables of a stack and an
// organization, and defines functions for commands that do not end by themselves.
const prelude = `
set -euo pipefail
servers=()
stop() { for pid in "${servers[@]}"; do kill "$pid" || true; wait "$pid" || true; done; }
trap stop EXIT

value() { grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

# background runs a server until the document ends, and sets URL to where it is. The first one has made an organization.
background() {
	rm -f stdout.log stderr.log && touch stderr.log # or the lines of the one before are taken for its own
	"$@" >stdout.log 2>stderr.log &
	servers+=($!)
	for _ in $(seq 1200); do
		if grep -q '"msg":"serving"' stderr.log; then
			URL="http://$(value address <stderr.log)"
			if [ -z "${ORG:-}" ]; then
				KEY=$(grep -o 'sk_live_[A-Za-z0-9_]*' stdout.log | head -n 1)
				ORG=$(grep -o 'org_[A-Za-z0-9]*' stdout.log | head -n 1)
			fi
			return
		fi
		kill -0 $! || break
		sleep 0.1
	done
	cat stdout.log stderr.log >&2
	return 1
}

export PATH="$PWD/build:$PATH"
go build -o build/orgs ./cmd/orgs
orgs --store "dynamodb:$STACK" tables create >/dev/null
orgs --store "dynamodb:organizations-api" tables create >/dev/null
AWS_ORG=$(orgs --store "dynamodb:$STACK" create --name Stack --json | value organization_id)

# fresh issues a key for each fence that does something to one: what one does to it is none of the others' business.
fresh() {
	KEY_ID=$(orgs keys issue "$ORG" --permission read --json | value key_id)
	AWS_KEY_ID=$(orgs --store "dynamodb:$STACK" keys issue "$AWS_ORG" --permission read --json | value key_id)
}
`

// elsewhere is the prelude of every document but the README, which starts its own gateway.
const elsewhere = `
created=$(orgs create --name Docs --tier enterprise --json)
ORG=$(value organization_id <<<"$created"); KEY=$(value key <<<"$created")
background orgs serve --addr 127.0.0.1:0
API_URL=$URL
`

// TestCommands runs the commands of each document in one shell, in their order.
func TestCommands(t *testing.T) {
	t.Parallel()
	clone := filepath.Join(t.TempDir(), "clone")
	if out, err := exec.CommandContext(t.Context(), "git", "clone", "--quiet", root, clone).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	stack := dynamotest.Prefix()
	for _, file := range documents(t) {
		script := prelude
		if file != "README.md" {
			script += elsewhere
		}
		commands := 0
		for _, f := range fencesOf(t, file) {
			if f.language != "sh" || f.reason != "" {
				continue
			}
			if strings.Contains(strings.Join(f.lines, " "), "KEY_ID") {
				script += "fresh\n"
			}
			for _, command := range f.commands() {
				script += fmt.Sprintf("echo '== %v' >&2\n%s\n", f, filled(command, dynamotest.Endpoint(t)))
				commands++
			}
		}
		if commands == 0 {
			continue
		}
		t.Run(file, func(t *testing.T) { runScript(t, clone, script, stack) })
	}
}

// runScript runs the commands of one document.
func runScript(t *testing.T, clone, script, stack string) {
	started := time.Now()
	command := exec.CommandContext(t.Context(), "bash", "-c", script)
	command.Dir = clone
	command.Env = append(os.Environ(), "STACK="+stack, "AWS_ENDPOINT_URL_DYNAMODB="+dynamotest.Endpoint(t), "ORGS_STORE=")
	// The servers end with the shell, which the interrupt lets clean up.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 30 * time.Second
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("took %.1f s", time.Since(started).Seconds())
}

var (
	serverPattern = regexp.MustCompile(`^make run\b|^(build/)?orgs .*\bserve\b`)
	keyPattern    = regexp.MustCompile(`sk_(live_)?…`)
	quotedPattern = regexp.MustCompile(`'[^']*sk_[^']*'`)
)

// filled returns the command with values in the places that the reader fills in.
func filled(command, endpoint string) string {
	org, keyID := `"$ORG"`, `"$KEY_ID"`
	if strings.Contains(command, "dynamodb:STACK") {
		org, keyID = `"$AWS_ORG"`, `"$AWS_KEY_ID"`
	}
	for placeholder, value := range map[string]string{`\bORG\b`: org, `\bKEY_ID\b`: keyID, `\bSTACK\b`: `"$STACK"`} {
		command = regexp.MustCompile(placeholder).ReplaceAllLiteralString(command, value)
	}
	key := `"$KEY"`
	if quotedPattern.MatchString(command) {
		key = `'"$KEY"'` // the shell fills nothing in between single quotes
	}
	command = keyPattern.ReplaceAllLiteralString(command, key)
	command = strings.ReplaceAll(command, "http://127.0.0.1:8000", endpoint)
	command = strings.ReplaceAll(command, "http://127.0.0.1:8080", `"$URL"`)
	command = strings.ReplaceAll(command, "curl ", "curl --fail ")
	switch {
	case strings.HasPrefix(command, "make run"):
		return "background " + command + " ADDR=127.0.0.1:0"
	case serverPattern.MatchString(command):
		return "background " + command + " --addr 127.0.0.1:0"
	default:
		return command
	}
}
