package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/web"
	"github.com/vksync/vksync/tui"
	"github.com/vksync/vksync/tui/dashboard"
)

func journalPath(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "testdata", "journals", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Whatever ends it gives the terminal back, and leaves what was shown last.
func TestTheDashboardGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	if signal.Ignored(unix.SIGHUP) { // these tests run under nohup: what they start would ignore it too
		signal.Notify(make(chan os.Signal, 1), unix.SIGHUP)
	}
	for name, test := range map[string]struct {
		end  func(*testing.T, *terminal, *ttyProcess)
		code int
	}{
		"q":       {func(t *testing.T, x *terminal, _ *ttyProcess) { x.press(t, "q") }, 0},
		"Ctrl-C":  {func(t *testing.T, x *terminal, _ *ttyProcess) { x.press(t, "\x03") }, 130},
		"SIGTERM": {func(t *testing.T, _ *terminal, p *ttyProcess) { signalTo(t, p, unix.SIGTERM) }, 130},
		"SIGHUP":  {func(t *testing.T, _ *terminal, p *ttyProcess) { signalTo(t, p, unix.SIGHUP) }, 130},
		"SIGINT":  {func(t *testing.T, _ *terminal, p *ttyProcess) { signalTo(t, p, unix.SIGINT) }, 130},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newTerminal(t)
			before := x.modes(t)
			p := x.start(t, nil, "dashboard", "--replay", journalPath(t, "fleet.jsonl"), "--speed", "1000")
			x.shows(t, "kafka", "failed")
			test.end(t, x, p)
			p.ends(t, test.code)
			x.given(t, 0, before)
			all := x.written(0)
			left := all[strings.LastIndex(all, "\x1b[?1049l"):]
			if !strings.Contains(left, "IPAllocationFailed") {
				t.Errorf("the last state is not on the normal screen: %q", left)
			}
			if strings.Contains(left, "\x1b]11;?") {
				t.Errorf("the terminal is asked for its colours, which the shell will be told: %q", left)
			}
		})
	}
}

func signalTo(t *testing.T, p *ttyProcess, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func TestTheDashboardIsGoneThroughByKeys(t *testing.T) {
	t.Parallel()
	x := newTerminal(t)
	before := x.modes(t)
	p := x.start(t, nil, "dashboard", "--replay", journalPath(t, "fleet.jsonl"), "--speed", "1000")
	x.shows(t, "[1 Fleet]", "REPLAY", "1,017/1,017")
	for _, page := range []string{"2", "3", "4", "5", "1"} {
		x.press(t, page+"jjkGg")
		x.press(t, "\x1b[6~\x1b[5~\x1b[A\x1b[B")
	}
	x.shows(t, "[1 Fleet]")
	x.press(t, "\t")
	x.shows(t, "[2 ")
	x.press(t, "1?")
	x.shows(t, "Replay", "space", "next event", "any key closes")
	x.press(t, "xx0") // any key closes the list
	x.shows(t, "0:00/15:00")
	x.press(t, "  ]]")
	x.press(t, "$,")
	x.shows(t, "1,016/1,017", "paused")

	x.resize(t, 10, 3)
	x.press(t, "2j3j4j5j1j?x")
	x.resize(t, 1, 1)
	x.press(t, "2j3j4j5j1j?x")
	x.shows(t, "[1 Fleet]", "paused")
	x.press(t, "q")
	p.ends(t, 0)
	x.given(t, 0, before)
}

// In a shell it can be left for a while.
func TestTheDashboardIsSuspendedAndGoesOn(t *testing.T) {
	t.Parallel()
	x := newTerminal(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "vksync")); err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(t.Context(), "sh", "-i")
	shell.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8", "PS1=ready> ", "PATH="+dir+":"+os.Getenv("PATH"), "ENV=")
	shell.Stdin, shell.Stdout, shell.Stderr = x.line, x.line, x.line
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	prompt := func(from int) {
		t.Helper()
		x.await(t, from, "the prompt", func(s string) bool { return strings.HasSuffix(s, "ready> ") })
	}
	prompt(0)
	before := x.modes(t)
	from := x.mark()
	x.press(t, "vksync dashboard --replay "+journalPath(t, "fleet.jsonl")+"\r")
	x.shows(t, "[1 Fleet]", "playing")
	x.press(t, " ")
	x.shows(t, "paused")
	for range 2 {
		at := x.mark()
		x.press(t, "\x1a")
		prompt(at)
		x.given(t, from, before)
		at = x.mark()
		x.press(t, "fg\r")
		x.await(t, at, "the other screen", func(s string) bool { return strings.Contains(s, "\x1b[?1049h") })
		x.shows(t, "[1 Fleet]", "paused")
	}
	at := x.mark()
	x.press(t, "q")
	prompt(at)
	x.given(t, from, before)
	at = x.mark()
	x.press(t, "echo status $?; exit\r")
	x.await(t, at, "the exit code", func(s string) bool { return strings.Contains(s, "status 0") })
	if err := shell.Wait(); err != nil {
		t.Error(err)
	}
}

