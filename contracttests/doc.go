// Package contracttests judges HTTP exchanges by an OpenAPI 3.1 document, as strictly as can be.
//
// A Validator takes one request and its response as plain data and returns every departure from the document: those
// that a schema states, and those that schema validators commonly let pass, such as an undeclared member, an empty
// body, a member that is given twice or a header that nobody declared. Point it at any service through
// Validator.RoundTripper (the client's side) or Validator.Middleware (the handler's side).
//
// The suite drives a service: a Subject is one with what it takes to test it, Checks are the tests, and Run runs one and
// returns what it found. StatusChecks bring about every declared response, LawChecks hold it to what no schema states.
// Checks never use package testing, so that they also run against services that are wrong on purpose.
//
// The package is the independent judge of the service. It must not import the service's own validation, JSON or HTTP
// code: a fault that judge and judged share is a fault that nobody sees. Of the module it may import the document
// (shared/openapi) and, in tests, whatever puts a service together, which is in internal/subjects.
package contracttests
