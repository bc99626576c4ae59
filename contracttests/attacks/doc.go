// Package attacks attacks the service the way that docs/security.md says it will be attacked: by keys made of other
// keys' parts, by events whose fields contradict each other, by values that try to write into the log, by JSON that is
// meant to exhaust, and by texts that are not what they look like.
//
// It holds tests only, and nothing may import it. The other packages of contracttests test what the contract says
// about a request; this package tests what a contract does not say.
package attacks
