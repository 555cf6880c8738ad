package dashboard

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// Whatever the terminal, a frame is as large as it, and no page panics on it.
func TestEveryPageFitsEveryTerminal(t *testing.T) {
	t.Parallel()
	for _, name := range examples(t) {
		events := example(t, name, 0)
		for _, size := range [][2]int{{1, 1}, {3, 2}, {10, 3}, {20, 5}, {39, 8}, {60, 15}, {200, 60}} {
			m, _ := opened(t, paint.Options{}, 80, 24, events)
			for range m.pages {
				m.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
				fits(t, m.Screen(), size[0], size[1])
				press(t, m, "down", "enter", "?", "esc", "esc", "G", "tab")
				fits(t, m.Screen(), size[0], size[1])
			}
		}
	}
}

func TestCtrlCInterruptsTheRunOnceAndThenGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	interrupted := 0
	m, _ := opened(t, paint.Options{}, 100, 24, example(t, "reached", time.Minute))
	m.Interrupt = func() { interrupted++ }
	_, cmd := m.Update(keyOf("ctrl+c"))
	if cmd == nil {
		t.Fatal("the first Ctrl-C does nothing")
	}
	if _, quits := cmd().(tea.QuitMsg); quits || interrupted != 1 {
		t.Errorf("the first Ctrl-C quits: %v, and interrupts %d times, want once", quits, interrupted)
	}
	if !strings.Contains(m.Screen(), "interrupting") {
		t.Errorf("the frame does not say so:\n%s", m.Screen())
	}
	_, cmd = m.Update(keyOf("ctrl+c"))
	if _, quits := cmd().(tea.QuitMsg); !quits || interrupted != 1 {
		t.Errorf("the second Ctrl-C quits: %v, interrupted %d times; want it to quit and no more", quits, interrupted)
	}
}

func TestWhoHasPressedAKeyStaysWhenTheRunEnds(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]string{nil, {"down"}} {
		m, _ := opened(t, paint.Options{}, 80, 24, example(t, "reached", 0))
		press(t, m, keys...)
		_, cmd := m.Update(Over{})
		if _, quits := cmd().(tea.QuitMsg); quits == (len(keys) > 0) {
			t.Errorf("after the keys %q the end of the run quits: %v", keys, quits)
		}
	}
}

func TestWhatControllersSayCannotControlTheTerminal(t *testing.T) {
	t.Parallel()
	evil := "\x1b[2J\x1b]0;owned\x07\r\nline\u009b31m"
	a := resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "team" + evil, Name: "prod" + evil}
	m, s := opened(t, paint.Options{}, 140, 40, []journal.Event{
		{Begin: &journal.Begin{Version: 1, Revision: evil, World: evil, Goals: []journal.Goal{{Addr: a, Verb: "create", ControlPlane: 1}}}},
		{Action: &journal.Action{Addr: a, Verb: "create", State: journal.ActionFailed, Reason: evil, Message: evil}},
		{Blocked: &journal.Blocked{Addr: a, Phase: "1", Cause: evil, Chain: []phase.Link{{Kind: evil, Name: evil, Condition: evil, Reason: evil, Message: evil}}}},
		{Object: &journal.Object{Actor: evil, Cluster: a.Name, PhaseID: "3b", Change: resource.Change{
			Verb: resource.Created, APIVersion: evil, Kind: "Machine", Namespace: a.Namespace, Name: evil, Phase: evil,
			Conditions: []resource.Condition{{Type: evil, Status: "False", Reason: evil, Message: evil}},
		}}},
		{VM: &journal.VM{Op: evil, Task: evil, Namespace: a.Namespace, Name: evil, Cluster: a.Name, Host: evil, Error: evil}},
		{Warning: &journal.Warning{Kind: "Machine", Namespace: a.Namespace, Name: evil, Cluster: a.Name, Reason: evil, Message: evil}},
	})
	s.Connect(Connection{State: Lost, Detail: evil})
	m.Update(look{})
	for range m.pages {
		screen := m.Screen()
		if i := strings.IndexFunc(screen, func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 }); i >= 0 {
			t.Errorf("control code on page %s: %q", m.pages[m.shown].title(), screen[max(0, i-20):])
		}
		press(t, m, "tab")
	}
}

func TestLostSourcesAreSaidOnEveryPage(t *testing.T) {
	t.Parallel()
	m, s := opened(t, paint.Options{}, 100, 24, example(t, "fleet", time.Minute))
	s.Connect(Connection{State: Lost, Detail: "connection refused; next try in 4 s"})
	m.Update(look{})
	for range m.pages {
		if !strings.Contains(m.Screen(), "lost connection refused") {
			t.Errorf("page %s does not say it:\n%s", m.pages[m.shown].title(), m.Screen())
		}
		press(t, m, "tab")
	}
}

// What users type goes to the filter and not to keys of the same letters.
func TestTypingAFilter(t *testing.T) {
	t.Parallel()
	m, _ := opened(t, paint.Options{}, 100, 24, example(t, "fleet", 0))
	press(t, m, "/", "s", "h", "o", "p", "q")
	if !strings.Contains(m.Screen(), "no row has shopq") {
		t.Errorf("the filter does not say that nothing matches:\n%s", m.Screen())
	}
	press(t, m, "backspace", "enter")
	if got := rows(m); got != 2 {
		t.Errorf("%d rows, want the two of shop:\n%s", got, m.Screen())
	}
	press(t, m, "esc")
	if got := rows(m); got != 10 {
		t.Errorf("%d rows after esc, want all 10", got)
	}
	press(t, m, "/", "s", "t", "a", "t", "e", ":", "b", "l", "enter")
	if got := rows(m); got != 1 {
		t.Errorf("%d rows are blocked, want 1:\n%s", got, m.Screen())
	}
}

func rows(m *Model) int { return len(m.pages[0].(*fleetPage).lines) }

// The selection is of a cluster, not of a line: it stays with it wherever it goes.
func TestTheSelectionStaysWithItsCluster(t *testing.T) {
	t.Parallel()
	m, s := opened(t, paint.Options{}, 100, 24, example(t, "fleet", 3*time.Minute))
	press(t, m, "down", "down", "down")
	was := m.subject
	press(t, m, "s", "b")
	s.Reset()
	s.Events(example(t, "fleet", 0))
	m.Update(look{})
	if m.subject != was {
		t.Errorf("%v is selected, want %v", m.subject, was)
	}
	if !strings.Contains(m.Screen(), ">+ payments/prod") && !strings.Contains(m.Screen(), ">+ web/shop-us-east") {
		t.Errorf("no row is marked:\n%s", m.Screen())
	}
}

func BenchmarkKeyToFrame(b *testing.B) {
	m, s := opened(b, paint.Options{Color: true}, 140, 40, large(10_000))
	event := example(b, "observed-create", 0)[20]
	b.ReportAllocs()
	for b.Loop() {
		for range 80 { // what 1,000 events a second are between two looks
			s.Event(event)
		}
		m.Update(keyOf("down"))
		m.Screen()
	}
}
