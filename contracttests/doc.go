// Package contracttests runs the contract tests: every check on every way to reach the service, and at any URL. It
// holds tests only; README.md says what the packages below it do, and how to write a check or a mutant.
package contracttests
