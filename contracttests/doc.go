// Package contracttests tests the service from the outside.
//
// TestSuite runs all checks against the service in several set-ups, or against a URL, and reports which parts of the
// document were exercised. The drift tests compare the document with the structure of the API that it is compatible
// with, with the service's routes and members, and with template.yaml.
//
// The packages below it are the parts: spec reads the document, judge judges exchanges by it, harness drives a service,
// checks and bodies are the tests, coverage counts and reports, mutants are services that are wrong on purpose. This
// package holds tests only, so nothing imports it. README.md says how to write a check or a mutant.
package contracttests
