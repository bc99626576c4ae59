package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Rule is the stable name of a check, for programs.
type Rule string

// The checks that apply to every document. A service adds its own with With and WithRequest.
const (
	RuleOperationUndeclared Rule = "operation-undeclared" // no such path or method
	RuleStatusUndeclared    Rule = "status-undeclared"    // the operation declares no such status
	RuleStatusInvalid       Rule = "status-invalid"       // not a final HTTP status

	RuleMediaType      Rule = "media-type"       // a media type that is not declared
	RuleContentType    Rule = "content-type"     // Content-Type is absent, repeated or malformed, or has other parameters than charset=utf-8
	RuleContentLength  Rule = "content-length"   // Content-Length is not the length of the body
	RuleBodyEmpty      Rule = "body-empty"       // a body is declared and none was sent
	RuleBodyBlank      Rule = "body-blank"       // nothing but white space
	RuleBodyNull       Rule = "body-null"        // the body is null and the schema refuses null
	RuleBodyOnHead     Rule = "body-on-head"     // a body in answer to HEAD
	RuleBodyOn204      Rule = "body-on-204"      // a body with status 204
	RuleBodyOn304      Rule = "body-on-304"      // a body with status 304
	RuleBodyUndeclared Rule = "body-undeclared"  // a body where none is declared
	RuleBodyUnreadable Rule = "body-unreadable"  // the body broke off
	RuleBodyNotDecoded Rule = "body-not-decoded" // a media type with a schema that cannot be decoded

	RuleJSONMalformed       Rule = "json-malformed"
	RuleJSONTrailingData    Rule = "json-trailing-data"
	RuleJSONInvalidUTF8     Rule = "json-invalid-utf8"
	RuleJSONLoneSurrogate   Rule = "json-lone-surrogate"
	RuleJSONDuplicateMember Rule = "json-duplicate-member"
	RuleJSONNumberInexact   Rule = "json-number-inexact" // a float64 cannot hold the number
	RuleJSONIntegerForm     Rule = "json-integer-form"   // an integer with a point or an exponent

	RuleSchema             Rule = "schema"
	RuleSchemaFormat       Rule = "schema-format"
	RulePropertyUndeclared Rule = "property-undeclared"
	RuleMemberWriteOnly    Rule = "member-write-only" // a response has a member that only requests have
	RuleDateTimeForm       Rule = "date-time-form"    // RFC 3339, but in lower case or with a leap second

	RuleHeaderMissing    Rule = "header-missing"
	RuleHeaderRepeated   Rule = "header-repeated"
	RuleHeaderType       Rule = "header-type"   // not a value of the declared type
	RuleHeaderSchema     Rule = "header-schema" // of the type, but refused by the schema
	RuleHeaderUndeclared Rule = "header-undeclared"
	RuleHeaderValue      Rule = "header-value" // bytes that no header value may have

	RuleParameter Rule = "parameter" // of a request only
	RuleSecurity  Rule = "security"  // of a request only

	RuleMore Rule = "more" // there are more violations than a report shows
)

// MaxViolations bounds the list of one half of an exchange.
const MaxViolations = 200

// Violation is one departure from the document. Its texts are bounded, on one line, and free of credentials.
type Violation struct {
	Rule      Rule
	Operation string // operationId, or method and path template
	Status    int    // 0 in a request
	Pointer   string // JSON pointer into the body or parameter; for a missing member, where it should be
	Header    string // the name of the header or parameter, empty if it is about the body
	In        string // where the parameter is: path, query or cookie. Empty for a header
	Keyword   string // of the schema, such as "required"
	Expected  string
	Got       string
}

// String returns the violation on one line.
func (v Violation) String() string {
	half := "request"
	if v.Status != 0 {
		half = fmt.Sprintf("%d", v.Status)
	}
	where := ""
	switch {
	case v.Header != "" && v.Pointer != "":
		where = fmt.Sprintf(" at %s of %s %s", v.Pointer, v.kind(), v.Header)
	case v.Header != "":
		where = fmt.Sprintf(" at %s %s", v.kind(), v.Header)
	case v.Pointer != "":
		where = " at " + v.Pointer
	}
	return fmt.Sprintf("%s %s: %s%s: got %s, want %s", v.Operation, half, v.Rule, where, v.Got, v.Expected)
}

// kind says what Header is the name of.
func (v Violation) kind() string {
	if v.In == "" {
		return "header"
	}
	return v.In + " parameter"
}

// tidied returns the violations sorted and each once, so that one exchange always gives the same list. It clips and
// redacts their texts, so that anybody may see them.
func tidied(all []Violation) []Violation {
	slices.SortFunc(all, compare)
	all = slices.Compact(all)
	more := len(all) - MaxViolations
	if more > 0 {
		all = all[:MaxViolations]
	}
	for i := range all {
		v := &all[i]
		v.Pointer, v.Header = Clip(v.Pointer, MaxPointer), Clip(v.Header, MaxValue)
		v.Expected, v.Got = Clip(v.Expected, MaxText), Clip(v.Got, MaxText)
	}
	slices.SortFunc(all, compare)
	all = slices.Compact(all)
	if more > 0 {
		last := all[len(all)-1]
		all = append(all, Violation{
			Rule: RuleMore, Operation: last.Operation, Status: last.Status,
			Expected: fmt.Sprintf("at most %d violations", MaxViolations), Got: fmt.Sprintf("%d more", more),
		})
	}
	return all
}

func compare(a, b Violation) int {
	return cmp.Or(
		strings.Compare(a.Operation, b.Operation), cmp.Compare(a.Status, b.Status),
		strings.Compare(a.Header, b.Header), strings.Compare(a.In, b.In), strings.Compare(a.Pointer, b.Pointer),
		strings.Compare(string(a.Rule), string(b.Rule)), strings.Compare(a.Keyword, b.Keyword),
		strings.Compare(a.Expected, b.Expected), strings.Compare(a.Got, b.Got),
	)
}
