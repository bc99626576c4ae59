package dynamotest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
)

// Script is a transport that answers each request by a function, and keeps what was sent. It serves one call at a
// time.
type Script struct {
	Answer   func(attempt int, r *http.Request) (*http.Response, error) // the first attempt is 1
	Requests []*http.Request
	Bodies   [][]byte
}

// RoundTrip implements http.RoundTripper.
func (s *Script) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.Requests, s.Bodies = append(s.Requests, r), append(s.Bodies, body)
	return s.Answer(len(s.Requests), r)
}

// Response returns a response for a Script to answer with.
func Response(status int, body string, header http.Header) *http.Response {
	return &http.Response{
		StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// Canned answers GetItem, UpdateItem and TransactWriteItems, each always in the same way: with the item, with a count
// of 1, and with success. It is an http.Handler and an http.RoundTripper, safe for concurrent use.
type Canned struct {
	Organization organization.Organization
	Key          apikey.Key // of the permission admin

	answers  map[string]answer // by operation
	settings answer            // to a GetItem of the store's settings
}

// answer is a response that is ready to be sent.
type answer struct {
	body   string
	header http.Header
}

// CannedTables are names for a store on a Canned, which answers for any.
func CannedTables() dynamo.Tables { return dynamo.TablesWithPrefix("canned") }

// CannedSettings are settings for a store whose calls go to the transport.
func CannedSettings(transport http.RoundTripper) dynamo.Settings {
	return dynamo.Settings{
		Region:      "eu-central-1",
		Credentials: dynamo.Credentials("AKIDEXAMPLE", "secret", "token"),
		Tables:      CannedTables(),
		Transport:   transport,
	}
}

// NewCanned returns a DynamoDB with an organization of an everyday size: its item has about one kilobyte.
func NewCanned() (*Canned, error) {
	email := "billing@northwind.example"
	o := organization.New("Northwind Video", organization.Pro, &email, time.Now())
	o.NotificationsEmail = &email
	o.Metadata = organization.NewObject(`{"region":"eu","segments":["video","audio"],"contract":{"since":2024,"seats":25}}`)
	o.Override = organization.RateLimits{Search: 120}
	secret := apikey.NewSecret()
	d := &Canned{Organization: o, Key: apikey.New(o.ID, apikey.Live, secret)}
	item, err := d.stored()
	if err != nil {
		return nil, fmt.Errorf("recording an item: %w", err)
	}
	const one, four = `{"CapacityUnits":1.0,"TableName":"canned"}`, `{"CapacityUnits":4.0,"TableName":"canned"}`
	d.answers = map[string]answer{
		"GetItem":            newAnswer(`{"ConsumedCapacity":` + one + `,"Item":` + item + `}`),
		"UpdateItem":         newAnswer(`{"Attributes":{"requests":{"N":"1"}},"ConsumedCapacity":` + one + `}`),
		"TransactWriteItems": newAnswer(`{"ConsumedCapacity":[` + four + `]}`),
	}
	d.settings = newAnswer(`{"ConsumedCapacity":` + one + `,"Item":{"PK":{"S":"SETTINGS"},"SK":{"S":"SETTINGS"},` +
		`"key_secrets":{"S":"` + secret.Reveal() + `"}}}`)
	return d, nil
}

// stored returns the item that a store writes for the organization, from the request in which it does.
func (d *Canned) stored() (string, error) {
	sent := &Script{Answer: func(int, *http.Request) (*http.Response, error) {
		return Response(http.StatusOK, "{}", nil), nil
	}}
	s, err := dynamo.Open(CannedSettings(sent))
	if err != nil {
		return "", err
	}
	key := apikey.NewRecord(d.Key, apikey.Admin, d.Organization.CreatedAt, nil)
	created := store.Entry{ID: store.NewEntryID(d.Organization.CreatedAt), Action: store.Created, Actor: store.OperatorActor}
	if err := s.Create(context.Background(), d.Organization, key, created); err != nil {
		return "", err
	}
	var request struct {
		TransactItems []struct {
			Put struct{ Item json.RawMessage }
		}
	}
	if err := json.Unmarshal(sent.Bodies[0], &request); err != nil {
		return "", err
	}
	if len(request.TransactItems) == 0 || len(request.TransactItems[0].Put.Item) == 0 {
		return "", errors.New("the store wrote no item")
	}
	return string(request.TransactItems[0].Put.Item), nil
}

// newAnswer returns an answer with the header that DynamoDB gives it.
func newAnswer(body string) answer {
	sum := crc32.ChecksumIEEE([]byte(body))
	return answer{body: body, header: http.Header{
		"Content-Type":     {contentType},
		"Content-Length":   {strconv.Itoa(len(body))},
		checksumHeader:     {strconv.FormatUint(uint64(sum), 10)},
		"X-Amzn-Requestid": {"CANNED0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"},
	}}
}

// find returns the answer to a request. A request that is not signed is an error.
func (d *Canned) find(r *http.Request) (answer, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	a, ok := d.answers[operation]
	if !ok {
		return answer{}, fmt.Errorf("there is no answer to %q", operation)
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=") {
		return answer{}, errors.New("the request is not signed")
	}
	body, err := io.ReadAll(r.Body)
	if operation == "GetItem" && bytes.Contains(body, []byte(`"SETTINGS"`)) {
		a = d.settings
	}
	return a, err
}

// RoundTrip answers without a network.
func (d *Canned) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := d.find(r)
	if err != nil {
		return nil, err
	}
	return Response(http.StatusOK, a.body, a.header), nil
}

// ServeHTTP answers over a network, and a GET as DynamoDB does: it is healthy.
func (d *Canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, "healthy: canned")
		return
	}
	a, err := d.find(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	maps.Copy(w.Header(), a.header)
	_, _ = io.WriteString(w, a.body)
}

