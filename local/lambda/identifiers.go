package lambda

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"time"
)

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails; crypto/rand ends the process instead
	return hex.EncodeToString(b)
}

// newRequestID returns a random UUID, like Lambda's request identifiers.
func newRequestID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

type traceKey struct{}

// WithTraceID returns a context for invocations that belong to the trace of this header x-amzn-trace-id. If the header
// has no root, each invocation begins a trace of its own.
func WithTraceID(ctx context.Context, header string) context.Context {
	return context.WithValue(ctx, traceKey{}, header)
}

// traceRoot finds the root in a tracing header: "Tracing header" in "AWS X-Ray concepts" of the X-Ray Developer Guide.
var traceRoot = regexp.MustCompile(`(?:^|;)\s*Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)`)

// newTraceID returns the tracing header of an invocation. The trace is not sampled, because nothing here collects
// traces.
func newTraceID(ctx context.Context, now time.Time) string {
	root := fmt.Sprintf("1-%08x-%s", now.Unix(), random(12))
	header, _ := ctx.Value(traceKey{}).(string)
	if match := traceRoot.FindStringSubmatch(header); match != nil {
		root = match[1]
	}
	return fmt.Sprintf("Root=%s;Parent=%s;Sampled=0", root, random(8))
}

// newLogStream returns the name of a log stream, as Lambda writes it.
func newLogStream(now time.Time) string {
	return fmt.Sprintf("%s/[%s]%s", now.UTC().Format("2006/01/02"), version, random(16))
}

// account is the account number in ARNs. AWS uses it in examples.
const account = "123456789012"

func (s Settings) arn() string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", s.Region, account, s.Name)
}
