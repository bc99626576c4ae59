package dynamotest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is what happens to a call. The zero Fault is none: the call passes.
type Fault struct {
	Name string
	do   func(*exchange)
}

// Pass is no fault.
func Pass() Fault { return Fault{} }

// Slow delivers the call after a while.
func Slow(d time.Duration) Fault {
	return Fault{"slow", func(x *exchange) {
		select {
		case <-time.After(d):
			x.send(x.forward())
		case <-x.r.Context().Done():
		}
	}}
}

// Hang never delivers the call and never answers; it waits until the client gives up.
func Hang() Fault {
	return Fault{"hanging", func(x *exchange) { <-x.r.Context().Done() }}
}

// Refuse answers as DynamoDB does with an error, and delivers nothing.
func Refuse(status int, code string) Fault {
	return RefuseSaying(status, code, "refused by the plan of a test")
}

// RefuseSaying is Refuse with a message.
func RefuseSaying(status int, code, message string) Fault {
	return Fault{code, func(x *exchange) { x.refuse(status, code, map[string]any{"message": message}) }}
}

// Throttle is the error of a table that is asked for too much.
func Throttle() Fault { return Refuse(http.StatusBadRequest, "ThrottlingException") }

// Fail answers with a page in place of DynamoDB, as a load balancer does, and delivers nothing.
func Fail(status int) Fault {
	return Fault{"page of status " + strconv.Itoa(status), func(x *exchange) {
		page := "<html><body>" + http.StatusText(status) + "</body></html>"
		x.send(reply{status, http.Header{"Content-Type": {"text/html"}}, []byte(page)})
	}}
}

// Cancel answers that the transaction was cancelled, and delivers nothing. There is one code for each item of it, such as
// TransactionConflict or None.
func Cancel(codes ...string) Fault {
	return Fault{"cancelled by " + strings.Join(codes, " and "), func(x *exchange) {
		var reasons []map[string]string
		for _, code := range codes {
			reasons = append(reasons, map[string]string{"Code": code})
		}
		x.refuse(http.StatusBadRequest, "TransactionCanceledException",
			map[string]any{"message": "cancelled by the plan of a test", "CancellationReasons": reasons})
	}}
}

// Drop ends the connection before the call is delivered.
func Drop() Fault { return Fault{"connection dropped", (*exchange).drop} }

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
		_ = http.NewResponseController(x.w).Flush() // fails only where the client has gone
		x.drop()
	}}
}

// HalfReply delivers the call, and of the reply a half that HTTP takes for the whole.
func HalfReply() Fault {
	return Fault{"half a reply", func(x *exchange) {
		r := x.forward()
		r.body = r.body[:len(r.body)/2]
		x.send(r)
	}}
}

// Garble delivers the call and replies with what is no JSON.
func Garble() Fault {
	return Fault{"garbage for a reply", func(x *exchange) {
		x.forward()
		x.send(reply{http.StatusOK, http.Header{"Content-Type": {contentType}}, []byte("\x00\xff{]<garbage>")})
	}}
}

// Replace delivers nothing and replies with a text that it makes out to be DynamoDB's.
func Replace(body string) Fault {
	return Fault{"another reply", func(x *exchange) {
		x.send(reply{http.StatusOK, http.Header{"Content-Type": {contentType}}, []byte(body)})
	}}
}

// Late ends the connection, and delivers the call a while later all the same.
func Late(d time.Duration) Fault {
	return Fault{"delivered late", func(x *exchange) {
		x.proxy.later(func() {
			time.Sleep(d)
			x.forward()
		})
		x.drop()
	}}
}

// Leave takes only the first of the requests of a batch, and replies that the others are unprocessed.
func Leave() Fault {
	return Fault{"requests left over", func(x *exchange) {
		left, err := x.leave()
		if err != nil {
			x.refuse(http.StatusBadRequest, "ValidationException", map[string]any{"message": err.Error()})
			return
		}
		r := x.forward()
		if r.status == http.StatusOK {
			r.header.Del(checksumHeader)
			r.body, err = addMember(r.body, map[string]string{
				"BatchWriteItem": "UnprocessedItems", "BatchGetItem": "UnprocessedKeys",
			}[x.operation], left)
			if err != nil {
				r = unreachable(err)
			}
		}
		x.send(r)
	}}
}

// leave cuts the batch down to one request, and returns the others as a reply names them.
func (x *exchange) leave() (map[string]any, error) {
	var call struct{ RequestItems map[string]any }
	if err := json.Unmarshal(x.body, &call); err != nil || len(call.RequestItems) != 1 {
		return nil, fmt.Errorf("a batch for one table is wanted: %w", err)
	}
	left := map[string]any{}
	for table, requests := range call.RequestItems {
		keep := func(all any) (first, others []any) {
			list, _ := all.([]any)
			return list[:min(1, len(list))], list[min(1, len(list)):]
		}
		if keys, isGet := requests.(map[string]any); isGet {
			others := map[string]any{}
			for name, value := range keys {
				others[name] = value
			}
			keys["Keys"], others["Keys"] = keep(keys["Keys"])
			left[table] = others
			if len(others["Keys"].([]any)) == 0 {
				delete(left, table)
			}
			continue
		}
		first, others := keep(requests)
		call.RequestItems[table] = first
		if len(others) > 0 {
			left[table] = others
		}
	}
	body, err := addMember(x.body, "RequestItems", call.RequestItems)
	x.body = body
	return left, err
}

func addMember(object []byte, name string, value any) ([]byte, error) {
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

// refuse answers with an error of the API.
func (x *exchange) refuse(status int, code string, body map[string]any) {
	body["__type"] = "com.amazonaws.dynamodb.v20120810#" + code
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // texts always encode
	}
	x.send(reply{status, http.Header{"Content-Type": {contentType}}, text})
}

// Named returns the fault under another name, for the figures of a run.
func (f Fault) Named(name string) Fault { return Fault{name, f.do} }

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

// Arrived yields once for each call that stands before the gate.
func (g *Gate) Arrived() <-chan struct{} { return g.arrived }

// Open lets every call through, those that come later included. It may be called once.
func (g *Gate) Open() { close(g.open) }

func (g *Gate) wait(x *exchange) bool {
	g.arrived <- struct{}{}
	select {
	case <-g.open:
		return true
	case <-x.r.Context().Done():
		return false
	}
}

// HoldCall keeps the call before the gate; where the client gives up meanwhile, it is never delivered.
func HoldCall(g *Gate) Fault {
	return Fault{"call held", func(x *exchange) {
		if g.wait(x) {
			x.send(x.forward())
		}
	}}
}

// HoldReply delivers the call and keeps the reply before the gate.
func HoldReply(g *Gate) Fault {
	return Fault{"reply held", func(x *exchange) {
		r := x.forward()
		if g.wait(x) {
			x.send(r)
		}
	}}
}
