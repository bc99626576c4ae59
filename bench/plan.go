package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"organizations-api/bench/measure"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// The binaries. All are built as functions are, but for what their names say.
const (
	floor        = "floor"
	get          = "get-organization"
	patch        = "update-organization"
	unprimed     = "get, not primed"
	viaConfig    = "get, client from the config package"
	withRPC      = "get, without lambda.norpc"
	withSymbols  = "get, without -s -w"
	functionRoot = "./functions/get-organization"
)

func builds() []measure.Build {
	const boot = "functions/internal/boot/"
	return []measure.Build{
		{Name: floor, Package: "./bench/floor"},
		{Name: get, Package: functionRoot},
		{Name: patch, Package: "./functions/update-organization"},
		{Name: unprimed, Package: functionRoot, Edits: []measure.Edit{{File: boot + "boot.go", Old: "prime(records)\n", New: "\n"}}},
		{
			Name: viaConfig, Package: functionRoot,
			Edits: []measure.Edit{{File: boot + "boot.go", Old: "c.store()", New: "c.storeViaConfig()"}},
			Add:   map[string]string{boot + "viaconfig.go": "bench/testdata/viaconfig.go"},
		},
		{Name: withRPC, Package: functionRoot, Flags: "-tags="},
		{Name: withSymbols, Package: functionRoot, Flags: "-ldflags="},
	}
}

// plan is everything that a measurement needs.
type plan struct {
	dir      string
	db       *dynamotest.Canned
	plain    *dynamotest.CannedServer
	secure   *dynamotest.CannedServer
	binaries map[string]string // paths by name
	events   map[string][]byte // by binary
}

func newPlan(ctx context.Context, root, dir string, progress io.Writer) (*plan, error) {
	p := &plan{dir: dir, binaries: map[string]string{}, events: map[string][]byte{}}
	var err error
	if p.db, err = dynamotest.NewCanned(); err != nil {
		return nil, err
	}
	for name, file := range map[string]string{get: "get.json", patch: "update.json"} {
		recorded, err := os.ReadFile(filepath.Join(root, "events", file))
		if err != nil {
			return nil, err
		}
		p.events[name] = p.db.Event(recorded)
	}
	builder := measure.Builder{Root: root, Dir: dir}
	for i, b := range builds() {
		fmt.Fprintf(progress, "\rbuilding: %d of %d ", i+1, len(builds()))
		if p.binaries[b.Name], err = builder.Bootstrap(ctx, b); err != nil {
			return nil, err
		}
	}
	fmt.Fprintln(progress)
	if p.plain, err = p.db.Serve(); err != nil {
		return nil, err
	}
	if p.secure, err = p.db.ServeTLS(); err != nil {
		p.plain.Close()
		return nil, err
	}
	return p, nil
}

func (p *plan) close() {
	p.plain.Close()
	p.secure.Close()
}

// environment is what template.yaml gives a function, with changes; "" removes a variable.
func environment(endpoint string, changes map[string]string) map[string]string {
	tables := dynamotest.CannedTables()
	all := map[string]string{
		"ORGANIZATIONS_TABLE": tables.Organizations, "COUNTERS_TABLE": tables.Counters, "RATE_LIMITS": "on",
		"AWS_ENDPOINT_URL_DYNAMODB": endpoint, "GOMAXPROCS": "1", "SSL_CERT_DIR": "/nonexistent",
	}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

// variant is a binary on the server without TLS.
func (p *plan) variant(name, binary string, changes map[string]string) measure.Variant {
	v := measure.Variant{
		Name: name, Binary: p.binaries[binary], Variables: environment(p.plain.URL, changes),
		Event: p.events[get], Check: p.checkRecord,
	}
	switch binary {
	case floor:
		v.Check = checkFloor
	case patch:
		v.Event = p.events[patch]
	}
	return v
}

// answer is what is looked at of a function's answer.
type answer struct {
	StatusCode int
	Headers    map[string]string
	Body       string
}

func checkFloor(payload []byte) error {
	var a answer
	if err := json.Unmarshal(payload, &a); err != nil {
		return err
	}
	if a.StatusCode != 200 || a.Body != `{"organization_name":"Floor"}` {
		return fmt.Errorf("the floor answers %s", payload)
	}
	return nil
}

// checkRecord wants the organization of the canned store.
func (p *plan) checkRecord(payload []byte) error {
	var a answer
	if err := json.Unmarshal(payload, &a); err != nil {
		return err
	}
	var body struct {
		ID      string `json:"organization_id"`
		Credits int64  `json:"credit_count"`
	}
	if err := json.Unmarshal([]byte(a.Body), &body); err != nil {
		return fmt.Errorf("a %d without a record: %w", a.StatusCode, err)
	}
	if a.StatusCode != 200 || body.ID != string(p.db.Organization.ID) || body.Credits != p.db.Organization.Credits {
		return fmt.Errorf("a %d with the record %+v", a.StatusCode, body)
	}
	return nil
}

// roots writes what a function trusts: the bundle of this machine where it has one, as a function on Lambda reads its, and
// the root of the canned store. It returns the bundle, and two folders of its certificates in single files, as Amazon Linux
// 2023 has them.
func (p *plan) roots() (bundle, folders string, count int, err error) {
	system, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if errors.Is(err, os.ErrNotExist) {
		system, err = os.ReadFile("/etc/pki/tls/certs/ca-bundle.crt")
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", "", 0, err
	}
	all := bytes.Join([][]byte{system, p.secure.Root}, []byte("\n"))
	bundle = filepath.Join(p.dir, "bundle.pem")
	if err := os.WriteFile(bundle, all, 0o644); err != nil {
		return "", "", 0, err
	}
	one, two := filepath.Join(p.dir, "certs-1"), filepath.Join(p.dir, "certs-2")
	for _, folder := range []string{one, two} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			return "", "", 0, err
		}
	}
	for block, rest := pem.Decode(all); block != nil; block, rest = pem.Decode(rest) {
		count++
		for _, folder := range []string{one, two} {
			file := filepath.Join(folder, strconv.Itoa(count)+".pem")
			if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o644); err != nil {
				return "", "", 0, err
			}
		}
	}
	return bundle, one + ":" + two, count, nil
}
