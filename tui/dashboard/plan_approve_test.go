package dashboard

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/tui/paint"
)

// asked is a dashboard that was begun to have a plan approved, and what came of it.
func asked(t testing.TB, look paint.Options, width, height int, refuse error) (m *Model, s *Stream, approved *[]string) {
	t.Helper()
	approved = new([]string)
	board := NewBoard()
	s = board.Stream("run")
	s.Connect(Connection{State: Following})
	s.Events(proposal(t))
	m = New(board, Config{
		Exports: t.TempDir(),
		Look:    look, Title: "vksync apply", Clock: func() time.Time { return epoch }, Asks: true,
		Approve: func(stream, digest string) error {
			*approved = append(*approved, stream+" "+digest)
			return refuse
		},
	})
	_, cmd := m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	deliver(m, cmd)
	return m, s, approved
}

func proposal(t testing.TB) []journal.Event {
	return planned(t, example(t, "fleet", time.Millisecond)[:1], func(d *plan.Document, b *journal.Begin) {
		varied(d, b)
		b.Proposed, b.Simulated = true, false
	})
}

func TestOnlyYesTypedOutApproves(t *testing.T) {
	t.Parallel()
	answer := func(text string) []string {
		keys := []string{"a"}
		for _, r := range text {
			keys = append(keys, string(r))
		}
		return append(keys, "enter")
	}
	for _, c := range []struct {
		name     string
		keys     []string
		approves bool
		says     string
	}{
		{"yes", answer("yes"), true, "approved"},
		{"yes after a slip", append(append([]string{"a", "n", "backspace"}, "y", "e", "s"), "enter"), true, "approved"},
		{"nothing", answer(""), false, "not approved: the answer was not yes"},
		{"y", answer("y"), false, "not approved: the answer was not yes"},
		{"YES", answer("YES"), false, "not approved: the answer was not yes"},
		{"yes please", answer("yes please"), false, "not approved: the answer was not yes"},
		{"esc", []string{"a", "y", "e", "s", "esc", "enter"}, false, "leaves without applying"},
		{"yes that nobody asked for", []string{"y", "e", "s", "enter"}, false, "leaves without applying"},
		{"keys of the dashboard are letters", answer("q2?"), false, "the answer was not yes"},
	} {
		m, _, approved := asked(t, paint.Options{}, 100, 30, nil)
		press(t, m, c.keys...)
		if got := len(*approved) > 0; got != c.approves {
			t.Errorf("%s: approved %q", c.name, *approved)
		}
		if !strings.Contains(m.Screen(), c.says) {
			t.Errorf("%s: it does not say %q:\n%s", c.name, c.says, m.Screen())
		}
		if c.approves && (*approved)[0] != "run "+planShown(m).sheet.digest() {
			t.Errorf("%s: approved %q, which is not what was shown", c.name, *approved)
		}
	}
}

// Who said yes to one plan has not said yes to another.
func TestAnotherPlanTakesTheQuestionAway(t *testing.T) {
	t.Parallel()
	m, s, approved := asked(t, paint.Options{}, 100, 30, nil)
	press(t, m, "a", "y", "e")
	events := planned(t, proposal(t), func(d *plan.Document, b *journal.Begin) {
		b.Proposed, d.Digest = true, "sha256:"+strings.Repeat("0ddba115", 8)
	})
	s.Events(events)
	m.Update(look{})
	press(t, m, "s", "enter")
	read(m)
	if len(*approved) > 0 || !strings.Contains(m.Screen(), "10 to create, 0 to update") {
		t.Errorf("approved %q:\n%s", *approved, m.Screen())
	}
	// Nor while it is not read yet.
	s.Events(proposal(t))
	m.Update(look{})
	if m.Update(keyOf("a")); planShown(m).approval.open() {
		t.Error("a plan that is not shown yet is asked about")
	}
}

