// Package testnames finds tests by their names, for the tests that hold documents and tables against them.
//
// It must import nothing of this project, so that the tests which use it compile in a moment.
package testnames

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Declares reports whether a test file of the folder declares the test, benchmark or fuzz target. It only reads the
// text. It returns an error if a file cannot be read.
func Declares(folder, test string) (bool, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return false, fmt.Errorf("looking for the test files of %s: %w", folder, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return false, err
		}
		if strings.Contains(string(text), "\nfunc "+test+"(") {
			return true, nil
		}
	}
	return false, nil
}
