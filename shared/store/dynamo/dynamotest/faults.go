package dynamotest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is a fault of one call. With the zero Fault the call passes.
type Fault struct {
	Name string
	do   func(*exchange)
}

// Named returns the fault under another name, for the figures of a run.
func (f Fault) Named(name string) Fault { return Fault{name, f.do} }

// Pass is no fault.
func Pass() Fault { return Fault{} }

// Slow delivers the call after a while.
func Slow(d time.Duration) Fault {
	return Fault{"slow", func(x *exchange) {
		select {
		case <-time.After(d):
			x.pass()
		case <-x.r.Context().Done():
		}
	}}
}

// After delivers the call, and calls done before it replies.
func After(done func()) Fault {
	return Fault{"after", func(x *exchange) {
		r := x.forward()
		done()
		x.send(r)
	}}
}

// Hang never delivers the call and never answers; it waits until the client gives up.
func Hang() Fault {
	return Fault{"hanging", func(x *exchange) { <-x.r.Context().Done() }}
}

// Drop ends the connection before the call is delivered.
func Drop() Fault { return Fault{"connection dropped", (*exchange).drop} }

// Refuse answers as DynamoDB does with an error, and delivers nothing.
func Refuse(status int, code string) Fault {
	return RefuseSaying(status, code, "refused by the plan of a test")
}

// RefuseSaying is Refuse with a message.
func RefuseSaying(status int, code, message string) Fault {
	return Fault{code, func(x *exchange) { x.refuse(status, code, message, nil) }}
}

// Throttle is the error of a table that is asked for too much.
func Throttle() Fault { return Refuse(http.StatusBadRequest, "ThrottlingException") }

// Cancel answers that the transaction was cancelled, and delivers nothing. There is one code for each item of it,
// such as TransactionConflict or None.
func Cancel(codes ...string) Fault {
	return Fault{"cancelled by " + strings.Join(codes, " and "), func(x *exchange) {
		x.refuse(http.StatusBadRequest, "TransactionCanceledException", "cancelled by the plan of a test", codes)
	}}
}

// Fail answers with a page in place of DynamoDB, as a load balancer does, and delivers nothing.
func Fail(status int) Fault {
	page := "<html><body>" + http.StatusText(status) + "</body></html>"
	return Fault{"page of status " + strconv.Itoa(status), func(x *exchange) {
		x.send(reply{status, http.Header{"Content-Type": {"text/html"}}, []byte(page)})
	}}
}

// Replace delivers nothing and replies with a text that it pretends to be DynamoDB's.
func Replace(body string) Fault {
	return Fault{"another reply", func(x *exchange) { x.sendJSON(http.StatusOK, []byte(body)) }}
}

// LoseReply delivers the call and ends the connection in place of a reply.
func LoseReply() Fault {
	return Fault{"reply lost", func(x *exchange) {
		x.forward()
		x.drop()
	}}
}

// CutReply delivers the call and ends the connection in the middle of the reply.
func CutReply() Fault {
	return Fault{"reply cut", func(x *exchange) {
		r := x.forward()
		x.w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
		r.body = r.body[:len(r.body)/2]
		x.send(r)
		_ = http.NewResponseController(x.w).Flush() // fails only if the client has gone
		x.drop()
	}}
}

// HalfReply delivers the call and sends half of the reply, in a way that HTTP takes it for the whole.
func HalfReply() Fault {
	return Fault{"half a reply", func(x *exchange) {
		r := x.forward()
		r.body = r.body[:len(r.body)/2]
		x.send(r)
	}}
}

// Garble delivers the call and replies with a text that is not JSON.
func Garble() Fault {
	return Fault{"garbage for a reply", func(x *exchange) {
		x.forward()
		x.sendJSON(http.StatusOK, []byte("\x00\xff{]<garbage>"))
	}}
}

// Late ends the connection at once, but delivers the call a while later.
func Late(d time.Duration) Fault {
	return Fault{"delivered late", func(x *exchange) {
		x.proxy.later(func() {
			time.Sleep(d)
			x.forward()
		})
		x.drop()
	}}
}

