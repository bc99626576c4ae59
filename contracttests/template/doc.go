// Package template tests template.yaml and edge.yaml as AWS would read them. Its tests run SAM's own translator and
// cfn-lint, which are in Python, over sets of parameters: translate.py. They check the translated templates: every
// reference leads somewhere, none leads in a circle, and parameters have the effect that docs/operations.md promises.
//
// `make test-template` installs the two if they are missing. Without them, the tests that need them fail in CI
// (CI=true). Elsewhere they are skipped with a message.
package template