// Event returns an event for a function, such as those in the folder events, with the organization's key in it.
func (d *Canned) Event(recorded []byte) []byte {
	return bytes.Replace(recorded, []byte("YOUR_API_KEY"), []byte(d.Key.Reveal()), 1)
}

// CannedServer is a Canned at a port of this machine.
type CannedServer struct {
	URL  string
	Root []byte // the certificate of its authority in PEM; nil without TLS

	server *httptest.Server
}

// Serve starts a server without TLS.
func (d *Canned) Serve() (*CannedServer, error) {
	server := httptest.NewServer(d)
	return &CannedServer{URL: server.URL, server: server}, nil
}

// ServeTLS starts a server with certificates like DynamoDB's: a leaf of RSA with 2,048 bits, sent together with an
// intermediate, under a root of its own.
func (d *Canned) ServeTLS() (*CannedServer, error) {
	chain, root, err := newChain()
	if err != nil {
		return nil, fmt.Errorf("making certificates: %w", err)
	}
	server := httptest.NewUnstartedServer(d)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{chain}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	return &CannedServer{URL: server.URL, Root: root, server: server}, nil
}

// Close ends all connections.
func (s *CannedServer) Close() {
	s.server.CloseClientConnections()
	s.server.Close()
}

// newChain returns a leaf with its intermediate, and the root in PEM.
func newChain() (tls.Certificate, []byte, error) {
	root, err := newCertificate("canned root", nil)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	intermediate, err := newCertificate("canned intermediate", root)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	leaf, err := newCertificate("", intermediate)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	leaf.Certificate = append(leaf.Certificate, intermediate.Certificate...)
	return *leaf, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate[0]}), nil
}

// newCertificate returns a certificate of an authority with the name, or of this machine if the name is "". A nil
// issuer means that the certificate signs itself.
func newCertificate(name string, issuer *tls.Certificate) (*tls.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		BasicConstraintsValid: true,
		IsCA:                  name != "",
		KeyUsage:              x509.KeyUsageCertSign,
	}
	if name == "" {
		template.KeyUsage = x509.KeyUsageDigitalSignature
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	if issuer == nil {
		issuer = &tls.Certificate{Leaf: template, PrivateKey: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Leaf, &key.PublicKey, issuer.PrivateKey)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}, err
}
