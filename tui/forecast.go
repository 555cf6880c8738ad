package tui

import (
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
)

// Forecast prints when each phase of each goal is forecast to end, from the
// timeline of a plan played on a simulated copy of the observed world. A phase
// with nothing to do shows the sign of what has not begun.
func Forecast(w io.Writer, t *journal.Timeline, o Options) error {
	s := newSheet(t, o)
	s.line(s.bold("", "Forecast") + "  " + s.marker() + s.dot + "modelled times since the start of the run" + s.dot + "ends at " + clock(t.Elapsed()))
	s.line("")
	rows, left := s.chosen()
	s.table(rows)
	if left != "" {
		s.line(s.faint(left))
	}
	s.line("")
	items := phaseNames()
	for i, item := range items {
		items[i] = s.faint(item)
	}
	s.flow(items, "  ")
	s.stuck()
	_, err := io.WriteString(w, s.out.String())
	return err
}

// table prints a row for each goal and a column for each phase.
func (s *sheet) table(rows []journal.Row) {
	names := len("Cluster")
	outcome := len("Available")
	column := len(clock(s.timeline.Elapsed()))
	for _, r := range rows {
		names = max(names, ansi.StringWidth(nameOf(r.Addr)))
		outcome = max(outcome, ansi.StringWidth(s.outcome(r)))
	}
	column = max(column, 4) + 1
	names = min(names, s.width()-outcome-2-len(phase.All)*column)

	head := pad("", names)
	for _, id := range phase.All {
		head += padLeft(string(id), column)
	}
	s.line(s.faint(head + "  " + padLeft("reached", outcome)))
	for _, r := range rows {
		var b strings.Builder
		b.WriteString(pad(s.cutLeft(nameOf(r.Addr), names), names))
		for _, id := range phase.All {
			b.WriteString(padLeft(s.ends(r, id), column))
		}
		b.WriteString("  " + s.state(r.State, padLeft(s.outcome(r), outcome)))
		s.line(b.String())
	}
}

// ends is the cell of one phase of a goal: when it ends, or how it stands when
// it does not.
func (s *sheet) ends(r journal.Row, id phase.ID) string {
	step := r.Step(id)
	switch {
	case step.ID == "":
		return ""
	case step.State == phase.Done && step.Start != phase.NotYet && step.End != phase.NotYet:
		return clock(max(step.End, time.Duration(0)))
	case step.State == phase.Done:
		return s.pending
	}
	return s.state(step.State, s.glyph(step.State, false))
}
