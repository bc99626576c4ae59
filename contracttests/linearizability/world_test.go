package linearizability

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	events "organizations-api/local/apigateway"
	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/lambdahttp"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/store/sqlite"
	"organizations-api/shared/telemetry"
)

// engine is what a world needs of a store.
type engine interface {
	store.Records
	store.Operator
}

// world is a store with several gateways before it, and what goes wrong in it.
type world struct {
	direct   engine // meets no faults
	gateways []gateway
	// disturb makes things go wrong until it is cancelled; nil where they do by themselves.
	disturb func(context.Context)
	// settle returns when no request that was answered has an effect any more.
	settle func()
	faults func() map[string]int // by name
}

// service returns the API on a store, without rate limits: as they are counted by the minute, a run would stop at them.
func service(t *testing.T, records store.Records) *api.Service {
	t.Helper()
	s, err := api.New(api.Options{Records: records, Now: time.Now, Observe: func(context.Context, telemetry.Request) {}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// throughEvents is the way through the gateway and the Lambda event path.
func throughEvents(t *testing.T, name string, records store.Records) gateway {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	var routes []events.Route
	for _, r := range service(t, records).Routes() {
		routes = append(routes, events.Route{Method: r.Method, Path: r.Path, Function: lambdahttp.New(r.Handler, quiet).Handle})
	}
	handler, err := events.New(events.Options{Routes: routes, Now: time.Now, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	return inProcess(name, handler)
}

// impatient is the way over net/http alone, where the context ends when the client goes, which it often does early.
func impatient(t *testing.T, records store.Records, seed uint64, cancelled func()) gateway {
	t.Helper()
	mux := http.NewServeMux()
	for _, r := range service(t, records).Routes() {
		mux.Handle(r.Method+" "+r.Path, r.Handler)
	}
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 1))
	whole := inProcess("impatient", mux)
	return gateway{whole.name, func(ctx context.Context, method, key string, header http.Header, body []byte) (response, error) {
		mu.Lock()
		leaves, after := random.IntN(3) == 0, time.Duration(random.Int64N(int64(8*time.Millisecond)))
		mu.Unlock()
		if leaves {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, after)
			defer cancel()
			defer func() {
				if ctx.Err() != nil {
					cancelled()
				}
			}()
		}
		return whole.send(ctx, method, key, header, body)
	}}
}

// process starts the built command as a gateway of its own on a store. It ends with the test.
func process(t *testing.T, binary, storeChoice, endpoint string) gateway {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary, "serve", "--addr", "127.0.0.1:0", "--json", "--rate-limits", "off")
	command.Env = append(os.Environ(), "ORGS_STORE="+storeChoice, "AWS_ENDPOINT_URL_DYNAMODB="+endpoint)
	command.Stderr = io.Discard
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // was killed
	})
	var welcome struct{ URL string }
	if err := json.NewDecoder(bufio.NewReader(stdout)).Decode(&welcome); err != nil {
		t.Fatalf("orgs serve --json prints no URL: %v", err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return overNetwork("process", welcome.URL, &http.Client{Transport: transport, Timeout: 30 * time.Second})
}

// scratch is where the command is built; it goes when the tests have ended.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "orgs-histories-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		scratch = dir
		return m.Run()
	}())
}

// orgs is the command, built once.
var orgs = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(scratch, "orgs")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/orgs").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return binary, nil
})

func mustBuild(t *testing.T) string {
	t.Helper()
	binary, err := orgs()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// tenant makes an organization and returns it with a key.
func (w *world) tenant(t *testing.T) (organization.Organization, string) {
	t.Helper()
	o := organization.New("At first", organization.Pro, nil, time.Now())
	key := apikey.New(o.ID, apikey.Live)
	e := store.Entry{ID: store.NewEntryID(o.CreatedAt), Action: store.Created, Actor: store.OperatorActor}
	if err := w.direct.Create(t.Context(), o, apikey.NewRecord(key, apikey.Admin, time.Now(), nil), e); err != nil {
		t.Fatal(err)
	}
	return o, key.Reveal()
}

// tally counts faults by name. It is safe for concurrent use.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func newTally() *tally { return &tally{n: map[string]int{}} }

func (c *tally) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[name]++
}

func (c *tally) counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.n)
}

