package lambda

import (
	"crypto/subtle"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// runtimeAPI is the Runtime API of one process, on a port of its own: "Using the Lambda runtime API for custom
// runtimes". That page defines the calls, their headers and their statuses. It does not say which calls are refused and
// with which error type. In that this follows AWS's own local runtime, aws-lambda-runtime-interface-emulator.
type runtimeAPI struct {
	events     chan *invocation    // to the call that waits for one
	ready      chan struct{}       // closed when the process first asks for an event
	initReport chan *FunctionError // has room for one
	address    string              // the value of AWS_LAMBDA_RUNTIME_API
	server     *http.Server
	serving    sync.WaitGroup
	closed     chan struct{}
	calls      sync.RWMutex // read-locked by each call, so that close can wait for them

	mu      sync.Mutex
	readyAt time.Time   // set before ready is closed
	waiting bool        // a call waits for an event
	current *invocation // delivered and not settled
}

// invocation is one event that a process gets.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	trace    string
	arn      string
	outcome  chan outcome  // gets the one answer; has room for it
	settled  chan struct{} // closed when the process asks for the next event
	progress progress      // guarded by runtimeAPI.mu
}

// outcome is the answer of a process.
type outcome struct {
	payload []byte
	err     *FunctionError
	at      time.Time
}

type progress int

const (
	running   progress = iota // no answer yet
	answering                 // an answer is arriving
	answered
)

// serveRuntimeAPI starts to listen. The server writes its own errors to the log.
func serveRuntimeAPI(complaints *log.Logger) (*runtimeAPI, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	host, secret := listener.Addr().String(), random(secretBytes)
	a := &runtimeAPI{
		events:     make(chan *invocation),
		ready:      make(chan struct{}),
		initReport: make(chan *FunctionError, 1),
		address:    host + "/" + secret,
		closed:     make(chan struct{}),
	}
	a.server = &http.Server{Handler: a.handler(host, secret), ErrorLog: complaints} // no timeouts: next waits as long as it takes
	a.serving.Go(func() { _ = a.server.Serve(listener) })                           // returns when it is closed
	return a, nil
}

// close ends all calls and returns when they have ended. It must be called once.
func (a *runtimeAPI) close() {
	close(a.closed)
	_ = a.server.Close()
	a.serving.Wait()
	a.calls.Lock() // and keep it locked, so that no call begins
}

// secretBytes is the length of the secret in the address of a Runtime API. The secret is known to this program and to
// the bootstrap. Only the same user and root can read it from the bootstrap's environment.
const secretBytes = 16

// handler serves the calls below the secret path, and only under the host name that the process was given. So no other
// process gets an event, and no page in a browser does, even if it has a name that resolves to this machine.
func (a *runtimeAPI) handler(host, secret string) http.Handler {
	const base = "/2018-06-01/runtime"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"/invocation/next", a.next)
	mux.HandleFunc("POST "+base+"/invocation/{id}/response", a.response)
	mux.HandleFunc("POST "+base+"/invocation/{id}/error", a.errorReport)
	mux.HandleFunc("POST "+base+"/init/error", a.initError)
	calls := http.StripPrefix("/"+secret, mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.calls.TryRLock() {
			return // closed
		}
		defer a.calls.RUnlock()
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if r.Host != host || subtle.ConstantTimeCompare([]byte(first), []byte(secret)) != 1 {
			refuse(w, http.StatusForbidden, "AccessDenied", "this Runtime API is for one process only")
			return
		}
		calls.ServeHTTP(w, r)
	})
}

// next waits for an event. The first call ends the init phase. Each later call ends the invocation before it.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet { // HEAD, which would lose the event
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "next is for GET")
		return
	}
	if !a.beginWait() {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "an invocation has no answer yet, or another call waits")
		return
	}
	select {
	case inv := <-a.events:
		a.endWait(inv)
		inv.write(w)
	case <-r.Context().Done(): // the process broke off
		a.endWait(nil)
	case <-a.closed:
	}
}

func (a *runtimeAPI) beginWait() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting || a.current != nil && a.current.progress != answered {
		return false
	}
	if a.current != nil {
		close(a.current.settled)
		a.current = nil
	}
	if a.readyAt.IsZero() {
		a.readyAt = time.Now()
		close(a.ready)
	}
	a.waiting = true
	return true
}

func (a *runtimeAPI) endWait(inv *invocation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting = false
	a.current = inv
}

func (inv *invocation) write(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(inv.payload)))
	header.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
	header.Set("Lambda-Runtime-Trace-Id", inv.trace)
	_, _ = w.Write(inv.payload) // fails only where the process is about to end
}
