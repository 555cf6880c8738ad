package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A terminal is a real one, of which the test is the screen and the keyboard.
type terminal struct {
	screen *os.File // the screen's end
	line   *os.File // the programs' end

	mu    sync.Mutex // guards what is below
	text  []byte     // all that was written
	more  chan struct{}
	width int
}

const ttyWidth, ttyHeight = 100, 30

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	line, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{screen: screen, line: line, more: make(chan struct{}, 1)}
	x.resize(t, ttyWidth, ttyHeight)
	var reading sync.WaitGroup
	reading.Go(x.read)
	t.Cleanup(func() {
		_ = line.Close()
		_ = screen.Close()
		reading.Wait()
	})
	return x
}

func (x *terminal) read() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := x.screen.Read(buffer)
		x.mu.Lock()
		x.text = append(x.text, buffer[:n]...)
		x.mu.Unlock()
		select {
		case x.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// written is what was written from a place on.
func (x *terminal) written(from int) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return string(x.text[from:])
}

func (x *terminal) mark() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.text)
}

func (x *terminal) resize(t *testing.T, width, height int) {
	t.Helper()
	x.width = width
	if err := unix.IoctlSetWinsize(int(x.screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(width), Row: uint16(height)}); err != nil {
		t.Fatal(err)
	}
}

func (x *terminal) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := io.WriteString(x.screen, keys); err != nil {
		t.Fatal(err)
	}
}

// await waits until something is written after a place. It returns what was.
func (x *terminal) await(t *testing.T, from int, what string, is func(string) bool) string {
	t.Helper()
	limit := time.After(patience)
	for {
		if got := x.written(from); is(got) {
			return got
		}
		select {
		case <-x.more:
		case <-limit:
			t.Fatalf("it does not come to show %s:\n%q", what, x.written(from))
		}
	}
}

// shows waits until a frame holds some words. Only what changes of a frame is
// drawn, and all of it on a terminal of another size.
func (x *terminal) shows(t *testing.T, words ...string) {
	t.Helper()
	limit := time.After(patience)
	for drawn := 400 * time.Millisecond; ; drawn *= 2 { // for a frame, until it is asked for anew
		from := x.mark()
		x.resize(t, 2*ttyWidth+1-x.width, ttyHeight)
		soon := time.After(drawn)
		for waiting := true; waiting; {
			frame := ansi.Strip(x.written(from))
			all := true
			for _, w := range words {
				all = all && strings.Contains(frame, w)
			}
			if all {
				return
			}
			select {
			case <-x.more:
			case <-soon:
				waiting = false
			case <-limit:
				t.Fatalf("the frame does not come to have %q:\n%s", words, frame)
			}
		}
	}
}

// modes are how the terminal is set.
func (x *terminal) modes(t *testing.T) unix.Termios {
	t.Helper()
	modes, err := unix.IoctlGetTermios(int(x.line.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *modes
}

// given fails unless the terminal was given back after a place as it was before:
// its modes, its screen, its cursor, and no mouse, paste or key reports.
func (x *terminal) given(t *testing.T, from int, before unix.Termios) {
	t.Helper()
	const mark = "<what was written before this has been read>"
	if _, err := io.WriteString(x.line, mark); err != nil {
		t.Fatal(err)
	}
	x.await(t, from, "a mark", func(s string) bool { return strings.HasSuffix(s, mark) })
	if diff := cmp.Diff(before, x.modes(t)); diff != "" {
		t.Errorf("the terminal is set otherwise (-before +after):\n%s", diff)
	}
	text := x.written(from)
	last := func(code string) int { return strings.LastIndex(text, "\x1b["+code) }
	for _, mode := range []string{"?1049", "?1000", "?1002", "?1003", "?1006", "?2004", "?1004"} {
		if on := last(mode + "h"); on >= 0 && last(mode+"l") < on {
			t.Errorf("the mode %s was left on", mode)
		}
	}
	if last("?1049h") < 0 {
		t.Errorf("the other screen was not used: %q", text)
	}
	if off := last("?25l"); off >= 0 && last("?25h") < off {
		t.Error("the cursor was left hidden")
	}
	if on := last(">1u"); on >= 0 && last("<1u") < on {
		t.Error("the reports of keys were left on")
	}
}

// A session is a program on a terminal.
type ttyProcess struct {
	*exec.Cmd
	errs bytes.Buffer
}

// start starts vksync on the terminal; in is its standard input where that is not
// the terminal.
func (x *terminal) start(t *testing.T, in io.Reader, args ...string) *ttyProcess {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &ttyProcess{Cmd: exec.CommandContext(t.Context(), self)}
	p.Args = append([]string{"vksync"}, args...)
	p.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8", "NO_COLOR=")
	p.Stdin, p.Stdout, p.Stderr = x.line, x.line, &p.errs
	if in != nil {
		p.Stdin = in
	}
	p.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// ends waits for the end and fails unless it is with a code.
func (p *ttyProcess) ends(t *testing.T, code int) {
	t.Helper()
	late := time.AfterFunc(patience, func() { _ = p.Process.Signal(unix.SIGQUIT) }) // says what it was doing
	defer late.Stop()
	err := p.Wait()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if got != code {
		t.Errorf("it ended with %d, want %d: %s", got, code, p.errs.String())
	}
}
