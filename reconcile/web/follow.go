package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"time"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
)

// A Name names a loop of a daemon.
type Name struct{ Source, Supervisor string }

// String is SOURCE/SUPERVISOR.
func (n Name) String() string { return n.Source + "/" + n.Supervisor }

// A Follower is told what a Client follows. It must not block for long: what
// follows waits meanwhile, in the daemon. Calls about one loop come one after the
// other, those about several at once.
type Follower interface {
	// Event is an event of a loop's journal. A Begin is of another run.
	Event(of Name, e journal.Event)
	// Stands says how the stream of a loop is.
	Stands(of Name, s Standing)
	// Status is how the daemon stands, as often as it is asked.
	Status(s reconcile.Status)
}

// Standing is how the stream of a loop is.
type Standing struct {
	State StandingState
	// Why it is lost or gone, for people.
	Why string
	// Next is when a lost one is tried again.
	Next time.Time
}

// StandingState is the kind of a Standing.
type StandingState string

// The states of a stream.
const (
	StreamConnecting StandingState = "connecting"
	StreamFollowing  StandingState = "following"
	StreamLost       StandingState = "lost"
	StreamGone       StandingState = "gone" // the daemon has no such loop any more
)

// pace is how often what is asked.
type pace struct {
	status      time.Duration // the status, for loops that are new
	first, most time.Duration // until what is lost is tried again: at first, and at most
	silence     time.Duration // after which a stream is taken for lost
}

// defaultPace gives a stream three times the daemon's keep-alive.
var defaultPace = pace{status: 5 * time.Second, first: 500 * time.Millisecond, most: 30 * time.Second, silence: 3 * keepAlive}

// Follow follows the journals of all loops, also of those that come later, until
// ctx ends. It ends with an error only when the daemon cannot be asked the first
// time; what is lost later is tried again.
func (c *Client) Follow(ctx context.Context, to Follower) error {
	s, err := c.Status(ctx)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w; is 'vksync run' running there, with --listen?", err)
	case err != nil:
		return err
	}
	f := following{client: c, to: to, ends: map[Name]context.CancelCauseFunc{}}
	defer f.running.Wait()
	ticker := time.NewTicker(c.pace.status)
	defer ticker.Stop()
	for {
		if err == nil { // else the streams say how it is
			to.Status(s)
			f.take(ctx, s)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		s, err = c.Status(ctx)
	}
}

// following are the streams that are followed.
type following struct {
	client  *Client
	to      Follower
	ends    map[Name]context.CancelCauseFunc
	running sync.WaitGroup
}

// take begins with loops that are new, and ends with those that are gone.
func (f *following) take(ctx context.Context, s reconcile.Status) {
	known := map[Name]bool{}
	for _, l := range s.Loops {
		name := Name{l.Source, l.Supervisor}
		known[name] = true
		if f.ends[name] != nil {
			continue
		}
		follow, end := context.WithCancelCause(ctx)
		f.ends[name] = end
		f.running.Go(func() {
			defer end(nil)
			f.client.keep(follow, name, f.to)
		})
	}
	for name, end := range f.ends {
		if !known[name] {
			end(errGone)
			delete(f.ends, name)
		}
	}
}

// errGone ends the stream of a loop that the daemon does not have any more.
var errGone = errors.New("the daemon has no such loop any more")

// keep follows a stream, again and again, until ctx ends.
func (c *Client) keep(ctx context.Context, of Name, to Follower) {
	defer func() {
		if errors.Is(context.Cause(ctx), errGone) {
			to.Stands(of, Standing{State: StreamGone, Why: errGone.Error()})
		}
	}()
	last, again := "", c.pace.first
	for {
		to.Stands(of, Standing{State: StreamConnecting})
		seen, err := c.stream(ctx, of, last, to)
		if ctx.Err() != nil {
			return
		}
		if seen != "" {
			last, again = seen, c.pace.first
		}
		wait := again + time.Duration(rand.Int64N(int64(again)/4+1)) // clients do not come back all at once
		to.Stands(of, Standing{State: StreamLost, Why: err.Error(), Next: time.Now().Add(wait)})
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		again = min(2*again, c.pace.most)
	}
}

// errSilent ends a stream on which nothing comes, not even a sign of life.
var errSilent = errors.New("nothing was heard from the daemon for too long")

// stream follows a stream from an event on until it breaks. It returns the id of
// the last event, empty when none came, and always an error.
func (c *Client) stream(ctx context.Context, of Name, last string, to Follower) (seen string, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	response, err := c.do(ctx, http.MethodGet, "events", url.Values{"source": {of.Source}, "supervisor": {of.Supervisor}}, last, nil)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.Header.Get("Content-Type") != "text/event-stream" {
		return "", c.stranger("its events are no stream of events")
	}
	to.Stands(of, Standing{State: StreamFollowing})
	alarm := time.AfterFunc(c.pace.silence, func() { cancel(errSilent) })
	defer alarm.Stop()
	heard := listener{response.Body, func() { alarm.Reset(c.pace.silence) }}
	events := eventReader{bufio.NewReaderSize(heard, 64<<10)}
	for {
		sent, err := events.next()
		switch {
		case errors.Is(context.Cause(ctx), errSilent):
			return seen, errSilent
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return seen, errors.New("the daemon has ended the stream")
		case err != nil:
			return seen, c.unreachable(err)
		case sent.name != "journal":
			continue
		}
		e, err := decode(sent.data)
		if err != nil {
			return seen, fmt.Errorf("event %s: %w", sent.id, err)
		}
		to.Event(of, e)
		seen = sent.id
	}
}

// decode reads an event, of a version that is known.
func decode(data []byte) (e journal.Event, err error) {
	if err := json.Unmarshal(data, &e); err != nil {
		return e, fmt.Errorf("it is not an event of a journal: %w", err)
	}
	if e.Begin != nil && e.Begin.Version != journal.Version {
		return e, fmt.Errorf("the daemon writes journals of version %d; this vksync reads version %d", e.Begin.Version, journal.Version)
	}
	return e, nil
}

// listener calls heard whenever something was read.
type listener struct {
	io.Reader
	heard func()
}

func (l listener) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if n > 0 {
		l.heard()
	}
	return n, err
}
