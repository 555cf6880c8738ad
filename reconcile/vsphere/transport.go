package vsphere

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/soap"

	"github.com/vksync/vksync/reconcile/link"
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
	trust := link.Trust{RootCAs: c.RootCAs, Thumbprint: c.Thumbprint, Insecure: c.Insecure}
	tlsConfig, err := trust.TLS()
	if err != nil {
		return nil, err
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
		MaxConnsPerHost:     2 * inFlight,
		IdleConnTimeout:     idleTimeout,
	}, nil
}

// deadline bounds every single SOAP call, and tells the Link which ones only read.
type deadline struct {
	next    soap.RoundTripper
	timeout time.Duration
}

var _ soap.RoundTripper = deadline{}

// RoundTrip runs one call.
func (d deadline) RoundTrip(ctx context.Context, req, res soap.HasFault) error {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	if readMethods[strings.TrimSuffix(reflect.TypeOf(req).Elem().Name(), "Body")] {
		ctx = link.Idempotent(ctx)
	}
	return d.next.RoundTrip(ctx, req, res)
}

// readMethods may be called twice: they change nothing, or what they make ends
// with the session. The next page of a collector is not among them; the server
// forgets it when it has sent it.
var readMethods = map[string]bool{
	"RetrieveServiceContent": true, "RetrievePropertiesEx": true, "CreateContainerView": true,
	"CreateCollectorForEvents": true,
}
