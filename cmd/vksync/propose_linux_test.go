package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// A seat is a terminal with a user at it: a pty of 100x30.
type seat struct {
	t             *testing.T
	user, program *os.File
	terminate     func() // what SIGTERM does

	mu     sync.Mutex
	screen bytes.Buffer // everything that was written
	more   chan struct{}
}

func newSeat(t *testing.T) *seat {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	var number, unlocked uint32
	size := [4]uint16{30, 100}
	for request, argument := range map[uintptr]unsafe.Pointer{
		syscall.TIOCGPTN: unsafe.Pointer(&number), syscall.TIOCSPTLCK: unsafe.Pointer(&unlocked), syscall.TIOCSWINSZ: unsafe.Pointer(&size),
	} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, user.Fd(), request, uintptr(argument)); errno != 0 {
			t.Fatalf("making a terminal: %v", errno)
		}
	}
	program, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &seat{t: t, user: user, program: program, more: make(chan struct{}, 1)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		chunk := make([]byte, 4096)
		for {
			n, err := user.Read(chunk)
			s.mu.Lock()
			s.screen.Write(chunk[:n])
			s.mu.Unlock()
			select {
			case s.more <- struct{}{}:
			default:
			}
			if err != nil {
				return // the program's side is closed
			}
		}
	}()
	t.Cleanup(func() { program.Close(); <-read; user.Close() })
	return s
}

// seen is everything that was written, without control codes.
func (s *seat) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ansi.Strip(s.screen.String())
}

// await waits until a text was written after what was awaited before, and types.
func (s *seat) await(text, keys string) {
	s.t.Helper()
	for late := time.After(patience); ; {
		s.mu.Lock()
		i := strings.Index(ansi.Strip(s.screen.String()), text)
		if i >= 0 {
			s.screen.Reset()
		}
		s.mu.Unlock()
		if i >= 0 {
			break
		}
		select {
		case <-s.more:
		case <-late:
			s.t.Fatalf("%q was not written:\n%s", text, s.seen())
		}
	}
	if _, err := s.user.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// applied runs apply at a seat, with somebody who does something there meanwhile.
func applied(t *testing.T, l *lab, does func(*seat), flags ...string) (result, *seat) {
	t.Helper()
	s := newSeat(t)
	before, err := term.GetState(s.program.Fd())
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd := applyCmd(streams{in: s.program, out: s.program, errs: &errs}, applyOptions{
		live: live{connector: l, poll: 50 * time.Millisecond}, interactive: func() bool { return interactive(s.program) },
	})
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(append([]string{filepath.Join(l.dir, "fleet")}, flags...))
	ended := make(chan int)
	ctx, end := context.WithTimeout(t.Context(), patience)
	defer end()
	s.terminate = end
	go func() { ended <- report(&errs, cmd.ExecuteContext(ctx)) }()
	does(s)
	code := <-ended
	after, err := term.GetState(s.program.Fd())
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(*before) != fmt.Sprint(*after) {
		t.Error("the terminal is not as it was before")
	}
	return result{code: code, errs: errs.String()}, s
}

func TestApplyIsApprovedOnTheDashboard(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	t.Setenv("LC_ALL", "C.UTF-8")
	const asks = "a approves"
	l := newLab(t)
	l.write("fleet/all.yaml", manifests(1, 1, 1))

	for _, refusal := range []struct {
		name, says string
		code       int
		does       func(*seat)
	}{
		{"leaving", "not applied: the plan was not approved", exitError, func(s *seat) { s.await(asks, "q") }},
		{"another answer", "not applied: the plan was not approved", exitError, func(s *seat) {
			s.await(asks, "a")
			s.await("Apply this plan?", "y\r")
			s.await("not approved", "q")
		}},
		{"Ctrl-C", "interrupted", exitInterrupted, func(s *seat) { s.await(asks, "\x03") }},
	} {
		r, s := applied(t, l, refusal.does)
		if refusal.code == exitError {
			s.await("LIVE: the Supervisor at ", "") // the plan, on the screen of before
		}
		if r.code != refusal.code || !strings.Contains(r.errs, refusal.says) {
			t.Errorf("%s: exit code %d, want %d\n%s", refusal.name, r.code, refusal.code, r.errs)
		}
	}
	if n := l.count(); n != 0 {
		t.Fatalf("there are %d clusters, and nobody said yes", n)
	}

	r, s := applied(t, l, func(s *seat) {
		s.await(asks, "a")
		s.await("Apply this plan?", "yes\r")
	})
	l.want(r, exitOK)
	s.await("1/1 clusters Available", "") // the summary, on the screen of before
	if n := l.count(); n != 1 {
		t.Errorf("there are %d clusters, want 1", n)
	}

	// What somebody else changed while it was decided is not applied to.
	l.write("fleet/all.yaml", manifests(1, 1, 3))
	r, _ = applied(t, l, func(s *seat) {
		s.await(asks, "a")
		l.scale("c00000")
		s.await("Apply this plan?", "yes\r")
	}, "--prune")
	l.want(r, exitNotReached, "spec.topology.controlPlane changed since the plan was made", "Run it again")
}

// Who has pressed a key looks at what has ended until q; who asks the program to end
// from outside need not press it.
func TestTheEndFromOutsideWaitsForNoKey(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	t.Setenv("LC_ALL", "C.UTF-8")
	for name, leave := range map[string]func(*seat){
		"q":       func(s *seat) { s.await("the run has ended", "q") },
		"SIGTERM": func(s *seat) { s.await("the run has ended", ""); s.terminate() },
	} {
		l := newLab(t)
		l.write("fleet/all.yaml", manifests(1, 1, 1))
		r, s := applied(t, l, func(s *seat) {
			s.await("Fleet", "j")
			leave(s)
		}, "--yes")
		s.await("1/1 clusters Available", "") // the summary
		if r.code != exitOK {
			t.Errorf("%s: exit code %d, %s", name, r.code, r.errs)
		}
	}
}
