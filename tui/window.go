package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/dashboard"
	"github.com/vksync/vksync/tui/paint"
)

// A window is the dashboard of a board on a terminal: on its other screen, since
// rows in the shell's own would be torn by a change of its width. Whatever ends it
// gives the terminal back as it was: a key, the end of what it shows, a signal that
// its owner turns into one of these, or a panic.
type window struct {
	model   *dashboard.Model // the program's; read after it has ended
	program *tea.Program
}

// framesPerSecond bounds what is sent to the terminal. The program looks that often
// whether anything is to be sent, which is most of what it costs while nothing
// happens; a key is answered within one frame.
const framesPerSecond = 30

// newWindow makes a window; run opens it. Input that is no terminal gives no keys.
func newWindow(ctx context.Context, in io.Reader, out io.Writer, o Options, board *dashboard.Board, c dashboard.Config) *window {
	c.Look = paint.Options{Color: o.Color, ASCII: o.ASCII}
	c.Title, c.Speed = o.title(), o.Speed
	profile := colorprofile.Ascii
	if o.Color {
		profile = colorprofile.ANSI
	}
	if file, ok := in.(*os.File); ok && !term.IsTerminal(file.Fd()) {
		in = nil
	}
	w := &window{model: dashboard.New(board, c)}
	settings := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithColorProfile(profile),
		tea.WithFilter(wakeful),
		tea.WithoutSignalHandler(), // signals are the caller's
		tea.WithFPS(framesPerSecond),
	}
	if o.Width > 0 && o.Height > 0 {
		settings = append(settings, tea.WithWindowSize(o.Width, o.Height)) // until the terminal says another
	}
	w.program = tea.NewProgram(w.model, settings...)
	return w
}

// run opens the window and returns when it has given the terminal back.
func (w *window) run() error {
	_, err := w.program.Run()
	switch {
	case errors.Is(err, tea.ErrProgramPanic):
		return errors.New("the display failed; what it printed before this says where")
	case errors.Is(err, tea.ErrProgramKilled), errors.Is(err, tea.ErrInterrupted):
		return nil
	}
	return err
}

// Show shows a board on a terminal until the user leaves or ctx ends, and leaves
// the last state of every stream on the normal screen. Keys come from in, or
// where that is no terminal from the one that the process has, if it has one.
func Show(ctx context.Context, in io.Reader, out io.Writer, o Options, board *dashboard.Board, c dashboard.Config) error {
	if file, ok := in.(*os.File); !ok || !term.IsTerminal(file.Fd()) {
		in = nil
		if tty, _, err := tea.OpenTTY(); err == nil {
			defer tty.Close()
			in = tty
		}
	}
	w := newWindow(context.WithoutCancel(ctx), in, out, o, board, c)
	// Asked to end it draws no more but gives the terminal back in good order.
	defer context.AfterFunc(ctx, w.program.Quit)()
	if err := w.run(); err != nil {
		return err
	}
	o.Width, o.Height = w.model.Size(o.Width, o.Height)
	o.Left = true
	return Leave(out, o, board)
}

// Leave prints the summary of every stream of a board on which something has begun.
func Leave(out io.Writer, o Options, board *dashboard.Board) error {
	streams := 0
	board.Each(func(string, *journal.Timeline) { streams++ })
	var text bytes.Buffer
	var failed error
	board.Each(func(name string, t *journal.Timeline) {
		if t.Begin() == nil {
			return
		}
		of := o
		if streams > 1 {
			of.Title = o.title() + " " + paint.Clean(name)
		}
		if text.Len() > 0 {
			text.WriteByte('\n')
		}
		failed = errors.Join(failed, Summary(&text, t, of))
	})
	_, err := out.Write(text.Bytes())
	return errors.Join(failed, err)
}