func TestTheQuestionNamesWhatIsChanged(t *testing.T) {
	t.Parallel()
	m, _, _ := asked(t, paint.Options{}, 120, 30, nil)
	press(t, m, "a")
	for _, text := range []string{
		"Apply this plan?", "the Supervisor at https://supervisor.lab.example:6443 and the vCenter at vcenter.lab.example",
		"5 to create, 2 to update, 1 to delete, 1 to wait for, 1 skipped", "those of 1 cluster are replaced one by one",
		"1 fail, 1 warn, 1 unknown", "sha256:5ca1ab1e", "8f14e45fce",
	} {
		if !strings.Contains(m.Screen(), text) {
			t.Errorf("it does not say %q:\n%s", text, m.Screen())
		}
	}
}

func TestARefusedApprovalSaysWhy(t *testing.T) {
	t.Parallel()
	m, _, approved := asked(t, paint.Options{}, 100, 30, errors.New("another plan waits now\x1b[2J"))
	press(t, m, "a", "y", "e", "s", "enter")
	if len(*approved) != 1 || !strings.Contains(m.Screen(), "not approved: another plan waits now") || strings.Contains(m.Screen(), "\x1b") {
		t.Errorf("approved %q:\n%s", *approved, m.Screen())
	}
	press(t, m, "a")
	if !strings.Contains(m.Screen(), "Apply this plan?") {
		t.Errorf("it cannot be tried again:\n%s", m.Screen())
	}
}

// The keys of the question do not keep the program from ending with the run; those
// pressed afterwards do.
func TestTheRunGoesOnInTheSameDashboard(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]string{nil, {"down"}} {
		m, s, _ := asked(t, paint.Options{}, 100, 30, nil)
		press(t, m, "a", "y", "e", "s", "enter")
		if !strings.Contains(m.Screen(), "approved: it is checked once more") {
			t.Errorf("it does not say that it begins:\n%s", m.Screen())
		}
		s.Events(planned(t, example(t, "fleet", 0), varied))
		m.Update(look{})
		read(m)
		press(t, m, keys...)
		if !strings.Contains(m.Screen(), "not reached  8/10 goals reached") || strings.Contains(m.Screen(), "approve") {
			t.Errorf("it does not show the run:\n%s", m.Screen())
		}
		_, cmd := m.Update(Over{})
		if got := quits(cmd); got == (len(keys) > 0) {
			t.Errorf("after %q the end of the run quits: %t", keys, got)
		}
	}
}

func quits(cmd tea.Cmd) bool {
	if cmd == nil {
		return false
	}
	switch msg := cmd().(type) {
	case tea.QuitMsg:
		return true
	case tea.BatchMsg:
		for _, c := range msg {
			if quits(c) {
				return true
			}
		}
	}
	return false
}

// Where nobody can approve from here, the command that does is given.
func TestAPlanThatWaitsElsewhere(t *testing.T) {
	t.Parallel()
	events := proposal(t)
	m, s := opened(t, paint.Options{}, 160, 30, events)
	press(t, m, planNumber(), "a")
	if want := "copied: kubectl annotate --overwrite configmap/vksync-fleet vksync.dev/approve=sha256:5ca1ab1e"; !strings.Contains(m.Screen(), want) {
		t.Errorf("it does not say %q:\n%s", want, m.Screen())
	}
	s.Connect(Connection{State: Ended})
	m.Update(look{})
	press(t, m, "a")
	if !strings.Contains(m.Screen(), "this plan is not waiting any more") {
		t.Errorf("a plan of the past can be approved:\n%s", m.Screen())
	}
}

func TestQuestionFrames(t *testing.T) {
	t.Parallel()
	for look, o := range looks {
		t.Run(look, func(t *testing.T) {
			t.Parallel()
			var all strings.Builder
			for _, size := range sizes {
				m, _, _ := asked(t, o, size.width, size.height, nil)
				for _, keys := range [][]string{nil, {"a", "y", "e"}} {
					press(t, m, keys...)
					fits(t, m.Screen(), size.width, size.height)
					fmt.Fprintf(&all, "== %dx%d\n%s\n", size.width, size.height, m.Screen())
				}
			}
			golden(t, "plan-asks-"+look, all.String())
		})
	}
}

func TestCommandsAreSafeToPaste(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"team-a": "team-a", "a/b": "a/b", "": "''", "a b": "'a b'", "$(rm)": "'$(rm)'", "it's": `'it'\''s'`, "a\nb": "'a b'", ";ls": "';ls'",
	} {
		if got := shellWord(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}
