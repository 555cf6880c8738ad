package gate

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Endpoint is one server of a served world. It may be down, and come up again at
// the same address.
type Endpoint struct {
	name    string
	refuse  Refuse
	handler http.Handler
	config  *tls.Config

	mu      sync.Mutex
	address string       // host:port; the port is 0 before the first time up
	server  *http.Server // nil while down
	done    chan struct{}
	release func()                     // gives up the port that is kept while down; nil while up
	fail    func(*http.Request) *Fault // nil answers every request
}

// Open serves handler over TLS on 127.0.0.1; port 0 is any that is free. The name
// is for messages. With refuse it answers what a Fault refuses.
func Open(name string, port int, a *Authority, handler http.Handler, refuse Refuse) (*Endpoint, error) {
	certificate, err := a.issue(name)
	if err != nil {
		return nil, err
	}
	e := &Endpoint{
		name: name, refuse: refuse, handler: handler,
		config:  &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
		address: net.JoinHostPort("127.0.0.1", fmt.Sprint(port)),
	}
	return e, e.Up()
}

// URL is where clients find the endpoint: https://127.0.0.1:PORT.
func (e *Endpoint) URL() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return "https://" + e.address
}

// Up opens the endpoint, if it is down.
func (e *Endpoint) Up() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server != nil {
		return nil
	}
	listener, err := net.Listen("tcp", e.address)
	if err != nil {
		return fmt.Errorf("serving the simulated %s: %w", e.name, err)
	}
	e.address = listener.Addr().String()
	if e.release != nil {
		e.release()
		e.release = nil
	}
	server := &http.Server{
		Handler: http.HandlerFunc(e.serve), TLSConfig: e.config.Clone(),
		ReadHeaderTimeout: 10 * time.Second,
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connection{}, c) },
		// Clients that go in the middle of a handshake are no news.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	done := make(chan struct{})
	e.server, e.done = server, done
	go func() {
		defer close(done)
		_ = server.ServeTLS(listener, "", "") // returns when the server is closed
	}()
	return nil
}

// Down closes the listener and cuts every connection; the port stays the endpoint's.
// It is no fault if it was down already.
func (e *Endpoint) Down() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server == nil {
		return nil
	}
	err := e.server.Close()
	<-e.done
	e.server = nil
	e.release = reserve(e.address)
	return err
}

// Close is Down for good: the port is given up.
func (e *Endpoint) Close() error {
	err := e.Down()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.release != nil {
		e.release()
		e.release = nil
	}
	return err
}

func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	fail := e.fail
	e.mu.Unlock()
	if fail != nil && e.disturb(fail, w, r) {
		return
	}
	e.handler.ServeHTTP(w, r)
}
