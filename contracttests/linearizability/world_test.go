package linearizability

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/harness/operator"
	"organizations-api/contracttests/judge"
	"organizations-api/shared/organization"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// world is a store with several gateways before it, and what goes wrong in it.
type world struct {
	direct   local.Engine // meets no faults
	gateways []gateway
	// disturb makes things go wrong until it is cancelled. It is nil if they go wrong by themselves.
	disturb func(context.Context)
	// settle returns when no request that was answered can still have an effect.
	settle func()
	faults func() map[string]int // by name
}

// gateway is one of the ways to the service.
type gateway struct {
	name string
	harness.Target
	inProcess bool // it always answers
}

// unlimited returns options of a service without rate limits, because a run makes more requests than a minute allows.
func unlimited(throughEvents bool) local.Options {
	return local.Options{Unlimited: true, ThroughEvents: throughEvents}
}

// throughEvents is the way through the gateway and the Lambda event path.
func throughEvents(t *testing.T, name string, s local.Store) gateway {
	t.Helper()
	return gateway{name, local.NewService(t, s, unlimited(true)).Target(), true}
}

// impatient is the way over net/http alone, by clients that often leave early. The context of a request ends when its
// client leaves.
func impatient(t *testing.T, s local.Store, seed uint64, cancelled func()) gateway {
	t.Helper()
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 1))
	patient := local.NewService(t, s, unlimited(false)).Target()
	target := func(ctx context.Context, r judge.Request) (judge.Response, error) {
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
		return patient.Send(ctx, r)
	}
	return gateway{"impatient", harness.TargetFunc(target), true}
}

// process starts the built command as a gateway on a store, in another process. The process ends with the test.
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
	target, err := harness.URLTarget(welcome.URL)
	if err != nil {
		t.Fatal(err)
	}
	return gateway{"process", target, false}
}

// scratch is the folder in which the command is built. It is removed when the tests have ended.
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
var orgs = sync.OnceValues(func() (string, error) { return local.BuildOrgs(scratch) })

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
	made, err := operator.New(w.direct, nil).Provision(t.Context(), harness.TenantSpec{Keys: []harness.KeyKind{}})
	if err != nil {
		t.Fatal(err)
	}
	o, _, err := w.direct.Get(t.Context(), organization.ID(made.ID))
	if err != nil {
		t.Fatal(err)
	}
	return o, made.Keys[harness.KeyAdmin]
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

// onDynamoDB is a world on DynamoDB Local, behind proxies that inject faults.
func onDynamoDB(t *testing.T, seed uint64) *world {
	t.Helper()
	prefix := dynamotest.Prefix()
	settings := dynamotest.Settings(t, prefix)
	direct := local.NewTables(t, settings)
	proxy := dynamotest.StartProxy(t, settings.Endpoint, dynamotest.Clean())
	// A process waits for a call that hangs until its request is out of time; those in this process give up earlier.
	hanging := dynamotest.StartProxy(t, settings.Endpoint, dynamoFaults(seed+1, true))
	cancelled := newTally()
	short := settings
	short.Endpoint, short.AttemptTimeout = hanging.URL, 400*time.Millisecond
	binary := mustBuild(t)
	gateways := []gateway{
		throughEvents(t, "events 1", local.OpenDynamoDB(t, short)),
		throughEvents(t, "events 2", local.OpenDynamoDB(t, short)),
		impatient(t, local.OpenDynamoDB(t, short), seed, func() { cancelled.add("client gone") }),
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

// dynamoFaults is a plan in which every seventh read and every fourth write meets a fault.
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

// onSQLite is a world on a file that other processes write and lock.
func onSQLite(t *testing.T, seed uint64) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orgs.db")
	direct := local.OpenSQLite(t, path)
	makeAnother(t, path)
	counted := newTally()
	binary := mustBuild(t)
	return &world{
		direct: direct,
		gateways: []gateway{
			throughEvents(t, "events 1", local.OpenSQLite(t, path)),
			impatient(t, local.OpenSQLite(t, path), seed, func() { counted.add("client gone") }),
			process(t, binary, "sqlite:"+path, ""),
			process(t, binary, "sqlite:"+path, ""),
		},
		disturb: func(ctx context.Context) { lockNowAndThen(ctx, t, path, seed, counted) },
		settle:  func() {},
		faults:  counted.counts,
	}
}
