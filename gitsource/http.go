package gitsource

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// httpSession is a conversation in Git's smart HTTP protocol.
type httpSession struct {
	ctx       context.Context
	client    *http.Client
	base      string
	authorize string // the header's value; "" is none
}

// openHTTP reads what it takes afresh, so that rotated secrets are taken up.
func openHTTP(ctx context.Context, c Config, at address, hide func(string)) (*httpSession, error) {
	roots, err := authorities(c.Auth.CAFile)
	if err != nil {
		return nil, err
	}
	authorize, err := c.Auth.header(at, hide)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, host string) (net.Conn, error) {
			return dialed(ctx, network, host, c.Timeout)
		},
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    min(c.Timeout, 30*time.Second),
		ResponseHeaderTimeout:  c.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &httpSession{
		ctx: ctx, base: at.url(), authorize: authorize,
		client: &http.Client{Transport: transport, CheckRedirect: sameHost},
	}, nil
}

// authorities are those of the system and those of a file.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate authorities: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate in PEM form", file)
	}
	return roots, nil
}

// header is the value that logs in, "" when there is nothing to log in with. hide
// gets what no message may show.
func (a Auth) header(at address, hide func(string)) (string, error) {
	read := func(what string, from func() (string, error)) (string, error) {
		secret, err := from()
		if secret = strings.TrimRight(secret, "\r\n"); err == nil && secret == "" {
			err = errors.New("it is empty")
		}
		if err != nil {
			return "", fmt.Errorf("reading the %s: %w", what, err)
		}
		hide(secret)
		return secret, nil
	}
	basic := func(user, secret string) string {
		encoded := base64.StdEncoding.EncodeToString([]byte(user + ":" + secret))
		hide(encoded)
		return "Basic " + encoded
	}
	user := cmp.Or(a.Username, at.user)
	switch {
	case a.Password != nil:
		secret, err := read("password", a.Password)
		if err != nil {
			return "", err
		}
		return basic(user, secret), nil
	case a.Token != nil:
		secret, err := read("token", a.Token)
		if err != nil {
			return "", err
		}
		return basic(cmp.Or(user, "x-access-token"), secret), nil
	case a.Bearer != nil:
		secret, err := read("bearer token", a.Bearer)
		if err != nil {
			return "", err
		}
		return "Bearer " + secret, nil
	}
	return "", nil
}

// elsewhere is a redirect that is not followed.
type elsewhere struct{ to string }

func (e elsewhere) Error() string {
	return fmt.Sprintf("the server redirects to %s, which is not followed, since it could be told the credentials: give that address as the source's URL if it is right", e.to)
}

// sameHost follows a redirect on the same host only, and none of a request that
// has a body.
func sameHost(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	same := next.URL.Host == first.Host && next.URL.Scheme == first.Scheme
	if !same || next.Method != http.MethodGet || !strings.HasSuffix(next.URL.Path, "/info/refs") {
		to := *next.URL
		to.RawQuery, to.User = "", nil
		to.Path = strings.TrimSuffix(to.Path, "/info/refs")
		return elsewhere{printable(to.String(), 300)}
	}
	if len(via) > 5 {
		return errors.New("the server redirects in a circle")
	}
	return nil
}

func (s *httpSession) close()         { s.client.CloseIdleConnections() }
func (s *httpSession) mishap() string { return "" }

func (s *httpSession) advertisement() (io.Reader, error) {
	response, err := s.send(http.MethodGet, "/info/refs?service=git-upload-pack", nil)
	if err != nil {
		return nil, err
	}
	s.base = strings.TrimSuffix((&url.URL{Scheme: response.Request.URL.Scheme, Host: response.Request.URL.Host}).String()+
		response.Request.URL.EscapedPath(), "/info/refs")
	if kind := response.Header.Get("Content-Type"); kind != "application/x-git-upload-pack-advertisement" {
		response.Body.Close()
		return nil, fmt.Errorf("the server answers with %q, as for a web page: give the address that git clone takes", printable(kind, 60))
	}
	return closing{response.Body}, nil
}

// closing closes a body at its end, for the connection to be used again.
type closing struct{ io.ReadCloser }

func (c closing) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if err != nil {
		c.Close()
	}
	return n, err
}

func (s *httpSession) ask(request []byte) (io.ReadCloser, error) {
	response, err := s.send(http.MethodPost, "/git-upload-pack", request)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

func (s *httpSession) send(method, path string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(s.ctx, method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the URL cannot be used in a request")
	}
	request.Header.Set("User-Agent", "git/vksync")
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-git-upload-pack-request")
		request.Header.Set("Accept", "application/x-git-upload-pack-result")
	}
	if s.authorize != "" {
		request.Header.Set("Authorization", s.authorize)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, explainedHTTP(err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	response.Body.Close() // which could repeat what was sent
	return nil, s.status(response)
}

// busy is an answer that asks to come back later.
type busy struct {
	error
	after time.Duration
}

// status puts words to an answer that is none.
func (s *httpSession) status(r *http.Response) error {
	switch r.StatusCode {
	case http.StatusUnauthorized:
		if s.authorize == "" {
			return errors.New("the server asks for credentials (401): give the source a password or a token")
		}
		return errors.New("the server refuses the credentials (401): check the user name and the password or token")
	case http.StatusForbidden:
		return errors.New("the server does not let this account read the repository (403): give it read access")
	case http.StatusNotFound:
		return errors.New("the server knows no such repository, or hides it from this account (404): check the URL and the account's access")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		seconds, _ := strconv.Atoi(r.Header.Get("Retry-After"))
		return busy{fmt.Errorf("the server is busy (%d)", r.StatusCode), time.Duration(min(max(seconds, 0), 600)) * time.Second}
	}
	return fmt.Errorf("the server answers %d %s", r.StatusCode, http.StatusText(r.StatusCode))
}

// explainedHTTP says what to do about a request that had no answer. The library's
// message repeats the URL.
func explainedHTTP(err error) error {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var away elsewhere
	var in *url.Error
	switch {
	case errors.As(err, &away):
		return away
	case errors.As(err, &unknown):
		return errors.New("its certificate is signed by an unknown authority: give the source the authority's certificate as CA file")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("its certificate is not valid today, only from %s until %s: have it renewed",
			invalid.Cert.NotBefore.Format(time.DateOnly), invalid.Cert.NotAfter.Format(time.DateOnly))
	case errors.As(err, &invalid):
		return fmt.Errorf("its certificate is not valid: %w", invalid)
	case errors.As(err, &host):
		return fmt.Errorf("its certificate is for another host: it is valid for %s", printable(strings.Join(host.Certificate.DNSNames, ", "), 200))
	case errors.As(err, &in):
		err = in.Err
	}
	return fmt.Errorf("it cannot be reached: %s", resource.Redact(printable(err.Error(), 300)))
}
