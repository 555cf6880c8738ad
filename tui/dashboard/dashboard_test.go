package dashboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
	"github.com/vksync/vksync/tui/tuitest"
)

// golden compares with a file; control codes are visible in it.
func golden(t testing.TB, name, got string) {
	t.Helper()
	tuitest.Golden(t, name, got)
}

// examples are the example journals.
func examples(t testing.TB) []string { return tuitest.Examples(t) }

// example is an example journal up to a time; 0 is all of it.
func example(t testing.TB, name string, upTo time.Duration) []journal.Event {
	t.Helper()
	return tuitest.Example(t, name, upTo)
}

// large is a fleet of n clusters, each of which has come to something else.
func large(n int) []journal.Event {
	begin := &journal.Begin{Version: journal.Version, Simulated: true, Start: epoch, Revision: strings.Repeat("ab", 20)}
	events := []journal.Event{{Begin: begin}}
	verbs := []string{"none", "none", "create", "update", "none", "none", "none", "none"}
	for i := range n {
		g := journal.Goal{
			Addr: resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: fmt.Sprintf("team-%02d", i%40), Name: fmt.Sprintf("cluster-%05d", i)},
			Verb: verbs[i%len(verbs)], ControlPlane: 3, Workers: int64(i % 9),
		}
		begin.Goals = append(begin.Goals, g)
		if g.Verb != "none" && i%3 == 0 {
			events = append(events, journal.Event{Seq: len(events), T: int64(i), Action: &journal.Action{Addr: g.Addr, Verb: g.Verb, Phase: "1", State: journal.ActionStarted}})
		}
	}
	return events
}

// epoch is when made-up journals begin.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// opened is a dashboard of a terminal of a size, to which a stream has told events.
func opened(t testing.TB, look paint.Options, width, height int, events []journal.Event) (*Model, *Stream) {
	t.Helper()
	board := NewBoard()
	stream := board.Stream("run")
	stream.Connect(Connection{State: Following})
	stream.Events(events)
	m := New(board, Config{Look: look, Title: "vksync simulate", Speed: 600, Exports: t.TempDir(), Clock: func() time.Time { return epoch.Add(time.Hour) }})
	_, cmd := m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	deliver(m, cmd)
	return m, stream
}

// press presses keys: "enter", "down", or a text that is typed. Messages that come
// of them are delivered, but for those that wait for time.
func press(t testing.TB, m *Model, keys ...string) {
	t.Helper()
	for _, k := range keys {
		_, cmd := m.Update(keyOf(k))
		deliver(m, cmd)
	}
}

func deliver(m *Model, cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		for _, c := range msg {
			deliver(m, c)
		}
	case show, notice, planRead, planApproved, settled:
		_, next := m.Update(msg)
		deliver(m, next)
	}
}

func keyOf(name string) tea.KeyPressMsg {
	codes := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft,
		"right": tea.KeyRight, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd, "backspace": tea.KeyBackspace,
	}
	if code, ok := codes[name]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	if rest, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(rest[0]), Mod: tea.ModCtrl}
	}
	r := []rune(name)[0]
	return tea.KeyPressMsg{Code: r, Text: name}
}

// fits fails for a frame that is not as large as its terminal.
func fits(t testing.TB, frame string, width, height int) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) != height {
		t.Errorf("%d lines on a terminal of %d:\n%s", len(lines), height, frame)
	}
	for _, line := range lines {
		if w := ansi.StringWidth(line); w > width {
			t.Errorf("a line has %d cells, want at most %d:\n%s", w, width, line)
		}
	}
}

var sizes = []struct{ width, height int }{{60, 15}, {80, 24}, {140, 40}}

var looks = map[string]paint.Options{"plain": {}, "color": {Color: true}, "light": {Color: true, Light: true}, "ascii": {ASCII: true}}

// A moment is a state in which every page is looked at.
type moment struct {
	name   string
	events func(testing.TB) []journal.Event
}

// moments are the states that every page has a frame of.
func moments() []moment {
	of := func(name, journalName string, upTo time.Duration) moment {
		return moment{name, func(t testing.TB) []journal.Event { return example(t, journalName, upTo) }}
	}
	return []moment{
		{"empty", func(testing.TB) []journal.Event { return nil }},
		{"planning", func(t testing.TB) []journal.Event {
			proposed := example(t, "fleet", time.Millisecond)[:1]
			begin := *proposed[0].Begin
			begin.Proposed = true
			return []journal.Event{{Begin: &begin}}
		}},
		of("rollout", "fleet", 3*time.Minute),
		of("waiting", "observed-create", 40*time.Second),
		of("failed", "fleet", 0),
		of("exhausted", "exhausted", 0), // addresses are; with a plan, a forecast and the use of the site
		of("done", "reached", 0),
		{"large", func(testing.TB) []journal.Event { return large(10_000) }},
	}
}

// frames compares what a page looks like in every state, size and look with its
// golden files. Keys lead from the fleet to the page.
func frames(t *testing.T, page string, keys ...string) { framesOf(t, page, moments(), keys...) }

// framesOf is frames of states of one's own.
func framesOf(t *testing.T, page string, moments []moment, keys ...string) {
	for _, m := range moments {
		for look, o := range looks {
			t.Run(m.name+" "+look, func(t *testing.T) {
				t.Parallel()
				events := m.events(t)
				var all strings.Builder
				for _, size := range sizes {
					if look == "light" && size.width != 80 {
						continue
					}
					model, _ := opened(t, o, size.width, size.height, events)
					press(t, model, keys...)
					frame := model.Screen()
					fits(t, frame, size.width, size.height)
					if look == "ascii" && strings.IndexFunc(frame, func(r rune) bool { return r > 0x7e }) >= 0 {
						t.Errorf("not only ASCII:\n%s", frame)
					}
					fmt.Fprintf(&all, "== %dx%d\n%s\n", size.width, size.height, frame)
				}
				golden(t, page+"-"+m.name+"-"+look, all.String())
			})
		}
	}
}
