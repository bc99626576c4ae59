package judge

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
)

// ReportFunc receives every exchange that a wrapper has seen, with the violations of its response, if any. It may be
// called from several goroutines at once.
type ReportFunc func(Exchange, []Violation)

// RoundTripper returns a RoundTripper that passes requests to next, judges the responses and calls report. It does not
// change bodies, but it reads them in full, so it is not for streams. If next is nil, it uses http.DefaultTransport.
func (v *Validator) RoundTripper(next http.RoundTripper, report ReportFunc) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &roundTripper{v, next, report}
}

type roundTripper struct {
	validator *Validator
	next      http.RoundTripper
	report    ReportFunc
}

// RoundTrip implements http.RoundTripper.
func (t *roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	sent, err := drain(request.Body)
	if err != nil {
		return nil, err
	}
	x := Exchange{Request: requestOf(request, sent)}
	forward := request.Clone(request.Context()) // a RoundTripper must not modify what it is given
	forward.Body = replay(sent, request.Body)
	response, err := t.next.RoundTrip(forward)
	if err != nil || response.StatusCode == http.StatusSwitchingProtocols {
		return response, err
	}
	body, broken := drain(response.Body)
	x.Response = Response{Status: response.StatusCode, Header: response.Header.Clone(), Body: body}
	if broken != nil {
		response.Body = breaking(body, broken)
		t.report(x, t.validator.brokenOff(x, broken))
		return response, nil
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	t.report(x, t.validator.Check(x))
	return response, nil
}

// brokenOff returns the violation of a response whose body broke off. It does not judge the part that was received.
func (v *Validator) brokenOff(x Exchange, err error) []Violation {
	c := v.collect(x, x.Response.Status)
	if c.elsewhere() {
		return nil
	}
	c.add(Violation{Rule: RuleBodyUnreadable, Expected: "a whole body", Got: err.Error()})
	return tidied(c.found)
}

func requestOf(r *http.Request, body []byte) Request {
	return Request{Method: cmp.Or(r.Method, http.MethodGet), URL: r.URL.String(), Header: r.Header.Clone(), Body: body}
}

// drain reads a body to its end and closes it.
func drain(body io.ReadCloser) ([]byte, error) {
	if body == nil || body == http.NoBody {
		return nil, nil
	}
	data, err := io.ReadAll(body)
	closeErr := body.Close()
	if err == nil {
		err = closeErr
	}
	return data, err
}

// replay returns a body that reads data. It returns no body where there was none.
func replay(data []byte, was io.ReadCloser) io.ReadCloser {
	if was == nil || was == http.NoBody {
		return was
	}
	return io.NopCloser(bytes.NewReader(data))
}

// breaking returns a body that reads data and then fails with err.
func breaking(data []byte, err error) io.ReadCloser {
	return io.NopCloser(io.MultiReader(bytes.NewReader(data), failing{err}))
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
