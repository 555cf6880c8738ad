package vsphere

import (
	"context"
	"crypto/sha1" //#nosec G505 -- vCenter and its tools print SHA-1 thumbprints
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/soap"
)

// How long a connection may take to come up, and stay without use.
const (
	dialTimeout      = 15 * time.Second
	handshakeTimeout = 15 * time.Second
	idleTimeout      = 90 * time.Second
)

// inFlight is how many calls run at once, and how many connections are kept:
// with Go's default of two idle ones nearly every call shakes hands anew.
const inFlight = 8

// newTransport is one transport for SOAP and REST. govmomi's own ignores the
// context while it dials and has no timeout there.
func newTransport(c Config) (*http.Transport, error) {
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.RootCAs, InsecureSkipVerify: c.Insecure}
	if c.Thumbprint != "" && !c.Insecure {
		want, err := parseThumbprint(c.Thumbprint)
		if err != nil {
			return nil, err
		}
		// Verification is not skipped but done in VerifyConnection, which alone can
		// accept a certificate that no authority signed.
		tlsConfig.InsecureSkipVerify = true
		tlsConfig.VerifyConnection = verifyOrMatch(c.RootCAs, want)
	}
	dial, proxy := c.DialContext, (func(*http.Request) (*url.URL, error))(nil)
	if dial == nil {
		dial, proxy = (&net.Dialer{Timeout: dialTimeout}).DialContext, http.ProxyFromEnvironment
	}
	return &http.Transport{
		Proxy: proxy,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, dialTimeout)
			defer cancel()
			return dial(ctx, network, addr)
		},
		TLSClientConfig:     tlsConfig,
		TLSHandshakeTimeout: handshakeTimeout,
		MaxIdleConns:        2 * inFlight,
		MaxIdleConnsPerHost: 2 * inFlight,
		IdleConnTimeout:     idleTimeout,
	}, nil
}

func parseThumbprint(text string) ([]byte, error) {
	sum, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(sum) != sha1.Size && len(sum) != sha256.Size {
		return nil, fmt.Errorf("the thumbprint %q is not 20 (SHA-1) or 32 (SHA-256) bytes in hex", text)
	}
	return sum, nil
}

// verifyOrMatch accepts what roots verify, and else the one certificate.
func verifyOrMatch(roots *x509.CertPool, thumbprint []byte) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errors.New("the vCenter sent no certificate")
		}
		leaf := s.PeerCertificates[0]
		options := x509.VerifyOptions{Roots: roots, DNSName: s.ServerName, Intermediates: x509.NewCertPool()}
		for _, c := range s.PeerCertificates[1:] {
			options.Intermediates.AddCert(c)
		}
		if _, err := leaf.Verify(options); err == nil {
			return nil
		}
		one, two := sha1.Sum(leaf.Raw), sha256.Sum256(leaf.Raw) //#nosec G401
		if string(one[:]) == string(thumbprint) || string(two[:]) == string(thumbprint) {
			return nil
		}
		return fmt.Errorf("no authority verifies the certificate, and its SHA-256 thumbprint is %X, not the given one", two)
	}
}

// deadline bounds every single SOAP call.
type deadline struct {
	next    soap.RoundTripper
	timeout time.Duration
}

var _ soap.RoundTripper = deadline{}

// RoundTrip runs one call.
func (d deadline) RoundTrip(ctx context.Context, req, res soap.HasFault) error {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	return d.next.RoundTrip(ctx, req, res)
}
