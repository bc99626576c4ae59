package backend

import (
	"os"
	"path/filepath"
	"strings"

	"organizations-api/cmd/orgs/internal/term"
)

// Choice names a store: sqlite:PATH or dynamodb:PREFIX. Any text can be a Choice. Opening it returns an error if the
// text has neither form.
type Choice string

// DefaultChoice is the store if neither the flag nor the environment names one.
const DefaultChoice Choice = "sqlite:.orgs/orgs.db"

// The engines, as a Choice names them.
const (
	engineSQLite   = "sqlite"
	engineDynamoDB = "dynamodb"
)

// parse returns the engine, and the path or prefix. It does not look for the store.
func (c Choice) parse() (engine, rest string, err error) {
	engine, rest, _ = strings.Cut(string(c), ":")
	if rest == "" || engine != engineSQLite && engine != engineDynamoDB {
		return "", "", term.Fail(term.Usage, "the store %q is neither sqlite:PATH nor dynamodb:PREFIX", string(c))
	}
	return engine, rest, nil
}

// NeedsDynamoDB refuses a store that is not on DynamoDB, with the reason why. It opens nothing, so it makes no file.
func (c Choice) NeedsDynamoDB(why string) error {
	engine, _, err := c.parse()
	if err == nil && engine != engineDynamoDB {
		return term.Fail(term.Usage, "%s; --store is %s, and dynamodb:PREFIX would do", why, term.Printable(string(c)))
	}
	return err
}

// CommandLine returns a shell command that runs the command, such as "keys list ORG", on this store.
func (c Choice) CommandLine(command string) string {
	if c != DefaultChoice {
		command += " --store " + Quote(string(c))
	}
	return program() + " " + command
}

// program returns the path by which this command was called, or its name if that path will not be there later.
func program() string {
	const name = "orgs"
	// The path is absolute under go run, and goes away afterwards.
	if called := os.Args[0]; filepath.Base(called) == name && !filepath.IsAbs(called) {
		return Quote(called)
	}
	return name
}

// Quote returns the text as one word for a shell.
func Quote(s string) string {
	special := func(r rune) bool {
		plain := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-./:", r)
		return !plain
	}
	if !strings.ContainsFunc(s, special) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
