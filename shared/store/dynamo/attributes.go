package dynamo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/organization"
)

type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func boolean(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }

func timestamp(t time.Time) types.AttributeValue { return str(organization.FormatTime(t)) }

// reader takes attributes out of an item. It keeps the first error and answers with zero values from then on, so that a
// whole item is decoded before the error is looked at once.
type reader struct {
	item item
	err  error
}

func (r *reader) fail(name, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("attribute %s is not %s", name, want)
	}
}

func (r *reader) has(name string) bool {
	_, ok := r.item[name]
	return ok
}

func (r *reader) str(name string) string {
	v, ok := r.item[name].(*types.AttributeValueMemberS)
	if !ok {
		r.fail(name, "a string")
		return ""
	}
	return v.Value
}

func (r *reader) optional(name string) *string {
	if !r.has(name) {
		return nil
	}
	s := r.str(name)
	return &s
}

func (r *reader) num(name string) int64 {
	v, ok := r.item[name].(*types.AttributeValueMemberN)
	if !ok {
		r.fail(name, "a number")
		return 0
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil {
		r.fail(name, "a 64-bit integer")
	}
	return n
}

func (r *reader) boolean(name string) bool {
	v, ok := r.item[name].(*types.AttributeValueMemberBOOL)
	if !ok {
		r.fail(name, "a boolean")
		return false
	}
	return v.Value
}

func (r *reader) time(name string) time.Time {
	t, err := organization.ParseTime(r.str(name))
	if err != nil {
		r.fail(name, "a time")
	}
	return t
}

func (r *reader) optionalTime(name string) *time.Time {
	if !r.has(name) {
		return nil
	}
	t := r.time(name)
	return &t
}

// object returns the attributes of a map, and nothing where the map is absent.
func (r *reader) object(name string) item {
	if !r.has(name) {
		return nil
	}
	v, ok := r.item[name].(*types.AttributeValueMemberM)
	if !ok {
		r.fail(name, "a map")
		return nil
	}
	return v.Value
}
