// Package attacks attacks the service the way that docs/security.md says it will be attacked: by keys made of other
// keys' parts, by events whose fields contradict each other, by values that try to write into the log, by JSON that is
// meant to exhaust, and by texts that are not what they look like.
//
// It holds tests only. What the contract says of a request is tested in contracttests; here is what a contract does not say.
package attacks
