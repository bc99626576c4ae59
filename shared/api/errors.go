package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"organizations-api/shared/store"
)

// ErrorType says which error status a request ends with.
type ErrorType int

// The types, one for each error status of the contract.
const (
	Internal ErrorType = iota
	BadRequest
	Unauthorized
	Forbidden
	NotFound
	PreconditionFailed
	Invalid
	TooManyRequests
	Unavailable
)

// errorTypes says what callers see of each type.
var errorTypes = [...]struct {
	status int
	name   string
	code   string // of an error that has no code of its own
}{
	Internal:           {http.StatusInternalServerError, "InternalServerError", "internal"},
	BadRequest:         {http.StatusBadRequest, "BadRequestError", "request_malformed"},
	Unauthorized:       {http.StatusUnauthorized, "UnauthorizedError", "api_key_invalid"},
	Forbidden:          {http.StatusForbidden, "ForbiddenError", "permission_required"},
	NotFound:           {http.StatusNotFound, "NotFoundError", "organization_not_found"},
	PreconditionFailed: {http.StatusPreconditionFailed, "PreconditionFailedError", "version_mismatch"},
	Invalid:            {http.StatusUnprocessableEntity, "ValidationError", "validation_failed"},
	TooManyRequests:    {http.StatusTooManyRequests, "TooManyRequestsError", "rate_limited"},
	Unavailable:        {http.StatusServiceUnavailable, "ServiceUnavailableError", "store_unavailable"},
}

// Error is an error for the caller, who sees Message, Code and Details. Only the log has Cause.
type Error struct {
	Type     ErrorType
	Code     string         // "": that of the type
	Message  string         // a sentence for the caller
	Details  map[string]any // nil: none
	Problems []Problem      // at least one, if the type is Invalid
	Cause    error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Cause.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

func (e *Error) code() string {
	if e.Code != "" {
		return e.Code
	}
	return errorTypes[e.Type].code
}

// asError returns err's *Error. Any other error becomes an Internal error, so its text never reaches the caller.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Type: Internal, Message: "The service failed to answer this request.", Cause: err}
}

// storeError returns a 503 error with the message if the store is unavailable, and else err itself.
func (c *call) storeError(err error, message string) error {
	if !store.Unavailable(err) {
		return err
	}
	c.retryAfter(0)
	return &Error{Type: Unavailable, Message: message, Cause: err}
}

// The JSON shapes of the contract's errors.
type (
	errorBody struct {
		Success bool        `json:"success"`
		Status  int         `json:"status"`
		Error   errorDetail `json:"error"`
	}
	errorDetail struct {
		Message string         `json:"message"`
		Type    string         `json:"type"`
		Code    string         `json:"code"`
		Details map[string]any `json:"details"`
	}
	// validationBody is an errorBody that also has the problems as FastAPI writes them. Clients read one or the other.
	validationBody struct {
		errorBody
		Detail []Problem `json:"detail"`
	}
	// validationError is a Problem in the form of error.details.validation_errors.
	validationError struct {
		Type     string `json:"type"`
		Location []any  `json:"location"`
		Message  string `json:"message"`
	}
)

// errorResponse returns the response for an error. Every error response is made here.
func errorResponse(err error) response {
	e := asError(err)
	t := errorTypes[e.Type]
	envelope := errorBody{
		Status: t.status,
		Error:  errorDetail{Message: e.Message, Type: t.name, Code: e.code(), Details: e.Details},
	}
	var body any = envelope
	if e.Type == Invalid {
		body = validationBody{errorBody: envelope, Detail: e.Problems}
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Errorf("encoding an error: %w", err)) // strings and numbers always encode
	}
	return response{status: t.status, body: text}
}

// Problem is one reason why a request does not fit the contract: the JSON shape of ValidationError. Messages and types
// are those of Pydantic v2 in strict mode, because the clients of this API know them.
type Problem struct {
	Loc  []any  `json:"loc"` // strings and ints: "body" or "header", then the way to the value
	Msg  string `json:"msg"`
	Type string `json:"type"`
}

func invalid(problems []Problem) error {
	errors := make([]validationError, len(problems))
	for i, p := range problems {
		errors[i] = validationError{Type: p.Type, Location: p.Loc, Message: p.Msg}
	}
	message := "The request has a problem."
	if len(problems) > 1 {
		message = fmt.Sprintf("The request has %d problems.", len(problems))
	}
	return &Error{
		Type:     Invalid,
		Message:  message,
		Details:  map[string]any{"validation_errors": errors},
		Problems: problems,
	}
}

// problems collects the problems of a body.
type problems []Problem

// maxProblems is how many problems of a body are reported. A body can have tens of thousands of them, and the answer
// would then be many times as long as the request.
const maxProblems = 100

func (p *problems) add(loc []any, problemType, format string, args ...any) {
	if len(*p) == maxProblems {
		return
	}
	*p = append(*p, Problem{Loc: loc, Msg: fmt.Sprintf(format, args...), Type: problemType})
}

func (p *problems) notString(loc []any) { p.add(loc, "string_type", "Input should be a valid string") }

func (p *problems) notModel(loc []any) {
	p.add(loc, "model_attributes_type", "Input should be a valid dictionary or object to extract fields from")
}
