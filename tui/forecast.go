package tui

import (
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// Forecast prints when each phase of each goal is forecast to end, from the
// timeline of a plan played on a simulated copy of the observed world. A phase
// with nothing to do shows the sign of what has not begun.
func Forecast(w io.Writer, t *journal.Timeline, o Options) error {
	s := newSheet(t, o)
	s.line(s.Bold("", "Forecast") + "  " + s.Marker() + s.Dot + "modelled times since the start of the run" + s.Dot + "ends at " + paint.Clock(t.Elapsed()))
	s.line("")
	rows, left := s.chosen()
	s.table(rows)
	if left != "" {
		s.line(s.Faint(left))
	}
	s.line("")
	items := paint.PhaseNames()
	for i, item := range items {
		items[i] = s.Faint(item)
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
	column := len(paint.Clock(s.timeline.Elapsed()))
	for _, r := range rows {
		names = max(names, ansi.StringWidth(paint.NameOf(r.Addr)))
		outcome = max(outcome, ansi.StringWidth(s.outcome(r)))
	}
	column = max(column, 4) + 1
	names = min(names, s.width()-outcome-2-len(phase.All)*column)

	head := paint.Pad("", names)
	for _, id := range phase.All {
		head += paint.PadLeft(string(id), column)
	}
	s.line(s.Faint(head + "  " + paint.PadLeft("reached", outcome)))
	for _, r := range rows {
		var b strings.Builder
		b.WriteString(paint.Pad(s.CutLeft(paint.NameOf(r.Addr), names), names))
		for _, id := range phase.All {
			b.WriteString(paint.PadLeft(s.ends(r, id), column))
		}
		b.WriteString("  " + s.State(r.State, paint.PadLeft(s.outcome(r), outcome)))
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
		return paint.Clock(max(step.End, time.Duration(0)))
	case step.State == phase.Done:
		return s.Pending
	}
	return s.State(step.State, s.Glyph(step.State, false))
}
