// Package openapi holds the API's contract: the OpenAPI 3.1 document that the service implements, clients are
// generated from, and the contract tests judge by.
//
// It must not import anything but embed: whoever needs the document parsed brings a parser.
package openapi

import _ "embed"

// YAML is the document as it stands in openapi.yaml. It must not be modified.
//
//go:embed openapi.yaml
var YAML []byte
