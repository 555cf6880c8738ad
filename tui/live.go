package tui

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/dashboard"
)

// patience is how long a run may take before the live display begins: one that
// is over by then would only flash.
const patience = 400 * time.Millisecond

// live shows a run on the dashboard, on the terminal's other screen. It ends with
// the run, unless the user has pressed a key by then: who did is looking at
// something, and leaves when it suits.
type live struct {
	options  Options
	out      io.Writer
	stream   *dashboard.Stream
	timeline *journal.Timeline // the summary's
	window   *window
	stop     context.CancelFunc
	closing  chan struct{} // closed when the run is over
	started  chan struct{} // closed when the program begins
	ended    chan struct{} // closed when the program gave the terminal back, or will not begin
	failure  error         // of the program; read after ended
	begun    atomic.Bool   // the run has begun
}

func startLive(ctx context.Context, in io.Reader, out io.Writer, o Options, interrupt func(), patience time.Duration) *live {
	return openLive(ctx, in, out, o, patience, dashboard.Config{Interrupt: interrupt})
}

func openLive(ctx context.Context, in io.Reader, out io.Writer, o Options, patience time.Duration, c dashboard.Config) *live {
	// The display outlives the run's context: it is Close that ends it, and a
	// canceled run still has its last events to show.
	run := ctx
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	board := dashboard.NewBoard()
	l := &live{
		options: o, out: out, stop: stop, timeline: journal.NewTimeline(), stream: board.Stream("run"),
		closing: make(chan struct{}), started: make(chan struct{}), ended: make(chan struct{}),
	}
	l.stream.Connect(dashboard.Connection{State: dashboard.Following, Live: true})
	l.window = newWindow(ctx, in, out, o, board, c)
	go func() {
		defer close(l.ended)
		soon := time.NewTimer(patience)
		defer soon.Stop()
		select {
		case <-l.closing:
			return
		case <-soon.C:
		}
		close(l.started)
		// Who is asked to end it from outside does not wait for a key.
		defer context.AfterFunc(run, func() { <-l.closing; l.window.program.Quit() })()
		l.failure = l.window.run()
		l.left(run)
	}()
	return l
}

// left says to who has left the dashboard that the run has not ended with it.
func (l *live) left(run context.Context) {
	select {
	case <-l.closing:
		return
	default:
	}
	if l.begun.Load() && run.Err() == nil {
		fmt.Fprintln(l.out, "The run goes on without the dashboard. Ctrl-C ends it.")
	}
}

// Event applies an event.
func (l *live) Event(e journal.Event) {
	l.begun.Store(true)
	l.timeline.Apply(e)
	l.stream.Event(e)
}

// end ends the dashboard in the way of a message, if it has begun.
func (l *live) end(how tea.Msg) error {
	close(l.closing)
	select {
	case <-l.started:
		l.window.program.Send(how)
		<-l.ended
	case <-l.ended:
	}
	l.stop()
	return l.failure
}

// Close gives the terminal back as it was and prints the summary.
func (l *live) Close() error {
	if err := l.end(dashboard.Over{}); err != nil {
		return err
	}
	if l.timeline.Begin() == nil {
		return nil
	}
	l.options.Width, l.options.Height = l.window.model.Size(l.options.Width, l.options.Height)
	return Summary(l.out, l.timeline, l.options)
}
