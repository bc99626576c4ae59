package spec

import (
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is one schema. It is safe for concurrent use.
type Schema struct {
	Compiled *jsonschema.Schema
	Shape    *Shape
	Nullable bool
}

func newSchema(compiled *jsonschema.Schema) *Schema {
	return &Schema{
		Compiled: compiled,
		Shape:    newShape(compiled),
		Nullable: compiled.Validate(nil) == nil,
	}
}
