package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// begun is a display of a mode; a live one already draws.
func begun(t *testing.T, mode Mode, out io.Writer, o Options) Display {
	t.Helper()
	if mode != Live {
		return Start(t.Context(), mode, nil, out, o, nil)
	}
	l := startLive(t.Context(), nil, out, o, nil, 0)
	<-l.started
	return l
}

func TestEveryDisplayEndsWithTheSummary(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{Live, Plain, Quiet} {
		for _, name := range names(t) {
			t.Run(string(mode)+" "+name, func(t *testing.T) {
				t.Parallel()
				var out, want bytes.Buffer
				o := Options{Title: "vksync simulate"}
				d := begun(t, mode, &out, o)
				for _, e := range events(t, name) {
					d.Event(e)
				}
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}
				if err := Summary(&want, upTo(t, name, 0), o); err != nil {
					t.Fatal(err)
				}
				if !strings.HasSuffix(out.String(), want.String()) {
					t.Errorf("the output ends with\n%s\nwant\n%s", out.String(), want.String())
				}
			})
		}
	}
}

func TestDisplayClosedBeforeTheRunBeganPrintsNothing(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{Plain, Quiet} {
		var out bytes.Buffer
		if err := Start(t.Context(), mode, nil, &out, Options{}, nil).Close(); err != nil || out.Len() > 0 {
			t.Errorf("%s: got %q, %v", mode, out.String(), err)
		}
	}
}

func TestLiveDisplayOutlivesACanceledRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	d := Start(ctx, Live, nil, &out, Options{}, nil)
	cancel()
	for _, e := range events(t, "reached") {
		d.Event(e)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "4/4 clusters Available") {
		t.Errorf("no summary in %q", out.String())
	}
}

// Leaving the dashboard does not end the run, which is said.
func TestTheRunGoesOnWithoutTheDashboard(t *testing.T) {
	t.Parallel()
	for _, canceled := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		var out bytes.Buffer
		keys, user := io.Pipe()
		l := startLive(ctx, keys, &out, Options{}, nil, 0)
		all := events(t, "reached")
		l.Event(all[0])
		if canceled {
			cancel()
		}
		if _, err := user.Write([]byte("q")); err != nil {
			t.Fatal(err)
		}
		<-l.ended
		if got := strings.Contains(out.String(), "The run goes on without the dashboard. Ctrl-C ends it."); got == canceled {
			t.Errorf("a run that is ended: %t; it says that it goes on: %t", canceled, got)
		}
		for _, e := range all[1:] {
			l.Event(e)
		}
		if err := l.Close(); err != nil || !strings.Contains(out.String(), "4/4 clusters Available") {
			t.Errorf("%v; no summary in %q", err, out.String())
		}
		cancel()
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestLinesReportThatTheyCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{Plain, JSON} {
		d := Start(t.Context(), mode, nil, closedPipe{}, Options{}, nil)
		for _, e := range events(t, "reached") {
			d.Event(e)
		}
		if err := d.Close(); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: got %v, want %v", mode, err, io.ErrClosedPipe)
		}
	}
}

// writes are what was written, each by itself.
type writes []string

func (w *writes) Write(text []byte) (int, error) {
	*w = append(*w, string(text))
	return len(text), nil
}

func TestJSONIsTheJournalWrittenAsItHappens(t *testing.T) {
	t.Parallel()
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := events(t, name)
			var out writes
			d := Start(t.Context(), JSON, nil, &out, Options{Color: true}, nil)
			for i, e := range want {
				d.Event(e)
				if len(out) != i+1 || strings.Index(out[i], "\n") != len(out[i])-1 {
					t.Fatalf("after event %d there were %d writes, want one line each", i, len(out))
				}
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			decoder := journal.NewDecoder(strings.NewReader(strings.Join(out, "")))
			for i := range want {
				got, err := decoder.Decode()
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want[i], got); diff != "" {
					t.Fatalf("event %d is another one (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

func TestWhatControllersSayCannotControlTheTerminal(t *testing.T) {
	t.Parallel()
	evil := "\x1b[2J\x1b]0;owned\x07\r\nline\u009b31m"
	a := resource.Addr{Kind: "Cluster", Namespace: "team", Name: "prod"}
	var out bytes.Buffer
	d := newPlain(&out, Options{})
	d.Event(journal.Event{Begin: &journal.Begin{Version: 1, Revision: evil, Goals: []journal.Goal{{Addr: a, Verb: "create", ControlPlane: 1}}}})
	d.Event(journal.Event{Action: &journal.Action{Addr: a, Verb: "create", State: journal.ActionFailed, Reason: evil, Message: evil}})
	d.Event(journal.Event{Blocked: &journal.Blocked{Addr: a, Phase: "1", Cause: evil, Chain: []phase.Link{{Kind: evil, Name: evil, Condition: evil, Reason: evil, Message: evil}}}})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(out.String(), func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 }); i >= 0 {
		t.Errorf("control code in the output: %q", out.String()[max(0, i-20):])
	}
}
