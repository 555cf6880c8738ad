package tui

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"github.com/vksync/vksync/reconcile/journal"
)

// redraw is how often a live display looks at the timeline. Events between two
// looks cost no drawing.
const redraw = 80 * time.Millisecond

// patience is how long a run may take before the live display begins: one that
// is over by then would only flash.
const patience = 400 * time.Millisecond

// live redraws rows in place, on the terminal's other screen: rows in the shell's
// own would be torn by a change of its width, and would stay there. Events go to the timeline at
// once; the program takes a picture of it on its own clock, so that a million
// events a second draw twelve frames.
type live struct {
	options Options
	out     io.Writer
	program *tea.Program
	model   *model // the program's; read after ended
	stop    context.CancelFunc
	closing chan struct{} // closed when the run is over
	started chan struct{} // closed when the program begins
	ended   chan struct{} // closed when the program gave the terminal back, or will not begin
	failure error         // of the program; read after ended

	mu       sync.Mutex // guards what is below
	timeline *journal.Timeline
}

func startLive(ctx context.Context, in io.Reader, out io.Writer, o Options, interrupt func(), patience time.Duration) *live {
	// The display outlives the run's context: it is Close that ends it, and a
	// canceled run still has its last events to show.
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &live{
		options: o, out: out, stop: stop, timeline: journal.NewTimeline(),
		closing: make(chan struct{}), started: make(chan struct{}), ended: make(chan struct{}),
	}
	l.model = &model{source: l, options: o, interrupt: interrupt}
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
	if file, ok := in.(*os.File); ok && !term.IsTerminal(file.Fd()) {
		in = nil
	}
	return append(settings, tea.WithInput(in))
}

// Event applies an event.
func (l *live) Event(e journal.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timeline.Apply(e)
}

func (l *live) picture(height int) picture {
	l.mu.Lock()
	defer l.mu.Unlock()
	return take(l.timeline, height)
}

// Close gives the terminal back as it was and prints the summary.
func (l *live) Close() error {
	close(l.closing)
	select {
	case <-l.started:
		l.program.Send(leave{})
		<-l.ended
	case <-l.ended:
	}
	l.stop()
	if l.failure != nil {
		return l.failure
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timeline.Begin() == nil {
		return nil
	}
	return Summary(l.out, l.timeline, l.model.options)
}

// leave asks the program to end.
type leave struct{}

// look is the tick on which the program takes a picture.
type look struct{}

// model is the program's state: the last picture, and the size of the terminal.
type model struct {
	source    interface{ picture(height int) picture }
	options   Options
	interrupt func()
	shown     picture
	asked     bool // the user asked for the end
}

func nextLook() tea.Cmd { return tea.Tick(redraw, func(time.Time) tea.Msg { return look{} }) }

// Init starts the clock.
func (m *model) Init() tea.Cmd { return nextLook() }

// Update takes pictures, and follows keys and the size of the terminal.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case look:
		m.look()
		return m, nextLook()
	case tea.WindowSizeMsg:
		m.options.Width, m.options.Height = msg.Width, msg.Height
		m.look()
	case tea.KeyPressMsg:
		if msg.String() == "ctrl+c" {
			return m, m.stop()
		}
	case leave:
		return m, tea.Quit
	}
	return m, nil
}

func (m *model) look() {
	m.shown = m.source.picture(m.options.height())
	m.shown.interrupted = m.asked
}

// stop asks for the end of the run. A second time it gives the terminal back
// without waiting for that.
func (m *model) stop() tea.Cmd {
	if m.asked {
		return tea.Quit
	}
	m.asked = true
	m.look()
	if m.interrupt == nil {
		return nil
	}
	return func() tea.Msg { m.interrupt(); return nil }
}

// View draws the last picture.
func (m *model) View() tea.View {
	v := tea.NewView(m.shown.draw(m.options))
	v.AltScreen = true
	return v
}
