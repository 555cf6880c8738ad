package dashboard

import (
	"fmt"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// heading says which cluster this is, how it stands, when it will be reached, and
// what it waits for.
func (p *clusterPage) heading(s *scene, stream *Stream, row journal.Row) []string {
	room := headRoom(s)
	if room == 0 {
		return nil
	}
	now := p.gantt.now
	parts := []string{
		s.Bold("", label(row.Addr)) + " " + s.verb(row.Verb),
		s.State(row.State, s.Glyph(row.State, row.Removing())+" "+stateOf(row)),
	}
	if eta := p.eta(s, row); eta != "" {
		parts = append(parts, eta)
	}
	if n := row.ControlPlane + row.Workers; n > 0 && row.State != phase.Done {
		parts = append(parts, s.Faint(fmt.Sprintf("%d/%d machines", row.Step(phase.Node).Done+row.Step(phase.Workers).Done, n)))
	}
	lines := []string{s.fitting(parts, s.width)}
	chain, cause := reasons(stream, row)
	why := "waits"
	if row.State == phase.Blocked || row.State == phase.Failed {
		why = "cause"
	}
	lines = append(lines, s.field(why, cause, 1)...)
	if room > 2 {
		advice, commands := phase.Fix(chain)
		lines = append(lines, s.field("fix", advice, 1)...)
		if len(commands) > 0 {
			lines = append(lines, s.field("look", commands[0], 1)...)
		}
	}
	if text := strings.TrimSpace(story(stream, row, now)); len(lines) == 1 && text != "" {
		lines = append(lines, s.Faint(text))
	}
	for len(lines) < room {
		lines = append(lines, "")
	}
	return lines[:room]
}

// eta says when the goal will be reached, which is an estimate, or how long it took.
func (p *clusterPage) eta(s *scene, row journal.Row) string {
	e, known := p.gantt.forecast.ETA(row, p.gantt.now)
	switch {
	case row.State == phase.Done && row.End != phase.NotYet:
		text := "at " + paint.Clock(row.End)
		if known {
			text += ", " + lateness(e.Late, false)
		}
		return text
	case !known && p.gantt.forecast != nil && row.State != phase.Done:
		return s.Faint("no estimate")
	case !known:
		return ""
	case e.Overdue > 0 && e.Left == 0:
		return s.Paint(paint.Yellow, "overdue by "+paint.Clock(e.Overdue)) + s.Faint(" (estimate)")
	}
	text := "ETA ~" + paint.Clock(e.End) + ", in ~" + paint.Clock(e.Left)
	if e.Late.Abs() >= time.Second {
		text += ", " + lateness(e.Late, false)
	}
	return s.Bold("", text) + s.Faint(" (estimate)")
}

// lateness is a difference to the forecast in words.
func lateness(late time.Duration, brief bool) string {
	sign, word := "+", " late"
	if late < 0 {
		sign, word = "-", " early"
	}
	switch {
	case late.Abs() < time.Second && brief:
		return "="
	case late.Abs() < time.Second:
		return "as forecast"
	case brief:
		return sign + paint.Clock(late.Abs())
	}
	return sign + paint.Clock(late.Abs()) + word
}