// Where there is no shell to go back to nothing stops, and nothing hangs.
func TestTheDashboardComesBackWhereNothingCanBeSuspended(t *testing.T) {
	t.Parallel()
	x := newTerminal(t)
	before := x.modes(t)
	p := x.start(t, nil, "dashboard", "--replay", journalPath(t, "fleet.jsonl"))
	x.shows(t, "playing")
	at := x.mark()
	x.press(t, "\x1a")
	x.await(t, at, "the other screen again", func(s string) bool { return strings.Contains(s, "\x1b[?1049h") })
	x.press(t, " ")
	x.shows(t, "paused")
	x.press(t, "q")
	p.ends(t, 0)
	x.given(t, 0, before)
}

func TestAJournalFromAPipeIsSteeredByTheTerminal(t *testing.T) {
	t.Parallel()
	x := newTerminal(t)
	before := x.modes(t)
	text, err := os.ReadFile(journalPath(t, "reached.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	p := x.start(t, reader, "dashboard", "--replay", "-", "--speed", "1000")
	half := strings.LastIndex(string(text[:len(text)/2]), "\n") + 30 // in the middle of a line
	if _, err := writer.Write(text[:half]); err != nil {
		t.Fatal(err)
	}
	x.shows(t, "following")
	if _, err := writer.Write(text[half : len(text)-10]); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	x.shows(t, "middle")
	x.press(t, "q")
	p.ends(t, 0)
	x.given(t, 0, before)
}

// A panic in the display is an error on a terminal that can be used.
func TestAPanicGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	x := newTerminal(t)
	before := x.modes(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self)
	c.Args, c.Env = []string{"panicking"}, append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8")
	c.Stdin, c.Stdout, c.Stderr = x.line, x.line, x.line
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Run(); err == nil {
		t.Error("it ended as if nothing had happened")
	}
	x.given(t, 0, before)
	if all := x.written(0); !strings.Contains(all, "a clock that stops") || !strings.Contains(all, "the display failed") {
		t.Errorf("it does not say what happened: %q", all)
	}
}

// panicking is a program with a dashboard that fails.
func panicking() {
	looks := 0
	board := dashboard.NewBoard()
	go func() {
		for { // until the end of the program
			board.Stream("run").Connect(dashboard.Connection{State: dashboard.Following})
			time.Sleep(10 * time.Millisecond)
		}
	}()
	err := tui.Show(context.Background(), os.Stdin, os.Stdout, tui.Options{}, board, dashboard.Config{Clock: func() time.Time {
		if looks++; looks > 8 {
			panic("a clock that stops")
		}
		return time.Now()
	}})
	os.Exit(report(os.Stderr, err))
}

// A server that takes connections and never answers does not keep the keys from
// working.
func TestASlowServerDoesNotBlockTheTerminal(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	x := newTerminal(t)
	before := x.modes(t)
	p := x.start(t, nil, "dashboard", "--server", "http://"+listener.Addr().String())
	x.shows(t, "[1 Fleet]", "connecting", listener.Addr().String())
	x.press(t, "?")
	x.shows(t, "any key closes")
	x.press(t, "qq") // the first closes the list
	p.ends(t, 0)
	x.given(t, 0, before)
}

// A served is a daemon's server with one loop.
type served struct {
	*http.Server
	sink func(journal.Event)
}

func serveLoop(t *testing.T, addr string, approve func(digest string)) *served {
	t.Helper()
	var listener net.Listener
	var err error
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		if listener, err = net.Listen("tcp", addr); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	events := web.NewEvents()
	s := &served{sink: events.Sink("fleet", "lab")}
	s.Server = &http.Server{Addr: listener.Addr().String(), Handler: web.Handler(web.Options{
		Events: events,
		Status: func() reconcile.Status {
			return reconcile.Status{Loops: []reconcile.LoopStatus{{Source: "fleet", Supervisor: "lab", State: reconcile.Running}}}
		},
		Token: func() (string, error) { return "sesame", nil },
		Approve: func(_ context.Context, source, supervisor, digest string) error {
			approve(source + "/" + supervisor + " " + digest)
			return nil
		},
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(listener) })
	t.Cleanup(func() { _ = s.Close(); serving.Wait() })
	return s
}

func beginOf(cluster string) journal.Event {
	return journal.Event{Begin: &journal.Begin{Version: journal.Version, Start: time.Now(), Goals: []journal.Goal{{
		Addr: resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "team", Name: cluster}, Verb: "create", ControlPlane: 1,
	}}}}
}

func TestAServerVanishesAndComesBack(t *testing.T) {
	t.Parallel()
	first := serveLoop(t, "127.0.0.1:0", nil)
	first.sink(beginOf("before"))
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x := newTerminal(t)
	before := x.modes(t)
	p := x.start(t, nil, "dashboard", "--server", "http://"+first.Addr, "--token-file", token)
	x.shows(t, "before")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	x.shows(t, "before", "lost")
	x.press(t, "?")
	x.shows(t, "any key closes")
	x.press(t, "x")
	second := serveLoop(t, first.Addr, nil)
	second.sink(beginOf("after"))
	x.shows(t, "after")
	x.press(t, "q")
	p.ends(t, 0)
	x.given(t, 0, before)
	if text := x.written(0); regexp.MustCompile("sesame").MatchString(text) {
		t.Error("the token is shown")
	}
}
