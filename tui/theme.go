package tui

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/vksync/vksync/reconcile/phase"
)

// A theme is how things look: glyphs of one cell each, and colours or none.
type theme struct {
	color bool
	glyphs
}

// glyphs come in two sets of equal widths.
type glyphs struct {
	done, running, pending, blocked, failed, gone string
	more                                          string // the sign of a cut
	beyond                                        string // of a bar that runs out of its axis
	tick, rule                                    string // of a time axis
	branch                                        string // of a tree
	dot                                           string // between facts on a line
	fill                                          map[phase.ID]string
}

func newTheme(o Options) theme {
	t := theme{color: o.Color, glyphs: unicodeGlyphs()}
	if o.ASCII {
		t.glyphs = asciiGlyphs()
	}
	return t
}

func unicodeGlyphs() glyphs {
	return glyphs{
		done: "✓", running: "●", pending: "·", blocked: "■", failed: "✗", gone: "−",
		more: "…", beyond: "»", tick: "┬", rule: "─", branch: "└", dot: " · ",
		fill: map[phase.ID]string{
			phase.Prerequisites: "·", phase.Topology: "░", phase.Infrastructure: "▒",
			phase.Bootstrap: "░", phase.Machine: "▒", phase.Node: "▓", phase.Workers: "█",
		},
	}
}

func asciiGlyphs() glyphs {
	return glyphs{
		done: "+", running: "*", pending: ".", blocked: "!", failed: "x", gone: "-",
		more: "~", beyond: ">", tick: "+", rule: "-", branch: "`", dot: " | ",
		fill: map[phase.ID]string{
			phase.Prerequisites: ".", phase.Topology: ":", phase.Infrastructure: "-",
			phase.Bootstrap: "~", phase.Machine: "=", phase.Node: "%", phase.Workers: "#",
		},
	}
}

// letters name the phases in a bar, one cell each.
func letter(id phase.ID) string {
	switch id {
	case phase.Bootstrap:
		return "a"
	case phase.Machine:
		return "b"
	case phase.Node:
		return "c"
	}
	return string(id)
}

// brief is the name of a phase in few words.
func brief(id phase.ID) string {
	switch id {
	case phase.Prerequisites:
		return "prerequisites"
	case phase.Topology:
		return "topology"
	case phase.Infrastructure:
		return "infrastructure"
	case phase.Bootstrap:
		return "3a bootstrap"
	case phase.Machine:
		return "3b VM"
	case phase.Node:
		return "3c node"
	}
	return "workers"
}

// phaseNames are the phases as columns call them, each with its name.
func phaseNames() []string {
	names := make([]string, len(phase.All))
	for i, id := range phase.All {
		names[i] = string(id) + " " + strings.TrimPrefix(brief(id), string(id)+" ")
	}
	return names
}

// glyph is the sign of a state.
func (t theme) glyph(s phase.State, removing bool) string {
	switch s {
	case phase.Done:
		if removing {
			return t.gone
		}
		return t.done
	case phase.Running:
		return t.running
	case phase.Blocked:
		return t.blocked
	case phase.Failed:
		return t.failed
	}
	return t.pending
}

// The sixteen colours of a terminal that are used, by what they mean.
const (
	green  = "2"
	yellow = "3"
	blue   = "4"
	purple = "5"
	cyan   = "6"
	red    = "9"
	gray   = "8"
)

func (t theme) paint(color, s string) string {
	if !t.color || s == "" {
		return s
	}
	return lipgloss.NewStyle().Foreground(lipgloss.Color(color)).Render(s)
}

func (t theme) bold(color, s string) string {
	if !t.color || s == "" {
		return s
	}
	style := lipgloss.NewStyle().Bold(true)
	if color != "" {
		style = style.Foreground(lipgloss.Color(color))
	}
	return style.Render(s)
}

func (t theme) faint(s string) string { return t.paint(gray, s) }

// state paints in the colour of a state.
func (t theme) state(s phase.State, text string) string {
	switch s {
	case phase.Done:
		return t.paint(green, text)
	case phase.Running:
		return t.paint(cyan, text)
	case phase.Blocked, phase.Failed:
		return t.bold(red, text)
	}
	return t.faint(text)
}

// hue is the colour of a phase in a bar.
func hue(id phase.ID) string {
	switch id {
	case phase.Prerequisites:
		return gray
	case phase.Topology:
		return purple
	case phase.Infrastructure:
		return blue
	case phase.Bootstrap:
		return yellow
	case phase.Machine:
		return "11"
	case phase.Node:
		return cyan
	}
	return green
}

// marker is the badge that keeps a picture of a simulation from being taken for
// one of a real run.
func (t theme) marker() string {
	if !t.color {
		return "SIMULATED"
	}
	return lipgloss.NewStyle().Bold(true).Reverse(true).Foreground(lipgloss.Color(yellow)).Render(" SIMULATED ")
}
