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
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"organizations-api/shared/store/dynamo/dynamotest"
)

// getNoLimits is get-organization without rate limits.
const getNoLimits = "get, no rate limits"

// fixture is everything that the sections need: the binaries, their events, and a DynamoDB with fixed answers.
type fixture struct {
	root, dir  string // of the module, and of what is built
	db         *dynamotest.Canned
	plain      *dynamotest.CannedServer // without TLS
	secure     *dynamotest.CannedServer // with TLS
	delayed    *httptest.Server         // without TLS, and slow
	bootstraps map[string]string        // paths by binary
	events     map[string][]byte        // by binary
	peers      []string                 // the binaries that are peers
	notes      []string                 // what this machine cannot measure
}

// newFixture builds the peers in dir and starts the servers. The caller must close the fixture.
func newFixture(ctx context.Context, root, dir string, peers bool) (*fixture, error) {
	f := &fixture{root: root, dir: dir, bootstraps: map[string]string{}, events: map[string][]byte{}}
	var err error
	if f.db, err = dynamotest.NewCanned(); err != nil {
		return nil, err
	}
	for name, file := range map[string]string{get: "get.json", patch: "update.json"} {
		recorded, err := os.ReadFile(filepath.Join(root, "events", file))
		if err != nil {
			return nil, err
		}
		f.events[name] = f.db.Event(recorded)
	}
	if peers {
		built, notes, err := buildPeers(ctx, root, dir)
		if err != nil {
			return nil, err
		}
		maps.Copy(f.bootstraps, built)
		f.peers, f.notes = slices.Sorted(maps.Keys(built)), notes
	}
	if f.plain, err = f.db.Serve(); err != nil {
		return nil, err
	}
	if f.secure, err = f.db.ServeTLS(); err != nil {
		f.plain.Close()
		return nil, err
	}
	f.delayed = newDelayed(f.db)
	return f, nil
}

// build builds the binaries of the variants that are not built yet.
func (f *fixture) build(ctx context.Context, variants []variant, progress io.Writer) (err error) {
	for i := range variants {
		v := &variants[i]
		at := slices.IndexFunc(builds(), func(b build) bool { return b.name == v.binary })
		if f.bootstraps[v.binary] == "" && at >= 0 {
			fmt.Fprintf(progress, "\rbuilding %-40s", v.binary)
			if f.bootstraps[v.binary], err = builds()[at].bootstrap(ctx, f.root, f.dir); err != nil {
				return err
			}
		}
		v.bootstrap = f.bootstraps[v.binary]
	}
	fmt.Fprintln(progress)
	return nil
}

func (f *fixture) close() {
	f.plain.Close()
	f.secure.Close()
	f.delayed.Close()
}

// sections returns what to measure, and notes on what this machine cannot measure.
func (f *fixture) sections() ([]section, []string) {
	all := []section{f.cold(), f.warm(), f.roundTrips()}
	for i := range all[:2] {
		for _, name := range f.peers {
			all[i].variants = append(all[i].variants, f.variant(name, name, nil))
		}
	}
	bundle, folders, count, err := f.roots()
	if err != nil {
		return all, append(f.notes, fmt.Sprintf("nothing over TLS: %v", err))
	}
	notes := append(f.notes, fmt.Sprintf("over TLS, functions read a bundle of %d certificates", count))
	shares := []int{0, 1024, 512, 128}
	if err := checkQuota(); err != nil {
		shares = shares[:1]
		notes = append(notes, fmt.Sprintf("nothing under a CPU quota: %v", err))
	}
	for _, share := range shares {
		all = append(all, f.overTLS(share, bundle, folders))
	}
	return all, notes
}

func (f *fixture) cold() section {
	return section{
		title:   "cold start",
		metrics: []string{metricInit, metricInitCPU, metricInitFirst, metricPeak, metricSize},
		rounds:  40,
		variants: []variant{
			f.variant(floor, floor, nil),
			f.variant(get, get, nil),
			f.variant(patch, patch, nil),
			f.variant(unprimed, unprimed, nil),
			f.variant(viaConfig, viaConfig, nil),
			f.variant(withRPC, withRPC, nil),
			f.variant(withSymbols, withSymbols, nil),
			f.variant("get, GOMAXPROCS not set", get, map[string]string{"GOMAXPROCS": ""}),
		},
	}
}

