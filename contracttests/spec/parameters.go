package spec

import (
	"net/http"

	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/helpers"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// ParameterProblem is a departure of a request's parameters or credentials from the document.
type ParameterProblem struct {
	Name     string // of the parameter, or of the header that carries the credentials
	Message  string
	Security bool // credentials are missing
}

// CheckParameters judges the path and query parameters of a request, and whether it has credentials. It does not judge
// header parameters. The request's path must not have a base path before it.
func (d *Document) CheckParameters(r *http.Request) []ParameterProblem { return d.checkParameters(r) }

func parameterCheck(document *v3.Document) func(*http.Request) []ParameterProblem {
	library := validator.NewValidatorFromV3Model(document, append(formats(), config.WithoutRequestBodyValidation())...)
	return func(r *http.Request) []ParameterProblem {
		var all []ParameterProblem
		_, found := library.ValidateHttpRequestSync(r)
		for _, e := range found {
			if e.ValidationType == helpers.ParameterValidation && e.ValidationSubType == helpers.ParameterValidationHeader {
				continue
			}
			all = append(all, ParameterProblem{
				Name: e.ParameterName, Message: e.Message, Security: e.ValidationType == helpers.SecurityValidation,
			})
		}
		return all
	}
}

// formats has formats checked, including those of OpenAPI's integers, which the library does not know.
func formats() []config.Option {
	return []config.Option{
		config.WithFormatAssertions(),
		config.WithCustomFormat("int32", integerFormat(32)),
		config.WithCustomFormat("int64", integerFormat(64)),
	}
}
