// Package vsphere reads and writes what vksync needs of a vCenter: the
// inventory that plans are checked against, and vSphere Namespaces. It hides
// govmomi: sessions and their renewal, property collection, the names and
// identifiers of the REST API, and the many shapes of its errors.
//
// What could not be read is an error, never an empty result. Every error is an
// *Error.
package vsphere

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/vksync/vksync/reconcile/link"
)

// Config says how to reach a vCenter.
type Config struct {
	// URL is http or https, with user and password; an empty path is /sdk. Plain
	// http is for simulated vCenters, whose connections do not leave the process.
	URL *url.URL
	// DialContext opens connections; nil dials TCP.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// RootCAs verify the certificate; nil is the system's.
	RootCAs *x509.CertPool
	// Thumbprint, SHA-1 or SHA-256 in hex with or without colons, accepts the
	// certificate that has it when RootCAs do not.
	Thumbprint string
	// Insecure accepts any certificate.
	Insecure bool
	// Timeout ends a single call that takes longer; 0 is DefaultTimeout.
	Timeout time.Duration
	// Link repeats reads that failed, and knows how the vCenter is; nil is none.
	Link *link.Link
}

// DefaultTimeout is for one call. A page of 100 virtual machines takes far less.
const DefaultTimeout = time.Minute

// logoutTimeout bounds what Close waits for a vCenter that is gone.
const logoutTimeout = 5 * time.Second

// userAgent is what vCenter shows of the session.
const userAgent = "vksync"

// Client is a session with one vCenter. It is safe for concurrent use.
type Client struct {
	address string // host:port, for messages
	secret  string // the password, to keep it out of messages
	vim     *vim25.Client
	rest    *restClient
	http    *http.Transport
	link    *link.Link
	session *session

	mu  sync.Mutex // held while observing
	vms map[types.ManagedObjectReference]vmDetails
	// folders are where machines were seen last, by managed object id.
	folders map[string]string
	// libraries are names by identifier; a library is never renamed under vksync's feet.
	libraries map[string]string
}

// Dial reaches the vCenter and logs in.
func Dial(ctx context.Context, config Config) (*Client, error) {
	if config.URL == nil || config.URL.Host == "" {
		return nil, &Error{Op: "connecting", Kind: Invalid, Detail: "the vCenter's URL has no host; give https://user:password@host"}
	}
	if config.Timeout == 0 {
		config.Timeout = DefaultTimeout
	}
	transport, err := newTransport(config)
	if err != nil {
		return nil, &Error{Op: "connecting", Address: config.URL.Host, Kind: Invalid, Detail: err.Error()}
	}
	c := &Client{
		address:   config.URL.Host,
		http:      transport,
		link:      config.Link,
		vms:       map[types.ManagedObjectReference]vmDetails{},
		folders:   map[string]string{},
		libraries: map[string]string{},
	}
	c.secret, _ = config.URL.User.Password()
	c.rest = newREST(config, transport, c.note)
	if err := c.connect(ctx, config); err != nil {
		transport.CloseIdleConnections()
		return nil, c.wrap("connecting", err)
	}
	return c, nil
}

func (c *Client) connect(ctx context.Context, config Config) error {
	u := *config.URL
	if u.Path == "" || u.Path == "/" {
		u.Path = vim25.Path
	}
	sc := soap.NewClient(&u, config.Insecure)
	sc.Client.Transport = c.link.Wrap(c.http)
	sc.UserAgent, sc.Namespace, sc.Version = userAgent, "urn:"+vim25.Namespace, vim25.Version
	limited := deadline{next: sc, timeout: config.Timeout}
	vim, err := vim25.NewClient(ctx, limited)
	if err != nil {
		return err
	}
	c.session = &session{next: limited, manager: vim.ServiceContent.SessionManager, user: config.URL.User, note: c.note}
	vim.RoundTripper = c.session
	c.vim = vim
	return c.session.renew(ctx, 0)
}

// note tells the Link how a login went: a session that is lost and cannot be had
// again is to be seen, whatever else the vCenter answers.
func (c *Client) note(what string, err error) {
	if errors.Is(err, context.Canceled) {
		return // it says nothing of the vCenter
	}
	if err != nil {
		_, detail := classify(err)
		err = errors.New(c.hide(detail))
	}
	c.link.Note(what, err)
}

// Address is the vCenter's host:port, as it is in errors.
func (c *Client) Address() string { return c.address }

// Close logs out and closes the connections. It does not wait longer than
// logoutTimeout, whatever ctx says, and works with a ctx that has ended.
func (c *Client) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logoutTimeout)
	defer cancel()
	err := errors.Join(c.session.logout(ctx), c.rest.logout(ctx))
	c.http.CloseIdleConnections()
	return c.wrap("logging out", err)
}
