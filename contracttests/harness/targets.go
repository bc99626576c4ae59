package harness

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"organizations-api/contracttests/judge"
)

// HandlerTarget returns a handler as a Target, without a network. The answer is what the handler wrote, including
// mistakes that a server would hide, such as a body with status 304.
func HandlerTarget(handler http.Handler) Target {
	return TargetFunc(func(ctx context.Context, r judge.Request) (response judge.Response, err error) {
		request, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
		if err != nil {
			return judge.Response{}, fmt.Errorf("making the request: %w", err)
		}
		request.Header = judge.Canonical(r.Header).Clone()
		request.RequestURI, request.RemoteAddr, request.Host = r.URL, "127.0.0.1:1", "localhost"
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("the handler panicked: %v", p)
			}
		}()
		tap := &judge.Recorder{ResponseWriter: nowhere{}}
		handler.ServeHTTP(tap, request)
		return tap.Response(), nil
	})
}

// nowhere is a ResponseWriter that drops everything.
type nowhere http.Header

// Header implements http.ResponseWriter.
func (n nowhere) Header() http.Header { return http.Header(n) }

// WriteHeader implements http.ResponseWriter.
func (nowhere) WriteHeader(int) {}

// Write implements http.ResponseWriter.
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// answerTimeout is how long a service behind a URL may take for an answer.
const answerTimeout = time.Minute

// URLTarget returns the service at a base URL as a Target. It does not follow redirects. It returns an error if the
// URL is not a base URL of http or https.
func URLTarget(base string) (Target, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" ||
		u.Fragment != "" {
		return nil, errors.New("a target is a URL of http or https without a query or credentials, such as " +
			"https://api.example.com")
	}
	base = strings.TrimSuffix(base, "/")
	return urlTarget(base, urlClient(true), urlClient(false)), nil
}

func urlTarget(base string, reads, changes *http.Client) Target {
	return TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) {
		response, reused, err := sendURL(ctx, clientFor(r, reads, changes), base, r)
		if err != nil && reused && ctx.Err() == nil { // of a read: changes have new connections
			response, _, err = sendURL(ctx, changes, base, r)
		}
		if err != nil {
			return judge.Response{}, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return judge.Response{}, fmt.Errorf("reading the answer: %w", err)
		}
		return judge.Response{Status: response.StatusCode, Header: response.Header, Body: body}, nil
	})
}

func clientFor(r judge.Request, reads, changes *http.Client) *http.Client {
	if len(r.Body) == 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return reads
	}
	return changes
}

// sendURL sends a request, and returns whether it went over a connection that had been used before.
func sendURL(ctx context.Context, client *http.Client, base string, r judge.Request) (*http.Response, bool, error) {
	var reused atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(c httptrace.GotConnInfo) { reused.Store(c.Reused) },
	})
	request, err := http.NewRequestWithContext(ctx, r.Method, base+r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, false, fmt.Errorf("making the request: %w", err)
	}
	request.Header = judge.Canonical(r.Header).Clone()
	response, err := client.Do(request)
	return response, reused.Load(), err
}

// urlClient returns a client that keeps its connections, or that opens a new one for each request.
//
// A server or a proxy may close an idle connection just when the next request is sent. The client then sends a GET
// again. It cannot repeat a change, because the change may have been made, so a good service would seem not to answer.
// So each change uses a new connection.
func urlClient(keep bool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DisableCompression:  true, // bodies are judged as they were sent
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     answerTimeout,
			DisableKeepAlives:   !keep,
			ForceAttemptHTTP2:   true,
			TLSClientConfig: &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(0),
				MinVersion: tls.VersionTLS12},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       answerTimeout,
	}
}

// HonourRetryAfter returns a Target that sends a request again if the answer is 429, after the time in Retry-After. It
// is for targets that the suite shares with others, and whose limits it cannot raise.
func HonourRetryAfter(target Target) Target {
	const tries, longest = 3, time.Minute
	return TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) {
		for try := 1; ; try++ {
			response, err := target.Send(ctx, r)
			seconds, notNumber := strconv.Atoi(judge.Canonical(response.Header).Get("Retry-After"))
			if err != nil || response.Status != http.StatusTooManyRequests || notNumber != nil || try == tries {
				return response, err
			}
			select {
			case <-time.After(min(time.Duration(seconds)*time.Second, longest)):
			case <-ctx.Done():
				return judge.Response{}, context.Cause(ctx)
			}
		}
	})
}

// WithoutCancel returns a Target that waits for the answer to a request that it has sent, even if ctx ends meanwhile.
// Otherwise a service could make the change after the organization was put back, because it goes on when its client
// hangs up. Once ctx has ended, it sends nothing. It is for live targets, and target must have a time limit of its own,
// as URLTarget has.
func WithoutCancel(target Target) Target {
	return TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) {
		if ctx.Err() != nil {
			return judge.Response{}, context.Cause(ctx)
		}
		return target.Send(context.WithoutCancel(ctx), r)
	})
}
