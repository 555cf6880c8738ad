package dashboard

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/tui/paint"
	"github.com/vksync/vksync/tui/replay"
)

// steered notes what it is asked for.
type steered struct {
	state replay.State
	asked []string
}

func (p *steered) note(format string, args ...any) {
	p.asked = append(p.asked, fmt.Sprintf(format, args...))
}
func (p *steered) State() replay.State  { return p.state }
func (p *steered) Toggle()              { p.note("toggle") }
func (p *steered) Step(n int)           { p.note("step %d", n) }
func (p *steered) Seek(d time.Duration) { p.note("seek %s", d) }
func (p *steered) Start()               { p.note("start") }
func (p *steered) End()                 { p.note("end") }
func (p *steered) Faster()              { p.note("faster") }
func (p *steered) Slower()              { p.note("slower") }

// replaying is a dashboard of a replay of an example journal.
func replaying(t testing.TB, look paint.Options, width, height int, at replay.State) (*Model, *steered) {
	t.Helper()
	board := NewBoard()
	stream := board.Stream("replay")
	stream.Events(example(t, "fleet", at.At))
	stream.Connect(Connection{State: Replaying, At: at.At})
	p := &steered{state: at}
	m := New(board, Config{Look: look, Title: "vksync dashboard", Player: p, Clock: func() time.Time { return epoch }})
	m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	return m, p
}

// standings are the states of a replay that look different.
func standings() map[string]replay.State {
	at := replay.State{Playing: true, Speed: 60, At: 3 * time.Minute, Total: 15 * time.Minute, Event: 412, Events: 1017, Seeking: -1}
	of := func(change func(*replay.State)) replay.State {
		s := at
		change(&s)
		return s
	}
	return map[string]replay.State{
		"playing":   at,
		"paused":    of(func(s *replay.State) { s.Playing = false }),
		"at once":   of(func(s *replay.State) { s.Speed = 0 }),
		"far":       of(func(s *replay.State) { s.Seeking = 0.427 }),
		"end":       of(func(s *replay.State) { s.Playing, s.At, s.Event = false, s.Total, s.Events }),
		"following": of(func(s *replay.State) { s.Waiting, s.Note = true, "waiting for what comes after event 412" }),
		"cut":       of(func(s *replay.State) { s.Playing, s.Note = false, "the journal ends in the middle of event 413" }),
		"bad": of(func(s *replay.State) {
			s.Playing, s.Err = false, errors.New("run\x1b[2J.jsonl:413: not an event")
		}),
		"a pipe": of(func(s *replay.State) { s.Total, s.Events = 0, 0 }),
	}
}

func TestTheLineOfAReplay(t *testing.T) {
	t.Parallel()
	for look, o := range looks {
		t.Run(look, func(t *testing.T) {
			t.Parallel()
			var all strings.Builder
			for _, name := range []string{"playing", "paused", "at once", "far", "end", "following", "cut", "bad", "a pipe"} {
				for _, width := range []int{40, 60, 80, 140} {
					m, _ := replaying(t, o, width, 24, standings()[name])
					lines := strings.Split(m.Screen(), "\n")
					fits(t, m.Screen(), width, 24)
					line := lines[len(lines)-2]
					if look == "ascii" && strings.IndexFunc(line, func(r rune) bool { return r > 0x7e }) >= 0 {
						t.Errorf("not only ASCII: %q", line)
					}
					fmt.Fprintf(&all, "%-9s %3d |%s\n", name, width, line)
				}
			}
			golden(t, "replay-line-"+look, all.String())
		})
	}
}

func TestAReplayFitsEveryTerminal(t *testing.T) {
	t.Parallel()
	for _, size := range []struct{ width, height int }{{140, 40}, {80, 24}, {60, 15}, {20, 5}, {10, 3}, {1, 1}} {
		for name, at := range standings() {
			m, _ := replaying(t, paint.Options{}, size.width, size.height, at)
			fits(t, m.Screen(), size.width, size.height)
			if size.height >= 15 && !strings.Contains(m.Screen(), "REPLAY") {
				t.Errorf("%s: the heading does not say that it is a replay:\n%s", name, m.Screen())
			}
		}
	}
}

func TestTheKeysOfAReplay(t *testing.T) {
	t.Parallel()
	m, p := replaying(t, paint.Options{}, 80, 24, standings()["paused"])
	for _, k := range []string{".", ",", "]", "[", "}", "{", "0", "$", "+", "=", "-"} {
		press(t, m, k)
	}
	m.Update(tea.KeyPressMsg{Code: tea.KeySpace, Text: " "})
	want := []string{"step 1", "step -1", "seek 10s", "seek -10s", "seek 1m0s", "seek -1m0s", "start", "end", "faster", "faster", "slower", "toggle"}
	if diff := cmp.Diff(want, p.asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	press(t, m, "?")
	if !strings.Contains(m.Screen(), "pause, play") {
		t.Errorf("the keys are not explained:\n%s", m.Screen())
	}
	none, _ := opened(t, paint.Options{}, 80, 24, example(t, "fleet", 0))
	press(t, none, "?")
	if strings.Contains(none.Screen(), "pause, play") {
		t.Error("the keys of a replay are explained where there is none")
	}
}

// The keys of a replay work on every page.
func TestAReplayIsSteeredFromEveryPage(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"1", "2", "3", "4", "5"} {
		m, p := replaying(t, paint.Options{}, 80, 24, standings()["paused"])
		press(t, m, page)
		for _, k := range []string{".", ",", "]", "[", "}", "{", "0", "$", "+", "-"} {
			press(t, m, k)
		}
		m.Update(tea.KeyPressMsg{Code: tea.KeySpace, Text: " "})
		if len(p.asked) != 11 {
			t.Errorf("page %s takes keys of the replay: it was asked for %q", page, p.asked)
		}
	}
}
