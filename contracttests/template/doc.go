// Package template holds template.yaml and edge.yaml to what AWS would make of them. Its tests run SAM's own
// translator and cfn-lint, both of Python, over sets of parameters: translate.py. They look into the translated
// templates: that no reference ends nowhere or in a circle, and that parameters have the effect that
// docs/operations.md promises.
//
// `make test-template` installs the two where they are missing. Where they are not there, the tests that need them
// fail in CI (CI=true), and elsewhere are skipped with a message.
package template
