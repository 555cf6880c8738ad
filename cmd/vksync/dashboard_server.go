package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

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
	url    string
	// trusted says that there is a token, without which nothing can be approved.
	trusted bool

	mu    sync.Mutex // guards what is below
	loops map[string]*loopState
}

// loopState is what is known of a loop beside its journal.
type loopState struct {
	name     web.Name
	standing web.Standing
	status   reconcile.LoopStatus
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
	return &followedDaemon{client: client, url: o.server, trusted: token != nil, loops: map[string]*loopState{}}, nil
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

func (d *followedDaemon) close() { d.client.Close() }

// configure lets who has the token approve, and others copy the command that does.
func (d *followedDaemon) configure(c *dashboard.Config) {
	if d.trusted {
		c.Approve = d.approve
	}
	c.ApproveCommand = d.approveCommand
	c.Origin = d.url
}

// approveTimeout is how long a daemon may take to pass an approval on.
const approveTimeout = 30 * time.Second

func (d *followedDaemon) approve(stream, digest string) error {
	d.mu.Lock()
	loop := d.loops[stream]
	d.mu.Unlock()
	if loop == nil {
		return fmt.Errorf("the daemon has no loop %q", stream)
	}
	ctx, cancel := context.WithTimeout(context.Background(), approveTimeout)
	defer cancel()
	return d.client.Approve(ctx, loop.name.Source, loop.name.Supervisor, digest)
}

// approveCommand is how the daemon says that a plan is approved.
func (d *followedDaemon) approveCommand(stream string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if loop := d.loops[stream]; loop != nil {
		return loop.status.Approve
	}
	return ""
}

func (d *followedDaemon) run(ctx context.Context, to outlet) error {
	err := d.client.Follow(ctx, &subscriber{d, to})
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
	*followedDaemon
	to outlet
}

var _ web.Follower = (*subscriber)(nil)

// Event hands an event on.
func (s *subscriber) Event(of web.Name, e journal.Event) {
	s.to.stream(of.String()).Events([]journal.Event{e})
}

// Stands says how a stream is.
func (s *subscriber) Stands(of web.Name, standing web.Standing) {
	s.learn(of, func(l *loopState) { l.standing = standing })
}

// Status says what the loops do, which their journals do not when nothing runs.
func (s *subscriber) Status(status reconcile.Status) {
	for _, now := range status.Loops {
		s.learn(web.Name{Source: now.Source, Supervisor: now.Supervisor}, func(l *loopState) { l.status = now })
	}
}

func (s *subscriber) learn(of web.Name, what func(*loopState)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	loop := s.loops[of.String()]
	if loop == nil {
		loop = &loopState{name: of}
		s.loops[of.String()] = loop
	}
	what(loop)
	s.to.stream(of.String()).Connect(loop.connection())
}

func (l *loopState) connection() dashboard.Connection {
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
