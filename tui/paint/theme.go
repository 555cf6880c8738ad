// Package paint is what every display draws with: glyphs, colours, text measured
// in cells, and the time axis with its bars. It knows how things look, and
// nothing of terminals, keys and pages.
//
// State is always told by a glyph and a word; colour only repeats it.
package paint

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/vksync/vksync/reconcile/phase"
)

// Options say how things look. The zero Options are UTF-8 without colour.
type Options struct {
	// Color allows colours, of the terminal's own sixteen.
	Color bool
	// Light is a terminal with a light background.
	Light bool
	// ASCII keeps to ASCII.
	ASCII bool
}

// A Theme is how things look: glyphs of one cell each, and colours or none.
type Theme struct {
	Options
	Glyphs
}

// Glyphs come in two sets of equal widths.
type Glyphs struct {
	Done, Running, Pending, Blocked, Failed, Gone string
	More                                          string // the sign of a cut
	Beyond                                        string // of a bar that runs out of its axis
	Tick, Rule                                    string // of a time axis
	Branch                                        string // of a tree
	Dot                                           string // between facts on a line
	Fill                                          map[phase.ID]string
}

// New makes a theme.
func New(o Options) Theme {
	if o.ASCII {
		return Theme{o, asciiGlyphs()}
	}
	return Theme{o, unicodeGlyphs()}
}

func unicodeGlyphs() Glyphs {
	return Glyphs{
		Done: "✓", Running: "●", Pending: "·", Blocked: "■", Failed: "✗", Gone: "−",
		More: "…", Beyond: "»", Tick: "┬", Rule: "─", Branch: "└", Dot: " · ",
		Fill: map[phase.ID]string{
			phase.Prerequisites: "·", phase.Topology: "░", phase.Infrastructure: "▒",
			phase.Bootstrap: "░", phase.Machine: "▒", phase.Node: "▓", phase.Workers: "█",
		},
	}
}

func asciiGlyphs() Glyphs {
	return Glyphs{
		Done: "+", Running: "*", Pending: ".", Blocked: "!", Failed: "x", Gone: "-",
		More: "~", Beyond: ">", Tick: "+", Rule: "-", Branch: "`", Dot: " | ",
		Fill: map[phase.ID]string{
			phase.Prerequisites: ".", phase.Topology: ":", phase.Infrastructure: "-",
			phase.Bootstrap: "~", phase.Machine: "=", phase.Node: "%", phase.Workers: "#",
		},
	}
}

// Letter names a phase in a bar, in one cell.
func Letter(id phase.ID) string {
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

// Brief is the name of a phase in few words.
func Brief(id phase.ID) string {
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

// PhaseNames are the phases as columns call them, each with its name.
func PhaseNames() []string {
	names := make([]string, len(phase.All))
	for i, id := range phase.All {
		names[i] = string(id) + " " + strings.TrimPrefix(Brief(id), string(id)+" ")
	}
	return names
}

// Glyph is the sign of a state.
func (t Theme) Glyph(s phase.State, removing bool) string {
	switch s {
	case phase.Done:
		if removing {
			return t.Gone
		}
		return t.Done
	case phase.Running:
		return t.Running
	case phase.Blocked:
		return t.Blocked
	case phase.Failed:
		return t.Failed
	}
	return t.Pending
}

// The sixteen colours of a terminal that are used, by what they mean.
const (
	Green  = "2"
	Yellow = "3"
	Blue   = "4"
	Purple = "5"
	Cyan   = "6"
	Red    = "9"
	Gray   = "8"

	brightYellow = "11"
	brightPurple = "13"
)

// shade is the colour that stands for one on the background there is.
func (t Theme) shade(color string) string {
	if t.Light && color == brightYellow {
		return brightPurple
	}
	return color
}

// Paint paints in one of the colours.
func (t Theme) Paint(color, s string) string {
	if !t.Color || s == "" {
		return s
	}
	return lipgloss.NewStyle().Foreground(lipgloss.Color(t.shade(color))).Render(s)
}

// Bold makes bold, in a colour unless that is empty.
func (t Theme) Bold(color, s string) string {
	if !t.Color || s == "" {
		return s
	}
	style := lipgloss.NewStyle().Bold(true)
	if color != "" {
		style = style.Foreground(lipgloss.Color(t.shade(color)))
	}
	return style.Render(s)
}

// Reverse marks what is selected. Without colours the caller says so with a sign too.
func (t Theme) Reverse(s string) string {
	if !t.Color || s == "" {
		return s
	}
	return lipgloss.NewStyle().Reverse(true).Render(s)
}

// Faint is for what need not be read first.
func (t Theme) Faint(s string) string { return t.Paint(Gray, s) }

// State paints in the colour of a state.
func (t Theme) State(s phase.State, text string) string {
	switch s {
	case phase.Done:
		return t.Paint(Green, text)
	case phase.Running:
		return t.Paint(Cyan, text)
	case phase.Blocked, phase.Failed:
		return t.Bold(Red, text)
	}
	return t.Faint(text)
}

// Hue is the colour of a phase in a bar.
func Hue(id phase.ID) string {
	switch id {
	case phase.Prerequisites:
		return Gray
	case phase.Topology:
		return Purple
	case phase.Infrastructure:
		return Blue
	case phase.Bootstrap:
		return Yellow
	case phase.Machine:
		return brightYellow
	case phase.Node:
		return Cyan
	}
	return Green
}

// Marker is the badge that keeps a picture of a simulation from being taken for
// one of a real run.
func (t Theme) Marker() string {
	if !t.Color {
		return "SIMULATED"
	}
	return lipgloss.NewStyle().Bold(true).Reverse(true).Foreground(lipgloss.Color(Yellow)).Render(" SIMULATED ")
}
