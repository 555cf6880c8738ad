package main

import (
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/dashboard"
	"github.com/vksync/vksync/tui/paint"
	reports "github.com/vksync/vksync/tui/report"
)

// The size of a picture in cells: a fleet gets as many lines as it has goals, in
// these bounds, and those that a frame has beside its rows.
const (
	pictureWidth  = 110
	pictureLeast  = 8
	pictureMost   = 50
	pictureBeside = 11
)

// follow is what tells a board the events, where that is drawn.
func (o *reportOptions) follow(board *dashboard.Board) func(journal.Event) {
	if o.format != "svg" {
		return nil
	}
	return board.Stream("run").Event
}

// picture draws the fleet as the dashboard shows it at the end of what was read.
func (o *reportOptions) picture(w io.Writer, run *reports.Run, board *dashboard.Board) error {
	t := run.Timeline()
	connection := dashboard.Connection{State: dashboard.Replaying, At: t.Elapsed()}
	if run.Cut() {
		connection = dashboard.Connection{State: dashboard.Lost, Detail: "the journal ends in the middle of a line"}
	}
	board.Stream("run").Connect(connection)
	title := o.title
	if title == "" {
		title = "vksync dashboard"
	}
	model := dashboard.New(board, dashboard.Config{
		Look:  paint.Options{Color: true, Light: o.light},
		Title: title,
		Clock: func() time.Time { return t.Begin().Start.Add(t.Elapsed()) },
	})
	height := min(pictureMost, max(pictureLeast, len(t.Rows()))) + pictureBeside
	model.Update(tea.WindowSizeMsg{Width: pictureWidth, Height: height})
	return reports.Frame(w, model.Screen(), pictureWidth, height, !o.light, title)
}
