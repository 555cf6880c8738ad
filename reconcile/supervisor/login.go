package supervisor

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"k8s.io/client-go/rest"

	"github.com/vksync/vksync/reconcile/link"
)

// LoginConfig says how to log in to a Supervisor as kubectl vsphere login does.
type LoginConfig struct {
	// Address is the Supervisor's host, or host:port where its login is not at 443.
	Address string
	// API is host:port of the Kubernetes API; empty is the host of Address at 6443.
	API string
	// Username and Password are those of vCenter: administrator@vsphere.local.
	Username, Password string
	// RootCAs, Thumbprint and Insecure say which certificate is accepted, as those
	// of link.Trust do.
	RootCAs    *x509.CertPool
	Thumbprint string
	Insecure   bool
	// Link is told how logins go; nil tells nobody.
	Link *link.Link
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// DialContext opens connections; nil dials TCP.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// How long a connection may take to come up, a login to be answered, and a
// connection to say nothing.
const (
	dialTimeout      = 15 * time.Second
	handshakeTimeout = 15 * time.Second
	loginTimeout     = 30 * time.Second
	idleTimeout      = 90 * time.Second
	pingAfter        = 30 * time.Second
)

// Login logs in at https://ADDRESS/wcp/login with the credentials of vCenter. What
// it returns logs in again by itself: when four fifths of the token's life are
// over, and once when a request is answered 401. The token is in no
// configuration that could be printed. The error is an *Error: Denied when the
// credentials are wrong, Invalid when the configuration is, else Transient.
func Login(ctx context.Context, c LoginConfig) (*rest.Config, error) {
	op := "logging in to the Supervisor at " + c.Address
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		host = c.Address
	}
	if host == "" || c.Username == "" || c.Password == "" {
		return nil, &Error{Op: op, Class: Invalid, Message: "an address, a user name and a password are needed"}
	}
	tlsConfig, err := link.Trust{RootCAs: c.RootCAs, Thumbprint: c.Thumbprint, Insecure: c.Insecure}.TLS()
	if err != nil {
		return nil, &Error{Op: op, Class: Invalid, Message: err.Error(), cause: err}
	}
	dial := c.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	base := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial, TLSClientConfig: tlsConfig, TLSHandshakeTimeout: handshakeTimeout,
		MaxIdleConnsPerHost: 25, IdleConnTimeout: idleTimeout, ForceAttemptHTTP2: true,
		// A connection whose other end is gone would keep a watch waiting for ever.
		HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: dialTimeout},
	}
	t := &tokens{config: c, op: op, base: base}
	if _, err := t.renew(ctx, ""); err != nil {
		base.CloseIdleConnections()
		return nil, err
	}
	return &rest.Config{
		Host:          "https://" + cmp.Or(c.API, net.JoinHostPort(host, "6443")),
		UserAgent:     userAgent,
		Transport:     base,
		WrapTransport: func(next http.RoundTripper) http.RoundTripper { return authenticated{t, next} },
	}, nil
}

// maxLogin is the longest answer to a login that is read, in bytes.
const maxLogin = 1 << 20

// ask sends the credentials once and returns the token.
func (t *tokens) ask(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+t.config.Address+"/wcp/login", http.NoBody)
	if err != nil {
		return "", &Error{Op: t.op, Class: Invalid, Message: "the address is not host or host:port", cause: err}
	}
	r.SetBasicAuth(t.config.Username, t.config.Password)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", userAgent)
	// Not an http.Client, which would follow a redirect with the password.
	answer, err := t.base.RoundTrip(r)
	if err != nil {
		return "", classify(t.op, noAddr, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxLogin))
	switch {
	case err != nil:
		return "", classify(t.op, noAddr, err)
	case answer.StatusCode == http.StatusUnauthorized, answer.StatusCode == http.StatusForbidden:
		return "", &Error{Op: t.op, Class: Denied, Message: fmt.Sprintf("it does not accept the credentials of %s (%d)", t.config.Username, answer.StatusCode)}
	case answer.StatusCode == http.StatusNotFound:
		return "", &Error{Op: t.op, Class: Invalid, Message: "it has no /wcp/login: is the address that of a Supervisor's control plane?"}
	case answer.StatusCode != http.StatusOK:
		return "", &Error{Op: t.op, Class: Transient, Message: fmt.Sprintf("it answered %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))}
	}
	var content struct {
		Token string `json:"session_id"`
	}
	if err := json.Unmarshal(body, &content); err != nil || content.Token == "" {
		return "", &Error{Op: t.op, Class: Transient, Message: "the answer has no session_id"}
	}
	return content.Token, nil
}
