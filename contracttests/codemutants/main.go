// Command codemutants makes deliberate faults in a copy of the code, one at a time, and runs the test that must catch
// each. It shows that the tests can fail. mutants.txt is the table of the faults.
//
// It goes on where an earlier run stopped, unless the tree has changed meanwhile. It exits with 1 if a test did not
// catch its fault, or if the table does not fit the code. It exits with 3 if -for ended it early.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	run := flag.String("run", "", "make only the faults whose name, package or test match the `expression`")
	limit := flag.Duration("for", 0, "begin no fault after so long")
	again := flag.Bool("again", false, "make also the faults that were caught already in this tree")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := work(ctx, *run, *limit, *again)
	if err != nil {
		fmt.Fprintln(os.Stderr, "codemutants:", err)
		code = 1
	}
	os.Exit(code)
}

func work(ctx context.Context, run string, limit time.Duration, again bool) (code int, err error) {
	chosen, err := regexp.Compile(run)
	if err != nil {
		return 1, err
	}
	table, err := readTable(tableText)
	if err != nil {
		return 1, err
	}
	lab, err := newLab(ctx, table)
	if err != nil {
		return 1, err
	}
	matches := func(m mutant) bool { return chosen.MatchString(m.Name + " " + m.Package + " " + m.Test) }
	if !slices.ContainsFunc(table, matches) {
		return 1, fmt.Errorf("no mutant matches %q", run)
	}
	known := lab.readResults()
	var todo []mutant
	for _, m := range table {
		if matches(m) && (again || !known[lab.key(m)]) {
			todo = append(todo, m)
		}
	}
	fmt.Printf("%d of %d mutants to try\n", len(todo), len(table))
	var bad []string
	began := time.Now()
	for i, m := range todo {
		if limit > 0 && time.Since(began) > limit {
			fmt.Printf("%d mutants are left; run the same command again\n", len(todo)-i)
			if len(bad) > 0 {
				break
			}
			return 3, nil
		}
		verdict, output := lab.try(ctx, m)
		if ctx.Err() != nil {
			return 1, context.Cause(ctx)
		}
		fmt.Printf("%3d/%d  %-14s %-40s %s %s\n", i+1, len(todo), verdict, m.Name, m.Package, m.Test)
		if verdict == caught {
			if err := lab.note(m); err != nil {
				return 1, err
			}
			continue
		}
		bad = append(bad, m.Name)
		fmt.Println(indent(output))
	}
	if len(bad) > 0 {
		fmt.Printf("%d mutants were not caught: %s\n", len(bad), strings.Join(bad, ", "))
		return 1, nil
	}
	fmt.Println("all are caught")
	return 0, nil
}

// indent returns the last lines of an output, moved to the right.
func indent(output string) string {
	const most = 30
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return "        " + strings.Join(lines[max(0, len(lines)-most):], "\n        ")
}
