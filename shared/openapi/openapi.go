// Package openapi holds the API's contract as an OpenAPI 3.1 document. The service implements it, clients are generated
// from it, and the contract tests check every response against it.
//
// It must import nothing but embed. Code that needs the parsed document uses a parser of its own.
package openapi

import _ "embed"

// YAML is the content of openapi.yaml. It must not be modified.
//
//go:embed openapi.yaml
var YAML []byte