func (f *fixture) warm() section {
	return section{
		title:       "warm",
		metrics:     []string{metricP50, metricP99, metricCPU, metricPeak},
		rounds:      8,
		invocations: 2000,
		variants: []variant{
			f.variant(floor, floor, nil),
			f.variant(getNoLimits, get, map[string]string{"RATE_LIMITS": "off"}),
			f.variant(get, get, nil),
			f.variant(patch, patch, nil),
			f.variant("floor, GOMAXPROCS not set", floor, map[string]string{"GOMAXPROCS": ""}),
			f.variant("get, GOMAXPROCS not set", get, map[string]string{"GOMAXPROCS": ""}),
		},
	}
}

// overTLS is the cold start over TLS. Its base is the function that opens no connection before its first request.
func (f *fixture) overTLS(share int, bundle, folders string) section {
	variant := func(name, binary, folders string) variant {
		v := f.variant(name, binary, map[string]string{
			"AWS_ENDPOINT_URL_DYNAMODB": f.secure.URL, "SSL_CERT_FILE": bundle, "SSL_CERT_DIR": folders,
		})
		v.share = share
		return v
	}
	s := section{title: "over TLS, all CPU", metrics: []string{metricInit, metricFirst, metricInitFirst}, rounds: 15}
	if share != 0 {
		s.title = fmt.Sprintf("over TLS, CPU of %d MB after init", share)
	}
	const nowhere = "/nonexistent"
	s.variants = append(s.variants,
		variant(unprimed, unprimed, nowhere),
		variant(get, get, nowhere),
		variant("get, not primed, certificate folders", unprimed, folders),
		variant("get, certificate folders", get, folders))
	return s
}

// variant returns a binary that uses the server without TLS, in the environment that template.yaml gives to a
// function, with changes. A change to "" removes the variable.
func (f *fixture) variant(name, binary string, changes map[string]string) variant {
	tables := dynamotest.CannedTables()
	v := variant{
		name: name, binary: binary, event: f.events[get], check: f.checkRecord,
		environment: map[string]string{
			"ORGANIZATIONS_TABLE": tables.Organizations, "COUNTERS_TABLE": tables.Counters, "RATE_LIMITS": "on",
			"AWS_ENDPOINT_URL_DYNAMODB": f.plain.URL, "GOMAXPROCS": "1", "SSL_CERT_DIR": "/nonexistent",
		},
	}
	maps.Copy(v.environment, changes)
	maps.DeleteFunc(v.environment, func(_, value string) bool { return value == "" })
	switch binary {
	case floor:
		v.check = checkFloor
	case patch, patchFormer:
		v.event = f.events[patch]
	case nodePeer:
		v.folder = true
	}
	return v
}

// answer is the part of a function's answer that is checked.
type answer struct {
	StatusCode int
	Body       string
}

// checkFloor returns an error if this is not the answer of bench/floor.
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

// checkRecord returns an error if this is not a 200 with the organization of the fixed answers.
func (f *fixture) checkRecord(payload []byte) error {
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
	want := f.db.Organization
	if a.StatusCode != 200 || body.ID != string(want.ID) || body.Credits != want.Credits {
		return fmt.Errorf("a %d with the record %+v", a.StatusCode, body)
	}
	return nil
}

// roots writes the certificates that a function trusts: the bundle of this machine, if it has one, and the root of
// the fixed answers. It returns the bundle, and a list of two folders with each certificate in a file of its own, as
// Amazon Linux 2023 has them.
func (f *fixture) roots() (bundle, folders string, count int, err error) {
	system, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if errors.Is(err, os.ErrNotExist) {
		system, err = os.ReadFile("/etc/pki/tls/certs/ca-bundle.crt")
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", "", 0, err
	}
	all := bytes.Join([][]byte{system, f.secure.Root}, []byte("\n"))
	bundle = filepath.Join(f.dir, "bundle.pem")
	if err := os.WriteFile(bundle, all, 0o644); err != nil {
		return "", "", 0, err
	}
	one, two := filepath.Join(f.dir, "certs-1"), filepath.Join(f.dir, "certs-2")
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
