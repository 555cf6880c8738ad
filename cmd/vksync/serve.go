package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/vksync/vksync/reconcile/web"
	"github.com/vksync/vksync/schema"
)

// How long a client may take over its part of a request, and how long answers
// that are under way may take when the server stops.
const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	stopTimeout   = 5 * time.Second
)

// httpServer is what a daemon serves; the nil one serves nothing.
type httpServer struct {
	server   *http.Server
	listener net.Listener
	failed   chan error
}

// listen begins to serve.
func (d *daemon) listen(c schema.ServerConfig) (*httpServer, error) {
	if c.Address == "" {
		return nil, nil
	}
	options := web.Options{Status: d.daemon.Status, Events: d.events, Approve: d.daemon.Approve, Webhook: d.hooks, Version: build().Version}
	if !c.Token.IsZero() {
		options.Token = secret(c.Token)
		if _, err := options.Token(); err != nil {
			return nil, invalid(fmt.Errorf("server.token: %w", err))
		}
	}
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", c.Address)
	if err != nil {
		return nil, invalid(fmt.Errorf("serving at %s: %w; give another address with --listen or server.address", c.Address, err))
	}
	serving, end := context.WithCancel(context.Background())
	s := &httpServer{
		server: &http.Server{
			Handler: web.Handler(options), ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, MaxHeaderBytes: 64 << 10,
			BaseContext: func(net.Listener) context.Context { return serving },
		},
		listener: listener, failed: make(chan error, 1),
	}
	s.server.RegisterOnShutdown(end) // of the streams of events, which nothing else ends
	go func() { s.failed <- s.server.Serve(listener) }()
	return s, nil
}

// address is where it serves, for people; "none" when it does not.
func (s *httpServer) address() string {
	if s == nil {
		return "none"
	}
	return "http://" + s.listener.Addr().String()
}

// close ends it, and says what went wrong in the meantime.
func (s *httpServer) close() error {
	if s == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close() // a client that takes no answer is left behind
	}
	if served := <-s.failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// runID tells this process from an earlier one of the same number.
func runID() string {
	return fmt.Sprintf("%x", time.Now().UnixNano()&0xffffff) + fmt.Sprintf("%x", os.Getppid())
}
