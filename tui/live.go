package tui

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/dashboard"
	"github.com/vksync/vksync/tui/paint"
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
	program  *tea.Program
	model    *dashboard.Model // the program's; read after ended
	stop     context.CancelFunc
	closing  chan struct{} // closed when the run is over
	started  chan struct{} // closed when the program begins
	ended    chan struct{} // closed when the program gave the terminal back, or will not begin
	failure  error         // of the program; read after ended
}

func startLive(ctx context.Context, in io.Reader, out io.Writer, o Options, interrupt func(), patience time.Duration) *live {
	// The display outlives the run's context: it is Close that ends it, and a
	// canceled run still has its last events to show.
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	board := dashboard.NewBoard()
	l := &live{
		options: o, out: out, stop: stop, timeline: journal.NewTimeline(), stream: board.Stream("run"),
		closing: make(chan struct{}), started: make(chan struct{}), ended: make(chan struct{}),
	}
	l.stream.Connect(dashboard.Connection{State: dashboard.Following, Live: true})
	l.model = dashboard.New(board, dashboard.Config{
		Look: paint.Options{Color: o.Color, ASCII: o.ASCII}, Title: o.title(), Speed: o.Speed, Interrupt: interrupt,
	})
	l.program = tea.NewProgram(l.model, l.settings(ctx, in)...)
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
		if _, err := l.program.Run(); err != nil && !errors.Is(err, tea.ErrProgramKilled) && !errors.Is(err, tea.ErrInterrupted) {
			l.failure = err
		}
	}()
	return l
}

func (l *live) settings(ctx context.Context, in io.Reader) []tea.ProgramOption {
	profile := colorprofile.Ascii
	if l.options.Color {
		profile = colorprofile.ANSI
	}
	settings := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithOutput(l.out), tea.WithColorProfile(profile),
		tea.WithoutSignalHandler(), // signals are the caller's
	}
	if l.options.Width > 0 && l.options.Height > 0 {
		settings = append(settings, tea.WithWindowSize(l.options.Width, l.options.Height))
	}
	if file, ok := in.(*os.File); ok && !term.IsTerminal(file.Fd()) {
		in = nil
	}
	return append(settings, tea.WithInput(in))
}

// Event applies an event.
func (l *live) Event(e journal.Event) {
	l.timeline.Apply(e)
	l.stream.Event(e)
}

// Close gives the terminal back as it was and prints the summary.
func (l *live) Close() error {
	close(l.closing)
	select {
	case <-l.started:
		l.program.Send(dashboard.Over{})
		<-l.ended
	case <-l.ended:
	}
	l.stop()
	if l.failure != nil {
		return l.failure
	}
	if l.timeline.Begin() == nil {
		return nil
	}
	l.options.Width, l.options.Height = l.model.Size(l.options.Width, l.options.Height)
	return Summary(l.out, l.timeline, l.options)
}