// Leave delivers the first half of the requests of a batch, and replies that the others are unprocessed.
func Leave() Fault {
	return Fault{"requests left over", func(x *exchange) {
		member := map[string]string{"BatchWriteItem": "UnprocessedItems", "BatchGetItem": "UnprocessedKeys"}[x.operation]
		left, err := x.halve()
		if err != nil {
			x.refuse(http.StatusBadRequest, "ValidationException", err.Error(), nil)
			return
		}
		r := x.forward()
		if r.status == http.StatusOK {
			r.header.Del(checksumHeader)
			if r.body, err = withMember(r.body, member, left); err != nil {
				r = unreachable(err)
			}
		}
		x.send(r)
	}}
}

// halve leaves the first half of a batch in the call, and returns the others as a reply names them.
func (x *exchange) halve() (map[string]any, error) {
	var call struct{ RequestItems map[string]any }
	if err := json.Unmarshal(x.body, &call); err != nil || len(call.RequestItems) != 1 {
		return nil, fmt.Errorf("a batch for one table is wanted: %w", err)
	}
	left := map[string]any{}
	for table, requests := range call.RequestItems {
		keys, isGet := requests.(map[string]any)
		if isGet {
			requests = keys["Keys"]
		}
		list, _ := requests.([]any)
		half := (len(list) + 1) / 2
		if isGet {
			others := maps.Clone(keys)
			keys["Keys"], others["Keys"] = list[:half], list[half:]
			left[table] = others
		} else {
			call.RequestItems[table], left[table] = list[:half], list[half:]
		}
		if half == len(list) {
			delete(left, table)
		}
	}
	body, err := withMember(x.body, "RequestItems", call.RequestItems)
	x.body = body
	return left, err
}

// withMember returns the JSON object with another value of the member.
func withMember(object []byte, name string, value any) ([]byte, error) {
	members := map[string]any{}
	if err := json.Unmarshal(object, &members); err != nil {
		return nil, err
	}
	members[name] = value
	return json.Marshal(members)
}

const (
	contentType    = "application/x-amz-json-1.0"
	checksumHeader = "X-Amz-Crc32"
)

// refuse answers with an error of the API, with a cancellation reason for each of the codes.
func (x *exchange) refuse(status int, code, message string, reasons []string) {
	body := map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#" + code, "message": message}
	if len(reasons) > 0 {
		var list []map[string]string
		for _, reason := range reasons {
			list = append(list, map[string]string{"Code": reason})
		}
		body["CancellationReasons"] = list
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // texts always encode
	}
	x.sendJSON(status, text)
}

func (x *exchange) sendJSON(status int, body []byte) {
	x.send(reply{status, http.Header{"Content-Type": {contentType}}, body})
}

// Gate holds calls until it is opened.
type Gate struct {
	arrived chan struct{}
	open    chan struct{}
}

// NewGate returns a closed gate.
func NewGate() *Gate {
	const most = 1024 // calls that nobody waits for
	return &Gate{arrived: make(chan struct{}, most), open: make(chan struct{})}
}

// Arrived yields once for each call that waits at the gate.
func (g *Gate) Arrived() <-chan struct{} { return g.arrived }

// Open lets every call through, now and later. It may be called once.
func (g *Gate) Open() { close(g.open) }

// wait reports whether the gate was opened before the client gave up.
func (g *Gate) wait(x *exchange) bool {
	g.arrived <- struct{}{}
	select {
	case <-g.open:
		return true
	case <-x.r.Context().Done():
		return false
	}
}

// HoldCall holds the call at the gate. If the client gives up meanwhile, the call is never delivered.
func HoldCall(g *Gate) Fault {
	return Fault{"call held", func(x *exchange) {
		if g.wait(x) {
			x.pass()
		}
	}}
}

// HoldReply delivers the call and holds the reply at the gate.
func HoldReply(g *Gate) Fault {
	return Fault{"reply held", func(x *exchange) {
		r := x.forward()
		if g.wait(x) {
			x.send(r)
		}
	}}
}
