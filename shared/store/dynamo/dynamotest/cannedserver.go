package dynamotest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"
)

// CannedServer is a DynamoDB at a port of this machine.
type CannedServer struct {
	URL  string
	Root []byte // the certificate of its authority in PEM; nil without TLS

	server *http.Server
	serves sync.WaitGroup
}

// Serve starts a server without TLS.
func (d *Canned) Serve() (*CannedServer, error) { return d.serve("http", nil, nil) }

// ServeTLS starts a server whose certificates are as those of DynamoDB: a leaf of RSA with 2,048 bits, sent together with
// an intermediate, under a root of its own.
func (d *Canned) ServeTLS() (*CannedServer, error) {
	chain, root, err := newChain()
	if err != nil {
		return nil, fmt.Errorf("making certificates: %w", err)
	}
	return d.serve("https", &tls.Config{Certificates: []tls.Certificate{chain}, MinVersion: tls.VersionTLS12}, root)
}

func (d *Canned) serve(scheme string, config *tls.Config, root []byte) (*CannedServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &CannedServer{URL: scheme + "://" + listener.Addr().String(), Root: root, server: &http.Server{Handler: d}}
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	s.serves.Go(func() { _ = s.server.Serve(listener) }) // returns when it is closed
	return s, nil
}

// Close ends all connections.
func (s *CannedServer) Close() {
	_ = s.server.Close()
	s.serves.Wait()
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
	chain := tls.Certificate{Certificate: [][]byte{leaf.parsed.Raw, intermediate.parsed.Raw}, PrivateKey: leaf.key}
	return chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.parsed.Raw}), nil
}

type certificate struct {
	key    *rsa.PrivateKey
	parsed *x509.Certificate
}

// newCertificate returns one for an authority of the name, or for this machine where there is no name, that the issuer
// signed, or itself where there is none.
func newCertificate(name string, issuer *certificate) (*certificate, error) {
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
		template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	signer := &certificate{key: key, parsed: template}
	if issuer != nil {
		signer = issuer
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.parsed, &key.PublicKey, signer.key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	return &certificate{key: key, parsed: parsed}, err
}
