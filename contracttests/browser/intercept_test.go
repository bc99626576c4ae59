package browser

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// reply is what a request gets in place of the gateway's answer.
type reply struct {
	status int64 // 0: no answer at all
	header map[string]string
	body   string
}

// intercept answers requests of the method for the path by itself, until relay.
func (tb *tab) intercept(method, path string, with reply) {
	tb.t.Helper()
	tb.mutex.Lock()
	tb.replies[method+" "+path] = with
	tb.mutex.Unlock()
	tb.pause(path)
}

// hold keeps requests from the gateway for a while.
type hold struct {
	arrived chan struct{} // gets one for each request
	over    chan struct{} // is closed when they may go on
}

// hold keeps requests of the method for the path from the gateway. arrived returns when there is one; release lets all of
// them go on.
func (tb *tab) hold(method, path string) (arrived, release func()) {
	tb.t.Helper()
	h := hold{make(chan struct{}, 100), make(chan struct{})}
	tb.mutex.Lock()
	tb.holds[method+" "+path] = h
	tb.mutex.Unlock()
	tb.pause(path)
	arrived = func() {
		tb.t.Helper()
		select {
		case <-h.arrived:
		case <-time.After(patience):
			tb.fail("waited %v in vain for %s %s", patience, method, path)
		}
	}
	return arrived, sync.OnceFunc(func() { close(h.over) })
}

// pause has the browser ask about requests for the path.
func (tb *tab) pause(path string) {
	tb.t.Helper()
	tb.do(send(fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: tb.gateway.url + path + "*"}}}))
}

// answerElsewhere answers requests for one address of another host, and lets the page make them.
func (tb *tab) answerElsewhere(address, mediaType, body string) {
	tb.t.Helper()
	tb.mutex.Lock()
	tb.elsewhere = address
	tb.replies["GET "+address] = reply{200, map[string]string{"Content-Type": mediaType}, body}
	tb.mutex.Unlock()
	tb.do(send(fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: address}}}))
}

// relay lets all requests reach the gateway again.
func (tb *tab) relay() {
	tb.t.Helper()
	tb.mutex.Lock()
	clear(tb.replies)
	tb.mutex.Unlock()
	tb.do(send(fetch.Disable, cdp.Empty{}))
}

// answer ends the pause of a request.
func (tb *tab) answer(e *fetch.EventRequestPaused) {
	path, _, _ := strings.Cut(strings.TrimPrefix(e.Request.URL, tb.gateway.url), "?")
	tb.mutex.Lock()
	with, found := tb.replies[e.Request.Method+" "+path]
	h, held := tb.holds[e.Request.Method+" "+path]
	tb.mutex.Unlock()
	if held {
		h.arrived <- struct{}{}
		select {
		case <-h.over:
		case <-tb.ctx.Done():
			return
		}
	}
	var action chromedp.Action[chromedp.Void]
	switch {
	case !found:
		action = send(fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
	case with.status == 0:
		action = send(fetch.FailRequest, fetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: network.ErrorReasonConnectionRefused})
	default:
		headers := []*fetch.HeaderEntry{}
		if with.header["Content-Type"] == "" {
			headers = append(headers, &fetch.HeaderEntry{Name: "Content-Type", Value: "application/json"})
		}
		for name, value := range with.header {
			headers = append(headers, &fetch.HeaderEntry{Name: http.CanonicalHeaderKey(name), Value: value})
		}
		action = send(fetch.FulfillRequest, fetch.FulfillRequestParams{
			RequestID: e.RequestID, ResponseCode: with.status, ResponseHeaders: headers, Body: []byte(with.body),
		})
	}
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, action); err != nil && tb.ctx.Err() == nil {
		tb.fault("an interception that failed: " + err.Error())
	}
}
