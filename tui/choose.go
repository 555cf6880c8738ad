package tui

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/term"
)

// Mode is a kind of display.
type Mode string

// The modes.
const (
	Auto  Mode = "auto"  // Live on a terminal, else Plain
	Live  Mode = "tty"   // redraws rows in place
	Plain Mode = "plain" // adds a line for each change
	JSON  Mode = "json"  // writes every event as a line of JSON, and nothing else
	Quiet Mode = "quiet" // only the summary
)

// Terminal is what is known of where output goes. The zero Terminal is a file.
type Terminal struct {
	TTY           bool
	Width, Height int // 0 when not known
	Color, ASCII  bool
}

// Detect looks at a file and at environment variables ("NAME=value"). NO_COLOR
// turns colours off whatever its value (no-color.org); TERM=dumb is no terminal;
// a locale that does not name UTF-8 gets ASCII.
func Detect(stdout *os.File, environ []string) Terminal {
	env := map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	t := Terminal{ASCII: !utf8Locale(env)}
	if stdout != nil && term.IsTerminal(stdout.Fd()) && env["TERM"] != "dumb" && env["TERM"] != "" {
		t.TTY = true
		t.Width, t.Height, _ = term.GetSize(stdout.Fd())
	}
	t.Color = t.TTY && env["NO_COLOR"] == ""
	return t
}

// utf8Locale asks the variables in the order in which libc does.
func utf8Locale(env map[string]string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(env[name]); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}

// Choose settles what the user asked for on a terminal. Live is refused where
// there is no terminal: it would write control codes into a file.
func Choose(t Terminal, asked Mode) (Mode, error) {
	switch asked {
	case Auto, "":
		if t.TTY {
			return Live, nil
		}
		return Plain, nil
	case Live:
		if !t.TTY {
			return "", fmt.Errorf("a live display needs a terminal, and the output is none; use %s or %s", Plain, Auto)
		}
		return Live, nil
	case Plain, JSON, Quiet:
		return asked, nil
	}
	return "", fmt.Errorf("display %q is not known; use one of %q, %q, %q, %q, %q", asked, Auto, Live, Plain, JSON, Quiet)
}

// Options are the options that suit the terminal.
func (t Terminal) Options() Options {
	return Options{Width: t.Width, Height: t.Height, Color: t.Color, ASCII: t.ASCII}
}

// Start starts a display of a mode that Choose returned. A live display reads
// keys from in unless that is nil or no terminal, and calls interrupt when the
// user presses Ctrl-C; the caller then ends the run and closes the display.
func Start(ctx context.Context, mode Mode, in io.Reader, out io.Writer, o Options, interrupt func()) Display {
	switch mode {
	case Live:
		return startLive(ctx, in, out, o, interrupt, patience)
	case Plain:
		return newPlain(out, o)
	case JSON:
		return newLines(out)
	}
	return newQuiet(out, o)
}
