package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/tui"
	"github.com/vksync/vksync/tui/dashboard"
	"github.com/vksync/vksync/tui/replay"
)

// An origin is where the events of a dashboard come from.
type origin interface {
	// run tells an outlet until ctx ends, or there is no more.
	run(ctx context.Context, to outlet) error
	// configure gives a dashboard what can be done with it beside looking.
	configure(*dashboard.Config)
	close()
}

// An outlet is where events go: the board of a terminal, or lines.
type outlet interface {
	// stream finds or adds the stream of a name.
	stream(name string) channel
}

// A channel takes the events of one journal after the other.
type channel interface {
	Events([]journal.Event)
	Connect(dashboard.Connection)
}

var _ channel = (*dashboard.Stream)(nil)

// watchedWorld is a Supervisor and its vCenter.
type watchedWorld struct{ connector }

func (l watchedWorld) close() {}

func (l watchedWorld) configure(*dashboard.Config) {}

func (l watchedWorld) run(ctx context.Context, to outlet) error {
	stream := to.stream("live")
	stream.Connect(dashboard.Connection{State: dashboard.Connecting, Detail: "to the Supervisor and its vCenter"})
	return watchLive(ctx, l.connector, watched{
		sink:   func(e journal.Event) { stream.Events([]journal.Event{e}) },
		health: func(h reconcile.Health) { stream.Connect(connectionOf(h)) },
	})
}

// connectionOf says how a live world is connected.
func connectionOf(h reconcile.Health) dashboard.Connection {
	for _, l := range []link.Health{h.Supervisor, h.VCenter} {
		if l.State == link.Open {
			return dashboard.Connection{State: dashboard.Lost, Live: true, Detail: fmt.Sprintf("%s: %s%s", l.Name, l.LastError, nextTry(l.Retry))}
		}
	}
	if h.Watch != "" {
		return dashboard.Connection{State: dashboard.Lost, Live: true, Detail: h.Watch}
	}
	return dashboard.Connection{State: dashboard.Following, Live: true}
}

// nextTry is when something is tried again.
func nextTry(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return "; next try at " + at.Format(time.TimeOnly)
}

// recording is a journal that is played.
type recording struct {
	player *replay.Player
	name   string
	once   bool
	errs   io.Writer
}

func (o *dashboardOptions) openReplay(io streams) (origin, error) {
	once := o.mode != tui.Live
	if once && !o.paced {
		o.speed = 0 // nobody waits for lines in a file
	}
	p, err := replay.Open(replay.Options{Path: o.replay, Stdin: io.in, Follow: o.follow, Speed: o.speed, Once: once})
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w; --journal of apply and simulate writes one", err)
	}
	if err != nil {
		return nil, invalid(err)
	}
	return &recording{player: p, name: o.replay, once: once, errs: io.errs}, nil
}

func (r *recording) close() { _ = r.player.Close() } // it was only read

func (r *recording) configure(c *dashboard.Config) { c.Player = r.player }

func (r *recording) run(ctx context.Context, to outlet) error {
	stream := to.stream("replay")
	show := func() {
		stream.Connect(dashboard.Connection{State: dashboard.Replaying, At: r.player.State().At})
	}
	r.player.OnChange(show)
	show()
	err := r.player.Run(ctx, stream)
	if note := r.player.State().Note; r.once && ctx.Err() == nil && note != "" {
		_, _ = fmt.Fprintf(r.errs, "vksync: %s: %s\n", shown(cmp.Or(r.name, "-")), note) // there is nobody else to tell
	}
	return invalid(err)
}
