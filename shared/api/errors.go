package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"organizations-api/shared/store"
)

// Kind is what kind of error a request ends with.
type Kind int

// The kinds, one for each error status of the contract.
const (
	Internal Kind = iota
	BadRequest
	Unauthorized
	Forbidden
	NotFound
	PreconditionFailed
	Invalid
	TooManyRequests
	Unavailable
)

// kinds is the one table from kinds to what callers see.
var kinds = [...]struct {
	status    int
	errorType string
	code      string // where an error names none
}{
	Internal:           {http.StatusInternalServerError, "InternalServerError", "internal"},
	BadRequest:         {http.StatusBadRequest, "BadRequestError", "request_malformed"},
	Unauthorized:       {http.StatusUnauthorized, "UnauthorizedError", "api_key_invalid"},
	Forbidden:          {http.StatusForbidden, "ForbiddenError", "permission_required"},
	NotFound:           {http.StatusNotFound, "NotFoundError", "organization_not_found"},
	PreconditionFailed: {http.StatusPreconditionFailed, "PreconditionFailedError", "version_mismatch"},
	Invalid:            {http.StatusUnprocessableEntity, "", "validation"},
	TooManyRequests:    {http.StatusTooManyRequests, "TooManyRequestsError", "rate_limited"},
	Unavailable:        {http.StatusServiceUnavailable, "ServiceUnavailableError", "store_unavailable"},
}

// Error is an error of which the caller is told Message, Code and Details; Cause is for the log alone.
type Error struct {
	Kind     Kind
	Code     string         // "" is the kind's own
	Message  string         // a sentence for the caller
	Details  map[string]any // nil: none
	Problems []Problem      // of an Invalid, at least one
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
	return kinds[e.Kind].code
}

// asError makes an Error of any error; of one that is none, the caller learns nothing but that it happened.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Internal, Message: "The service failed to answer this request.", Cause: err}
}

// storeError makes an Error of one that the store returned and that the operation does not know better.
func (c *call) storeError(err error, message string) error {
	if !store.Unavailable(err) {
		return err
	}
	c.retryAfter(0)
	return &Error{Kind: Unavailable, Message: message, Cause: err}
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
	validationBody struct {
		Detail []Problem `json:"detail"`
	}
)

// errorResponse is the one place where errors become responses.
func errorResponse(err error) response {
	e := asError(err)
	kind := kinds[e.Kind]
	var body any = errorBody{
		Status: kind.status,
		Error:  errorDetail{Message: e.Message, Type: kind.errorType, Code: e.code(), Details: e.Details},
	}
	if e.Kind == Invalid {
		body = validationBody{Detail: e.Problems}
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Errorf("encoding an error: %w", err)) // strings and numbers always encode
	}
	return response{status: kind.status, body: text}
}
