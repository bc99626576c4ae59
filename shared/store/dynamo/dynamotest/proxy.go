package dynamotest

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Call is one call of the DynamoDB API, as it arrives.
type Call struct {
	Operation string // such as GetItem
	Number    int    // among the calls of this operation since the plan began; the first is 1
	Body      []byte // JSON
}

// Plan says what happens to a call. It is called from several goroutines.
type Plan func(Call) Fault

// Proxy is a running proxy. It is safe for concurrent use.
type Proxy struct {
	// URL is where clients find it, as they would find DynamoDB.
	URL string

	behind string
	client *http.Client

	mu    sync.Mutex
	late  int        // calls that are delivered after their client has gone, and are not yet
	none  *sync.Cond // there are none of those any more
	plan  Plan
	calls map[string]int // by operation, since the plan began
	done  map[string]int // faults by name, since the proxy began
}

// StartProxy starts a proxy before the DynamoDB at the URL, which may be "" where the plan lets no call pass. It ends with the
// test.
func StartProxy(t testing.TB, behind string, plan Plan) *Proxy {
	t.Helper()
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	p := &Proxy{behind: behind, client: &http.Client{Transport: transport}, done: map[string]int{}}
	p.none = sync.NewCond(&p.mu)
	p.Follow(plan)
	server := httptest.NewServer(p)
	t.Cleanup(func() {
		server.CloseClientConnections() // ends the calls that hang
		server.Close()
		p.Settle()
		transport.CloseIdleConnections()
	})
	p.URL = server.URL
	return p
}

// Follow has the proxy follow another plan from now on; calls that have arrived keep the fault that they were given.
func (p *Proxy) Follow(plan Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.calls = plan, map[string]int{}
}

// Calls returns how many calls of the operation came since the plan began; of all operations, where it is "".
func (p *Proxy) Calls(operation string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if operation != "" {
		return p.calls[operation]
	}
	sum := 0
	for _, n := range p.calls {
		sum += n
	}
	return sum
}

// Injected returns how many faults there were, by name.
func (p *Proxy) Injected() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.done)
}

// Settle waits until every call that a fault held back from its client has reached DynamoDB.
func (p *Proxy) Settle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.late > 0 {
		p.none.Wait()
	}
}

// later has a call delivered by another goroutine, for which Settle waits.
func (p *Proxy) later(deliver func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late++
	go func() {
		deliver()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.late--
		p.none.Broadcast()
	}()
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	x := &exchange{proxy: p, w: w, r: r, body: body}
	_, operation, isCall := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !isCall { // a client that opens its connection early
		if p.behind != "" {
			x.send(x.forward())
		}
		return
	}
	x.operation = operation
	fault := p.next(operation, body)
	if fault.do == nil {
		x.send(x.forward())
		return
	}
	fault.do(x)
}

// next returns the fault of a call that arrives.
func (p *Proxy) next(operation string, body []byte) Fault {
	p.mu.Lock()
	p.calls[operation]++
	call, plan := Call{Operation: operation, Number: p.calls[operation], Body: body}, p.plan
	p.mu.Unlock()
	fault := plan(call)
	if fault.do != nil {
		p.mu.Lock()
		p.done[fault.Name]++
		p.mu.Unlock()
	}
	return fault
}

// exchange is a call on its way.
type exchange struct {
	proxy     *Proxy
	w         http.ResponseWriter
	r         *http.Request
	operation string
	body      []byte
}

// reply is what DynamoDB answered.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// forward delivers the call, whether or not its client still waits: what was sent cannot be called back.
func (x *exchange) forward() reply {
	request, err := http.NewRequest(x.r.Method, x.proxy.behind+x.r.URL.RequestURI(), bytes.NewReader(x.body))
	if err != nil {
		return unreachable(err)
	}
	request.Header = x.r.Header.Clone()
	response, err := x.proxy.client.Do(request)
	if err != nil {
		return unreachable(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return unreachable(err)
	}
	return reply{response.StatusCode, response.Header, body}
}

// unreachable is the answer where there is no DynamoDB: a fault of the test and not of the plan, which its text says.
func unreachable(err error) reply {
	return reply{http.StatusBadGateway, http.Header{}, []byte("the proxy reaches no DynamoDB: " + err.Error())}
}

func (x *exchange) send(r reply) {
	for name, values := range r.header {
		if name != "Content-Length" && name != "Date" {
			x.w.Header()[name] = values
		}
	}
	x.w.WriteHeader(r.status)
	_, _ = x.w.Write(r.body) // fails only where the client has gone
}

// drop ends the connection without another byte.
func (x *exchange) drop() { panic(http.ErrAbortHandler) }
