package dynamotest

import (
	"bytes"
	"context"
	"errors"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Call is one call of the DynamoDB API, as it arrives.
type Call struct {
	Operation string // such as GetItem
	Number    int    // among the calls of this operation since the plan began; the first is 1
	Body      []byte // JSON
}

// Plan says what happens to a call. Several goroutines call it.
type Plan func(Call) Fault

// Clean lets every call pass.
func Clean() Plan { return Always(Pass()) }

// Always gives every call the fault.
func Always(f Fault) Plan { return func(Call) Fault { return f } }

// On gives every call of the operation the fault, and lets the others pass.
func On(operation string, f Fault) Plan {
	return func(c Call) Fault {
		if c.Operation != operation {
			return Pass()
		}
		return f
	}
}

// First gives the first calls of the operation a fault each, in this order, and lets all others pass.
func First(operation string, faults ...Fault) Plan {
	return func(c Call) Fault {
		if c.Operation != operation || c.Number > len(faults) {
			return Pass()
		}
		return faults[c.Number-1]
	}
}

// Mix gives a share of each operation's calls one of the faults that are listed for the operation. Which call meets
// which fault follows from the seed, the operation and the call's number.
func Mix(seed uint64, share float64, faults map[string][]Fault) Plan {
	return func(c Call) Fault {
		listed := faults[c.Operation]
		if len(listed) == 0 {
			return Pass()
		}
		name := fnv.New64a()
		_, _ = name.Write([]byte(c.Operation)) // never fails
		random := rand.New(rand.NewPCG(seed^name.Sum64(), uint64(c.Number)))
		if random.Float64() >= share {
			return Pass()
		}
		return listed[random.IntN(len(listed))]
	}
}

// Proxy is a running proxy. It is safe for concurrent use.
type Proxy struct {
	// URL is where clients find it, as they would find DynamoDB.
	URL string

	behind string
	client *http.Client

	connections atomic.Int64 // that clients have opened

	mu       sync.Mutex
	late     int        // calls that are still to be delivered, after their client has gone
	settled  *sync.Cond // late is 0
	plan     Plan
	calls    map[string]int // by operation, since the plan began
	injected map[string]int // faults by name, since the proxy began
}

// StartProxy starts a proxy in front of the DynamoDB at the URL, which may be "" if the plan lets no call pass. The
// proxy ends with the test.
func StartProxy(t testing.TB, behind string, plan Plan) *Proxy {
	t.Helper()
	transport := &http.Transport{DialContext: dial, DisableCompression: true, MaxIdleConnsPerHost: 64}
	p := &Proxy{behind: behind, client: &http.Client{Transport: transport}, injected: map[string]int{}}
	p.settled = sync.NewCond(&p.mu)
	p.Follow(plan)
	server := httptest.NewUnstartedServer(p)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			p.connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections() // ends the calls that hang
		server.Close()
		p.Settle()
		transport.CloseIdleConnections()
	})
	p.URL = server.URL
	return p
}

// dial opens a connection. DynamoDB Local drops some of hundreds that are opened at once, and TCP itself would try again
// after 1, 2, 4 and more seconds.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 500 * time.Millisecond}
	for {
		connection, err := dialer.DialContext(ctx, network, address)
		var problem net.Error
		if !errors.As(err, &problem) || !problem.Timeout() || ctx.Err() != nil {
			return connection, err
		}
	}
}

// Follow has the proxy follow another plan from now on. Calls that have arrived keep their faults.
func (p *Proxy) Follow(plan Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.calls = plan, map[string]int{}
}

// Calls returns how many calls of the operation came since the plan began. The operation "" means all operations.
func (p *Proxy) Calls(operation string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := 0
	for name, n := range p.calls {
		if operation == "" || operation == name {
			sum += n
		}
	}
	return sum
}

// Connections returns how many connections were opened since the proxy began.
func (p *Proxy) Connections() int { return int(p.connections.Load()) }

// Injected returns how many faults there were, by name.
func (p *Proxy) Injected() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.injected)
}

// Settle waits until every call that a fault held back from its client has reached DynamoDB.
func (p *Proxy) Settle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.late > 0 {
		p.settled.Wait()
	}
}

// later runs deliver in another goroutine, which Settle waits for.
func (p *Proxy) later(deliver func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late++
	go func() {
		deliver()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.late--
		p.settled.Broadcast()
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
			x.pass()
		}
		return
	}
	x.operation = operation
	p.next(operation, body).do(x)
}

// next counts a call that arrives, and returns its fault.
func (p *Proxy) next(operation string, body []byte) Fault {
	p.mu.Lock()
	p.calls[operation]++
	call, plan := Call{Operation: operation, Number: p.calls[operation], Body: body}, p.plan
	p.mu.Unlock()
	fault := plan(call)
	if fault.do == nil {
		return Fault{do: (*exchange).pass}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.injected[fault.Name]++
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

func (x *exchange) pass() { x.send(x.forward()) }

// forward delivers the call, even if its client no longer waits, because a sent call cannot be taken back.
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

// unreachable is the reply if there is no DynamoDB. Its text says so, as the plan did not cause it.
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
	_, _ = x.w.Write(r.body) // fails only if the client has gone
}

// drop ends the connection without another byte.
func (x *exchange) drop() { panic(http.ErrAbortHandler) }
