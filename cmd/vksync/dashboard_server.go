package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/web"
	"github.com/vksync/vksync/tui/dashboard"
)

// tokenVariable has the token of a daemon for who has no file with it.
const tokenVariable = "VKSYNC_TOKEN"

// followedDaemon is a daemon whose runs are looked at.
type followedDaemon struct {
	client *web.Client
	errs   io.Writer
}

func (o *dashboardOptions) openServer(io streams) (origin, error) {
	token, err := tokenOf(o.tokenFile, os.Getenv)
	if err != nil {
		return nil, invalid(err)
	}
	authorities, err := authorities(o.caFile)
	if err != nil {
		return nil, invalid(fmt.Errorf("--ca-file: %w", err))
	}
	client, err := web.NewClient(web.ClientOptions{URL: o.server, Token: token, RootCAs: authorities})
	if err != nil {
		return nil, invalid(fmt.Errorf("--server: %w", err))
	}
	if client.Exposed() {
		_, _ = fmt.Fprintln(io.errs, "vksync: the token goes over the network as it is: http is not encrypted") // there is nobody else to tell
	}
	return &followedDaemon{client: client, errs: io.errs}, nil
}

// tokenOf reads a token anew each time, so that a rotated one is taken up; nil
// where none is given.
func tokenOf(file string, getenv func(string) string) (func() (string, error), error) {
	if file == "" && getenv(tokenVariable) == "" {
		return nil, nil
	}
	read := func() (string, error) {
		if file == "" {
			return getenv(tokenVariable), nil
		}
		text, err := os.ReadFile(file)
		token := strings.TrimSpace(string(text))
		switch {
		case err != nil:
			return "", err
		case token == "":
			return "", fmt.Errorf("%s is empty", file)
		case strings.ContainsAny(token, "\r\n"):
			return "", fmt.Errorf("%s holds several lines: want the token and nothing else", file)
		}
		return token, nil
	}
	if _, err := read(); err != nil {
		return nil, fmt.Errorf("--token-file: %w", err)
	}
	return read, nil
}

func (r *followedDaemon) close() { r.client.Close() }

func (r *followedDaemon) run(ctx context.Context, to outlet) error {
	err := r.client.Follow(ctx, &subscriber{to: to, loops: map[web.Name]loopState{}})
	if ctx.Err() != nil {
		return nil
	}
	if refused := new(web.Refused); errors.As(err, &refused) {
		return invalid(err)
	}
	return err
}

// A subscriber hands on what a client hears, a stream for each loop.
type subscriber struct {
	to outlet

	mu    sync.Mutex // guards what is below
	loops map[web.Name]loopState
}

// loopState is what is known of a loop beside its journal.
type loopState struct {
	standing web.Standing
	status   reconcile.LoopStatus
}

var _ web.Follower = (*subscriber)(nil)

// Event hands an event on.
func (s *subscriber) Event(of web.Name, e journal.Event) {
	s.to.stream(of.String()).Events([]journal.Event{e})
}

// Stands says how a stream is.
func (s *subscriber) Stands(of web.Name, standing web.Standing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.loops[of]
	l.standing = standing
	s.loops[of] = l
	s.to.stream(of.String()).Connect(l.connection())
}

// Status says what the loops do, which their journals do not when nothing runs.
func (s *subscriber) Status(status reconcile.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, now := range status.Loops {
		name := web.Name{Source: now.Source, Supervisor: now.Supervisor}
		l := s.loops[name]
		l.status = now
		s.loops[name] = l
		s.to.stream(name.String()).Connect(l.connection())
	}
}

func (l loopState) connection() dashboard.Connection {
	states := map[web.StandingState]dashboard.ConnectionState{
		web.StreamConnecting: dashboard.Connecting, web.StreamFollowing: dashboard.Following,
		web.StreamLost: dashboard.Lost, web.StreamGone: dashboard.Ended,
	}
	c := dashboard.Connection{State: states[l.standing.State], Live: true}
	switch l.standing.State {
	case web.StreamLost:
		c.Detail = l.standing.Why + nextTry(l.standing.Next)
	case web.StreamGone:
		c.Detail = l.standing.Why
	case web.StreamFollowing:
		c.Detail = string(l.status.State)
		for _, more := range []string{l.status.Hold, l.status.Error} {
			if more != "" {
				c.Detail += ": " + more
			}
		}
	}
	return c
}
