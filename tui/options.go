// Package tui shows a run in a terminal: live while it goes on, as lines where
// there is no terminal, and as a summary when it is over. It hides terminals,
// colours, glyphs and layout, and reads nothing but events of a journal.
//
// State is always told by a glyph and a word; colour only repeats it.
package tui

import (
	"cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/paint"
)

// Options say how output looks. The zero Options are 80 columns of UTF-8
// without colour.
type Options struct {
	// Width in cells; 0 is 80. Nothing is wider than it.
	Width int
	// Height in lines of a live display; 0 is 24.
	Height int
	// Color allows colours, of the terminal's own sixteen.
	Color bool
	// ASCII keeps to ASCII, for terminals whose locale is not UTF-8.
	ASCII bool
	// Title is the command, "vksync simulate".
	Title string
	// Name goes before each line of a plain display, where several write to the same
	// place; empty is none.
	Name string
	// Speed is how many times faster than real the world runs; 0 is as fast as
	// it can, 1 is real time. It is only shown.
	Speed float64
	// Left says that what is shown is looked at only, and may go on after that: a
	// journal without an end was not interrupted.
	Left bool
	// Rows caps the clusters drawn in a summary; 0 is 60. Those that are blocked
	// or failed come first, then the slowest.
	Rows int
}

// minWidth is what the fixed columns need. On a narrower terminal lines are laid
// out for it and cut at the edge.
const minWidth = 40

func (o Options) theme() paint.Theme { return paint.New(paint.Options{Color: o.Color, ASCII: o.ASCII}) }

func (o Options) width() int { return max(minWidth, o.edge()) }
func (o Options) edge() int  { return max(1, cmp.Or(o.Width, 80)) }
func (o Options) rows() int  { return cmp.Or(o.Rows, 60) }
func (o Options) title() string {
	return cmp.Or(o.Title, "vksync")
}

// A Display shows a run while it goes on. Event is called with every event of
// the journal in order, by one goroutine at a time. Close ends the display,
// gives the terminal back and prints the summary; it is called once, also after
// an interrupted run.
type Display interface {
	Event(journal.Event)
	Close() error
}
