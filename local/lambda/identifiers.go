package lambda

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails; crypto/rand ends the process instead
	return hex.EncodeToString(b)
}

// newRequestID returns a random UUID, as Lambda's request identifiers are.
func newRequestID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newTraceID returns a tracing header for a request that is not sampled, as nothing here collects traces: "Tracing header"
// in "AWS X-Ray concepts" of its Developer Guide.
func newTraceID(now time.Time) string {
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), random(12), random(8))
}

// newLogStream returns the name of a log stream in the form of Lambda's.
func newLogStream(now time.Time) string {
	return fmt.Sprintf("%s/[%s]%s", now.UTC().Format("2006/01/02"), version, random(16))
}

// account stands in ARNs. It is the one of AWS's examples.
const account = "123456789012"

func (s Settings) arn() string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", s.Region, account, s.Name)
}