// onDynamoDB is a world on DynamoDB Local, before which a proxy injects faults.
func onDynamoDB(t *testing.T, seed uint64) *world {
	t.Helper()
	prefix := dynamotest.Prefix()
	settings := dynamotest.Settings(t, prefix)
	direct := openDynamoDB(t, settings)
	if err := direct.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	proxy := dynamotest.StartProxy(t, settings.Endpoint, dynamotest.Clean())
	// A process waits for a call that hangs until its request is out of time; those in this process give up earlier.
	hanging := dynamotest.StartProxy(t, settings.Endpoint, dynamoFaults(seed+1, true))
	cancelled := newTally()
	short := settings
	short.Endpoint, short.AttemptTimeout = hanging.URL, 400*time.Millisecond
	binary := mustBuild(t)
	gateways := []gateway{
		throughEvents(t, "events 1", openDynamoDB(t, short)),
		throughEvents(t, "events 2", openDynamoDB(t, short)),
		impatient(t, openDynamoDB(t, short), seed, func() { cancelled.add("client gone") }),
		process(t, binary, "dynamodb:"+prefix, proxy.URL),
		process(t, binary, "dynamodb:"+prefix, proxy.URL),
	}
	proxy.Follow(dynamoFaults(seed, false)) // from when the processes have begun to serve
	return &world{
		direct:   direct,
		gateways: gateways,
		settle: func() {
			proxy.Settle()
			hanging.Settle()
		},
		faults: func() map[string]int {
			all := cancelled.counts()
			for _, p := range []*dynamotest.Proxy{proxy, hanging} {
				for name, n := range p.Injected() {
					all[name] += n
				}
			}
			return all
		},
	}
}

func openDynamoDB(t *testing.T, settings dynamo.Settings) *dynamo.Store {
	t.Helper()
	s, err := dynamo.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dynamoFaults has every seventh read and every fourth write meet a fault.
func dynamoFaults(seed uint64, hang bool) dynamotest.Plan {
	both := []dynamotest.Fault{
		dynamotest.Throttle(),
		dynamotest.Refuse(400, "ProvisionedThroughputExceededException"),
		dynamotest.Refuse(500, "InternalServerError"),
		dynamotest.Fail(503),
		dynamotest.Drop(),
		dynamotest.LoseReply(),
		dynamotest.CutReply(),
		dynamotest.HalfReply(),
		dynamotest.Garble(),
		dynamotest.Slow(30 * time.Millisecond),
	}
	writes := append(both[:len(both):len(both)],
		dynamotest.LoseReply(),
		dynamotest.Late(10*time.Millisecond).Named("delivered 10 ms late"),
		dynamotest.Late(300*time.Millisecond).Named("delivered 300 ms late"),
		dynamotest.Late(1500*time.Millisecond).Named("delivered 1.5 s late"),
		dynamotest.Cancel("TransactionConflict", "None"),
		dynamotest.Cancel("ThrottlingError", "None"),
		dynamotest.Refuse(400, "TransactionInProgressException"),
		dynamotest.Refuse(400, "ExpiredTokenException"),
	)
	if hang {
		writes = append(writes, dynamotest.Hang())
	}
	reads := dynamotest.Mix(seed, 1.0/7, map[string][]dynamotest.Fault{"GetItem": both})
	changes := dynamotest.Mix(seed, 1.0/4, map[string][]dynamotest.Fault{"TransactWriteItems": writes})
	return func(c dynamotest.Call) dynamotest.Fault {
		if c.Operation == "TransactWriteItems" {
			return changes(c)
		}
		return reads(c)
	}
}

// onSQLite is a world on a file, which other processes write and lock.
func onSQLite(t *testing.T, seed uint64) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orgs.db")
	direct := openSQLite(t, path)
	makeAnother(t, path)
	counted := newTally()
	binary := mustBuild(t)
	return &world{
		direct: direct,
		gateways: []gateway{
			throughEvents(t, "events 1", openSQLite(t, path)),
			impatient(t, openSQLite(t, path), seed, func() { counted.add("client gone") }),
			process(t, binary, "sqlite:"+path, ""),
			process(t, binary, "sqlite:"+path, ""),
		},
		disturb: func(ctx context.Context) { lockNowAndThen(ctx, t, path, seed, counted) },
		settle:  func() {},
		faults:  counted.counts,
	}
}

func openSQLite(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
