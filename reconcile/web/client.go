package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/vksync/vksync/reconcile"
)

// ClientOptions say which daemon a Client asks.
type ClientOptions struct {
	// URL is where the daemon serves, as http://127.0.0.1:8090. A path in it goes
	// before those of the API.
	URL string
	// Token is asked before each request, so that a rotated one is taken up; nil sends
	// none.
	Token func() (string, error)
	// RootCAs verify an https server; nil are the system's.
	RootCAs *x509.CertPool
}

// A Client reads the status and the journals of a daemon, and approves plans. It
// is safe for concurrent use.
type Client struct {
	base  *url.URL
	token func() (string, error)
	http  *http.Client
	pace  pace
}

// How long a daemon may take. Answers begin at once on one that is well.
const (
	connectTimeout = 10 * time.Second
	answerTimeout  = 15 * time.Second
)

// maxStatus bounds an answer that is no stream, in bytes: 10,000 goals with
// their reasons are some 5 MiB.
const maxStatus = 64 << 20

// NewClient checks the URL. It contacts nothing.
func NewClient(o ClientOptions) (*Client, error) {
	base, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not a URL, such as http://127.0.0.1:8090", o.URL)
	case base.User != nil:
		return nil, errors.New("the URL holds a user or a password, which the daemon does not take: give a token")
	case base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return nil, fmt.Errorf("%q is not the URL of a daemon: want http://HOST:PORT or https://HOST:PORT", o.URL)
	}
	base.RawQuery, base.Fragment = "", ""
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:   connectTimeout,
		ResponseHeaderTimeout: answerTimeout,
		TLSClientConfig:       &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost:   1,
	}
	return &Client{
		base: base, token: o.Token, pace: defaultPace,
		// Another server than the one that was named gets no token and is not believed.
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// Close lets go of connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Exposed says whether the token goes over a network without TLS.
func (c *Client) Exposed() bool {
	host := c.base.Hostname()
	ip := net.ParseIP(host)
	return c.token != nil && c.base.Scheme == "http" && host != "localhost" && (ip == nil || !ip.IsLoopback())
}

// Status asks how the daemon stands.
func (c *Client) Status(ctx context.Context) (reconcile.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	response, err := c.do(ctx, http.MethodGet, "status", nil, "", nil)
	if err != nil {
		return reconcile.Status{}, err
	}
	defer drop(response.Body)
	var s reconcile.Status
	if err := json.NewDecoder(io.LimitReader(response.Body, maxStatus)).Decode(&s); err != nil {
		if ctx.Err() != nil {
			return s, c.unreachable(ctx.Err())
		}
		return s, c.stranger("its status is no JSON")
	}
	if s.Loops == nil {
		return s, c.stranger("its status has no loops")
	}
	return s, nil
}

// Approve approves a plan that waits, by the digest that was seen. It is Refused
// when another one waits meanwhile, or when the daemon takes no approval from
// this client; the error then says how to approve otherwise.
func (c *Client) Approve(ctx context.Context, source, supervisor, digest string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	body, err := json.Marshal(approval{source, supervisor, digest})
	if err != nil {
		return err
	}
	response, err := c.do(ctx, http.MethodPost, "approve", nil, "", body)
	if err != nil {
		return err
	}
	drop(response.Body)
	return nil
}

// do sends a request and returns the answer to it when that is a good one. Last is
// the id of the last event that is known.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, last string, body []byte) (*http.Response, error) {
	at := c.base.JoinPath("api/v1", path)
	at.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != nil {
		token, err := c.token()
		if err != nil {
			return nil, fmt.Errorf("reading the token: %w", err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	defer drop(response.Body)
	return nil, c.refusal(response)
}

// drop ends an answer. What is left of a short one is read, for the next request.
func drop(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 4<<10)
	_ = body.Close()
}
