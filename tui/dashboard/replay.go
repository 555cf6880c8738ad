package dashboard

import (
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
	"github.com/vksync/vksync/tui/replay"
)

// A Player is what a replay is steered by: a replay.Player. None of its methods
// blocks.
type Player interface {
	State() replay.State
	Toggle()
	Step(n int)
	Seek(d time.Duration)
	Start()
	End()
	Faster()
	Slower()
}

var _ Player = (*replay.Player)(nil)

// plays are the keys of a replay: space . , [ and ] as in mpv and asciinema, 0 and
// $ as in vim.
var plays = struct{ toggle, next, previous, on, back, farOn, farBack, start, end, faster, slower key.Binding }{
	toggle:   key.NewBinding(key.WithKeys("space"), key.WithHelp("space", "pause, play")),
	next:     key.NewBinding(key.WithKeys("."), key.WithHelp(".", "next event")),
	previous: key.NewBinding(key.WithKeys(","), key.WithHelp(",", "previous event")),
	on:       key.NewBinding(key.WithKeys("]"), key.WithHelp("]", "10 s on")),
	back:     key.NewBinding(key.WithKeys("["), key.WithHelp("[", "10 s back")),
	farOn:    key.NewBinding(key.WithKeys("}"), key.WithHelp("}", "1 min on")),
	farBack:  key.NewBinding(key.WithKeys("{"), key.WithHelp("{", "1 min back")),
	start:    key.NewBinding(key.WithKeys("0"), key.WithHelp("0", "start")),
	end:      key.NewBinding(key.WithKeys("$"), key.WithHelp("$", "end")),
	faster:   key.NewBinding(key.WithKeys("+", "="), key.WithHelp("+", "faster")),
	slower:   key.NewBinding(key.WithKeys("-", "_"), key.WithHelp("-", "slower")),
}

// players are those keys as they are listed.
func players() []key.Binding {
	p := plays
	return []key.Binding{p.toggle, p.next, p.previous, p.on, p.back, p.farOn, p.farBack, p.start, p.end, p.faster, p.slower}
}

// typing says that keys are text at the moment.
func (m *Model) typing() (yes bool) {
	if p, ok := m.pages[m.shown].(prompter); ok {
		_, yes = p.prompt(&m.scene)
	}
	return yes
}

// play steers the replay; false is none of its keys. They are the same on every
// page, so they come before those of the page.
func (m *Model) play(k tea.KeyPressMsg) bool {
	switch p := plays; {
	case key.Matches(k, p.toggle):
		m.Player.Toggle()
	case key.Matches(k, p.next):
		m.Player.Step(1)
	case key.Matches(k, p.previous):
		m.Player.Step(-1)
	case key.Matches(k, p.on):
		m.Player.Seek(10 * time.Second)
	case key.Matches(k, p.back):
		m.Player.Seek(-10 * time.Second)
	case key.Matches(k, p.farOn):
		m.Player.Seek(time.Minute)
	case key.Matches(k, p.farBack):
		m.Player.Seek(-time.Minute)
	case key.Matches(k, p.start):
		m.Player.Start()
	case key.Matches(k, p.end):
		m.Player.End()
	case key.Matches(k, p.faster):
		m.Player.Faster()
	case key.Matches(k, p.slower):
		m.Player.Slower()
	default:
		return false
	}
	return true
}

// playerLine is where the replay is: the line above the keys. What went wrong goes
// before how many events there are, and the key that pauses before all other keys.
func (m *Model) playerLine(at replay.State) string {
	line := m.playing(at) + "  " + m.moment(at)
	count := "  " + m.count(at)
	if text, state := m.trouble(at); text != "" {
		if m.width >= ansi.StringWidth(line+count+text)+2 {
			line += count
		}
		return line + "  " + m.State(state, m.Cut(text, m.width-ansi.StringWidth(line)-2))
	}
	line += count
	bar := ""
	for i, hint := range []string{"space " + map[bool]string{true: "pause", false: "play"}[at.Playing], ",. step", "[] 10s", "{} 1m", "0$ ends", "+- speed"} {
		free := m.width - ansi.StringWidth(line+bar) - 2
		if free < len(hint) {
			break
		}
		keys, what, _ := strings.Cut(hint, " ")
		line += "  " + m.Paint(paint.Cyan, keys) + " " + m.Faint(what)
		if free -= len(hint) + 2; i == 0 && free >= 10 {
			bar = "  " + m.progress(at, min(24, free))
		}
	}
	return line + bar
}

// trouble is why the replay does not go on as it should; empty when it does.
func (m *Model) trouble(at replay.State) (string, phase.State) {
	if at.Err != nil {
		return m.Failed + " " + paint.Clean(at.Err.Error()), phase.Failed
	}
	return paint.Clean(at.Note), phase.Blocked
}

// playing says what the replay does, and how fast.
func (m *Model) playing(at replay.State) string {
	speed := ""
	if at.Speed > 0 {
		speed = fmt.Sprintf(" x%g", at.Speed)
	}
	switch {
	case at.Seeking >= 0:
		return m.Paint(paint.Yellow, fmt.Sprintf("%s going there %3.0f%%", m.Running, 100*at.Seeking))
	case at.Playing && at.Waiting:
		return m.Paint(paint.Yellow, m.Running+" following")
	case at.Playing:
		return m.State(phase.Running, m.Running+" playing"+speed)
	case at.Events > 0 && at.Event >= at.Events:
		return m.Done + " at the end"
	}
	return m.Bold("", m.Blocked+" paused"+speed)
}

// moment is the time of the journal, count the event.
func (m *Model) moment(at replay.State) string {
	if at.Total > 0 {
		return paint.Clock(at.At) + "/" + paint.Clock(at.Total)
	}
	return paint.Clock(at.At)
}

func (m *Model) count(at replay.State) string {
	if at.Events > 0 {
		return "event " + paint.Count(at.Event) + "/" + paint.Count(at.Events)
	}
	return "event " + paint.Count(at.Event)
}

// progress is how far the replay is, as a bar.
func (m *Model) progress(at replay.State, width int) string {
	full := 0
	if at.Total > 0 {
		full = int(int64(width) * int64(min(at.At, at.Total)) / int64(at.Total))
	}
	solid, rest := m.Fill[phase.Workers], m.Fill[phase.Topology]
	return strings.Repeat(solid, full) + m.Faint(strings.Repeat(rest, width-full))
}
