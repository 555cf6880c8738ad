package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vksync/vksync/gitsource/gittest"
	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/web"
)

// A watcher is a dashboard whose output is read: lines of JSON.
type watcher struct {
	cmd   *exec.Cmd
	lines *bufio.Reader
	errs  bytes.Buffer
}

// watch starts a dashboard in the environment of a world.
func (w *liveWorld) watch(t testing.TB, args ...string) *watcher {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	v := &watcher{cmd: exec.CommandContext(t.Context(), self)}
	v.cmd.Args = append([]string{"vksync", "dashboard", "--progress", "json"}, args...)
	v.cmd.Env, v.cmd.Stderr = w.env, &v.errs
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	v.lines = bufio.NewReader(out)
	return v
}

// A told is a line of a watcher.
type told struct {
	Stream string `json:"stream"`
	journal.Event
}

// until reads on until an event is what is waited for.
func (v *watcher) until(t testing.TB, is func(told) bool) told {
	t.Helper()
	for {
		line, err := v.lines.ReadBytes('\n')
		if err != nil {
			t.Fatalf("the lines ended with %v: %s", err, v.errs.String())
		}
		var e told
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if is(e) {
			return e
		}
	}
}

// stop presses Ctrl-C.
func (v *watcher) stop(t testing.TB) {
	t.Helper()
	if err := v.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, v.lines); err != nil {
		t.Fatal(err)
	}
	err := v.cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted || v.errs.Len() > 0 {
		t.Errorf("it ended with %v and %q, want exit code %d", err, v.errs.String(), exitInterrupted)
	}
}

// What waits in a daemon is seen from elsewhere, approved with the token, and then
// seen to happen; and what anybody does is seen in the world itself.
func TestADaemonIsFollowedAndApproved(t *testing.T) {
	t.Parallel()
	w, repo := newLiveWorld(t), gittest.New(t)
	revision := repo.Push(t, oneCluster(1))
	config := w.config(t, "url: "+repo.Bare+"\npolicy: {mode: approval}")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	token := filepath.Join(t.TempDir(), "token")
	for path, content := range map[string]string{
		config: strings.Replace(string(text), `"127.0.0.1:0"}`, `"127.0.0.1:0", token: {file: "`+token+`"}}`, 1),
		token:  "sesame\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := w.startDaemon(t, "--config="+config)
	daemon, world := w.watch(t, "--server", p.url, "--token-file", token), w.watch(t)
	waits := daemon.until(t, func(e told) bool { return e.Begin != nil && e.Begin.Proposed })
	if waits.Stream != "fleet/lab" || waits.Begin.Revision != revision {
		t.Errorf("%s of %s waits, want %s of fleet/lab", waits.Begin.Revision, waits.Stream, revision)
	}
	if begin := world.until(t, func(told) bool { return true }); begin.Begin == nil || !begin.Begin.Watched || len(begin.Begin.Goals) > 0 {
		t.Errorf("the world begins with %+v, want nothing in it", begin)
	}

	client, err := web.NewClient(web.ClientOptions{URL: p.url, Token: func() (string, error) { return "sesame", nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var pending string
	eventually(t, "a plan that is held", func() bool {
		s, err := client.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pending = s.Loops[0].Pending
		return pending != ""
	})
	if err := client.Approve(t.Context(), "fleet", "lab", "sha256:0"); err == nil || !strings.Contains(err.Error(), "look at it again") {
		t.Errorf("another plan than the one that waits was approved: %v", err)
	}
	if err := client.Approve(t.Context(), "fleet", "lab", pending); err != nil {
		t.Fatal(err)
	}
	daemon.until(t, func(e told) bool { return e.Begin != nil && !e.Begin.Proposed })
	daemon.until(t, func(e told) bool { return e.End != nil && e.End.Outcome == journal.Reached })
	world.until(t, func(e told) bool { return e.Goal != nil && e.Goal.Addr.Kind == "Cluster" })
	eventually(t, "a revision that is done", func() bool {
		s, err := client.Status(t.Context())
		return err == nil && s.Loops[0].State == reconcile.InSync && s.Loops[0].Synced == revision
	})
	daemon.stop(t)
	world.stop(t)
	p.stop(t)
}

// The journal of a run can be followed while it is written.
func TestARunIsFollowedByItsJournal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fleet, run := filepath.Join(dir, "fleet.yaml"), filepath.Join(dir, "run.jsonl")
	if err := os.WriteFile(fleet, []byte(manifests(1, 1, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	simulation := exec.CommandContext(t.Context(), self)
	simulation.Args = []string{"vksync", "simulate", fleet, "--speed", "5", "--quiet", "--journal", run}
	if err := simulation.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a journal that has begun", func() bool {
		info, err := os.Stat(run)
		return err == nil && info.Size() > 0
	})
	v := (&liveWorld{env: os.Environ()}).watch(t, "--replay", run, "--follow")
	v.until(t, func(e told) bool { return e.Begin != nil })
	v.until(t, func(e told) bool { return e.Action != nil && e.Action.State == journal.ActionDone })
	if err := simulation.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	end := v.until(t, func(e told) bool { return e.End != nil })
	if end.End.Outcome != journal.Interrupted {
		t.Errorf("the run ended as %s, want interrupted", end.End.Outcome)
	}
	if err := v.cmd.Wait(); err != nil { // at the end of the run it ends by itself
		t.Error(err)
	}
	var exit *exec.ExitError
	if err := simulation.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Error(err)
	}
}
