package dynamotest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"organizations-api/shared/base62"
	"organizations-api/shared/store/dynamo"
)

// EndpointVariable names another DynamoDB-compatible server to test on, by its base URL.
const EndpointVariable = "ORGS_TEST_DYNAMODB_ENDPOINT"

// Endpoint returns the base URL of a DynamoDB. The first call of a process starts one, and downloads it before that where
// that was never done; it stops with the process, however that ends. A missing npm or Java fails the test.
func Endpoint(t testing.TB) string {
	t.Helper()
	if url := os.Getenv(EndpointVariable); url != "" {
		return url
	}
	running, err := start()
	if err != nil {
		t.Fatalf("starting DynamoDB Local (needs npm and java; %s names another server): %v", EndpointVariable, err)
	}
	return running.url
}

// Settings returns settings for the tables with the prefix on the Endpoint. Any credentials do for DynamoDB Local.
func Settings(t testing.TB, prefix string) dynamo.Settings {
	t.Helper()
	return SettingsOn(Endpoint(t), prefix)
}

// SettingsOn returns settings for the tables with the prefix on another endpoint.
func SettingsOn(endpoint, prefix string) dynamo.Settings {
	return dynamo.Settings{
		Region:      "us-east-1",
		Endpoint:    endpoint,
		Credentials: dynamo.Credentials("local", "local", ""),
		Tables:      dynamo.TablesWithPrefix(prefix),
		// A local server shares this machine with the tests; that it is slow under load is no fault of the engine.
		AttemptTimeout: 30 * time.Second,
	}
}

// Prefix returns a table prefix that no other test uses.
func Prefix() string { return "test-" + base62.Random(12) }

// server is a running DynamoDB Local.
type server struct {
	url   string
	alive *os.File // the server stops when this is closed; it is held here so that only the end of the process does that
	ended <-chan error
}

var start = sync.OnceValues(func() (*server, error) {
	return startWith("-Xmx512m", "-inMemory")
})

// Kept starts a DynamoDB Local of its own, with the heap in megabytes, that keeps its data in the folder, and returns its
// base URL and what ends it. It ends with the process in any case. Each of its writes waits for the disk of the folder.
func Kept(folder string, heap int) (url string, stop func() error, err error) {
	folder, err = filepath.Abs(folder)
	if err != nil {
		return "", nil, err
	}
	s, err := startWith(fmt.Sprintf("-Xmx%dm", heap), "-dbPath", folder)
	if err != nil {
		return "", nil, err
	}
	return s.url, func() error { return errors.Join(s.alive.Close(), <-s.ended) }, nil
}

func startWith(heap string, storage ...string) (*server, error) {
	home, err := install()
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		s, log, err := run(home, port, heap, storage)
		if err != nil {
			return nil, err
		}
		err = s.await(log)
		if !errors.Is(err, errEnded) || attempt == 3 {
			return s, err
		}
	}
}

// script ends the server when its standard input does, which is when this process is gone, be it killed.
const script = `port=$1 heap=$2
shift 2
java "$heap" -Djava.library.path=DynamoDBLocal_lib -jar DynamoDBLocal.jar -sharedDb -port "$port" "$@" &
cat >/dev/null
kill "$!"
wait "$!" || true`

// run starts the server, and returns it and the name of its log.
func run(home string, port int, heap string, storage []string) (*server, string, error) {
	log, err := os.Create(filepath.Join(home, fmt.Sprintf("port-%d.log", port)))
	if err != nil {
		return nil, "", err
	}
	defer log.Close()
	stdin, alive, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	defer stdin.Close()
	command := exec.Command("sh", append([]string{"-c", script, "sh", fmt.Sprint(port), heap}, storage...)...)
	command.Dir, command.Stdin, command.Stdout, command.Stderr = home, stdin, log, log
	if err := command.Start(); err != nil {
		return nil, "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	return &server{url: fmt.Sprintf("http://127.0.0.1:%d", port), alive: alive, ended: ended}, log.Name(), nil
}

// errEnded is that of a server that ended at once: another process may have taken its port meanwhile.
var errEnded = errors.New("the server ended")

// await returns when the server answers, with whatever status, and not some other that has its port.
func (s *server) await(log string) error {
	deadline := time.Now().Add(time.Minute)
	for {
		response, err := http.Get(s.url)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			err = response.Body.Close()
			if err == nil && response.Header.Get("X-Amzn-Requestid") != "" {
				return nil
			}
			err = errors.Join(errors.New("another server answers"), err)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no answer within a minute (its log is %s): %w", log, err)
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%w (its log is %s)", errEnded, log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
