package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestEveryCommandHasHelp checks that each says what it does and has examples that it would understand.
func TestEveryCommandHasHelp(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			visit(sub)
		}
		if c.Name() == "completion" || c.Name() == "help" || c.HasParent() && c.Parent().Name() == "completion" {
			return // cobra's own
		}
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s has the summary %q and the examples %q, want both", c.CommandPath(), c.Short, c.Example)
		}
		for line := range strings.Lines(c.Example) {
			checkExample(t, env, c, strings.TrimSpace(line))
		}
	}
	visit(newApp(env.get, nil, nil).rootCommand())
}

// checkExample parses the line as the command would.
func checkExample(t *testing.T, env environment, c *cobra.Command, line string) {
	t.Helper()
	words := strings.Split(strings.ReplaceAll(line, "'Northwind Video'", "Northwind"), " ")
	if words[0] != "orgs" {
		t.Errorf("an example of %s is %q, want it to start with orgs", c.CommandPath(), line)
		return
	}
	root := newApp(env.get, nil, nil).rootCommand()
	found, rest, err := root.Find(words[1:])
	if err == nil {
		err = found.ParseFlags(rest)
	}
	if err == nil {
		err = found.ValidateRequiredFlags()
	}
	if err == nil {
		err = found.ValidateArgs(found.Flags().Args())
	}
	if err != nil {
		t.Errorf("the example %q is not understood: %v", line, err)
	} else if !strings.HasPrefix(found.CommandPath(), c.CommandPath()) {
		t.Errorf("the example %q is of %s, want %s", line, found.CommandPath(), c.CommandPath())
	}
}
