// Package attacks attacks the service in the ways of docs/security.md: with keys made from parts of other keys, with
// events whose fields contradict each other, with values that try to write into the log, with JSON that tries to
// exhaust the service, and with texts that look like others.
//
// It holds tests only, and nothing may import it. The other packages of contracttests test what the contract says about
// a request. This package tests what a contract does not say.
package attacks
