package link_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile/link"
)

// A wire is a real transport whose first dials fail.
func wire(t *testing.T, failing int32) (*http.Transport, *atomic.Int32) {
	t.Helper()
	dials := new(atomic.Int32)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials.Add(1) <= failing {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport, dials
}

func TestAWriteThatWasNeverSentIsRepeated(t *testing.T) {
	t.Parallel()
	var received atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || string(body) != "content" {
			t.Errorf("received %q, %v", body, err)
		}
		received.Add(1)
	}))
	t.Cleanup(server.Close)
	transport, dials := wire(t, 2)
	client := &http.Client{Transport: link.New(link.Options{Backoff: time.Millisecond}).Wrap(transport)}
	answer, err := client.Post(server.URL, "text/plain", strings.NewReader("content"))
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	if received.Load() != 1 || dials.Load() != 3 {
		t.Errorf("received %d times after %d dials, want once after 3", received.Load(), dials.Load())
	}
}

// A server that reads a write and ends the connection may have done it.
func TestAWriteThatMayHaveHadAnEffectIsNot(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int32{http.MethodPost: 1, http.MethodPatch: 1, http.MethodDelete: 1, http.MethodGet: 4} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			var received atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				received.Add(1)
				panic(http.ErrAbortHandler)
			}))
			t.Cleanup(server.Close)
			transport, _ := wire(t, 0)
			l := link.New(link.Options{Name: "the server", Backoff: time.Millisecond})
			r, err := http.NewRequestWithContext(t.Context(), method, server.URL, strings.NewReader("content"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.Wrap(transport).RoundTrip(r); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, want io.EOF", err)
			}
			if received.Load() != want {
				t.Errorf("received %d times, want %d", received.Load(), want)
			}
			if h := l.Health(); h.State != link.Failing || h.LastError != "the connection ended before the answer did" {
				t.Errorf("health %+v", h)
			}
		})
	}
}

func TestACertificateThatNobodyTrustsIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	server.Config.ErrorLog = quiet
	t.Cleanup(server.Close)
	for name, trust := range map[string]link.Trust{"system": {}, "another thumbprint": {Thumbprint: strings.Repeat("00", 32)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transport, dials := wire(t, 0)
			var err error
			if transport.TLSClientConfig, err = trust.TLS(); err != nil {
				t.Fatal(err)
			}
			l := link.New(link.Options{})
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.Wrap(transport).RoundTrip(r); err == nil || dials.Load() != 1 {
				t.Errorf("got %v after %d dials, want an error after one", err, dials.Load())
			}
			if h := l.Health(); h.State != link.Failing || !strings.Contains(h.LastError, "certificate") {
				t.Errorf("health %+v, want it to tell of the certificate", h)
			}
		})
	}
}

// FuzzScrub looks for credentials that get past it.
func FuzzScrub(f *testing.F) {
	f.Add("https", "user", "host/sdk")
	f.Add("ssh", "a:b", "[::1]:22")
	f.Fuzz(func(t *testing.T, scheme, user, rest string) {
		if strings.ContainsAny(scheme+user, " \t\n\r\v\f\"@/:") || scheme == "" || user == "" || strings.ContainsAny(scheme, "0123456789+.-") || strings.IndexFunc(scheme, notLetter) >= 0 {
			t.Skip()
		}
		const secret = "canary-9b1e"
		if got := link.Scrub("dialling " + scheme + "://" + user + ":" + secret + "@" + rest); strings.Contains(got, secret) && !strings.Contains(rest, secret) {
			t.Errorf("%q holds the password", got)
		}
	})
}

func notLetter(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }

// A proxy that gives up on one request ends its stream, and the connection goes on.
func TestAStreamThatIsCutIsAFailureOfTheNetwork(t *testing.T) {
	t.Parallel()
	var received atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if received.Add(1) < 3 {
			panic(http.ErrAbortHandler)
		}
	}))
	server.EnableHTTP2, server.Config.ErrorLog = true, quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	l := link.New(link.Options{Name: "the server", Attempts: 2, Backoff: time.Millisecond})
	get := func() error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := l.Wrap(server.Client().Transport).RoundTrip(r)
		if err != nil {
			return err
		}
		return answer.Body.Close()
	}
	const want = "the server: the connection ended before the answer did (tried 2 times)"
	if err := get(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := get(); err != nil || received.Load() != 3 {
		t.Errorf("got %v after %d requests, want an answer after 3", err, received.Load())
	}
}
