package dashboard

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// storyLines are what the selected row is explained in, below the others. Their
// number does not depend on the row: rows must not move with the cursor.
const storyLines = 6

// details says whether there is room to explain the selected row.
func details(s *scene) int {
	if s.height < 3*storyLines {
		return 0
	}
	return storyLines
}

// explain says of one goal how it stands, why, and what to do, with the lock held.
func (p *fleetPage) explain(s *scene) []string {
	stream := s.stream()
	if stream == nil || details(s) == 0 {
		return nil
	}
	row, ok := stream.timeline.Row(s.subject.addr)
	if !ok {
		return nil
	}
	lines := []string{
		s.Faint(strings.Repeat(s.Rule, s.width)),
		s.Bold("", label(row.Addr)) + "  " + s.State(row.State, stateOf(row)) + s.Faint(story(stream, row, stream.now(s.clock))),
	}
	chain, cause := reasons(stream, row)
	if row.State == phase.Running && row.Delayed == nil {
		return append(lines, s.field("waits", cause, 3)...) // nothing has to be done about it
	}
	advice, commands := phase.Fix(chain)
	lines = append(lines, s.field("cause", cause, 2)...)
	lines = append(lines, s.field("fix", advice, 2)...)
	if len(commands) > 0 && len(lines) < storyLines {
		lines = append(lines, s.field("look", commands[0], 1)...)
	}
	return lines[:min(len(lines), storyLines)]
}

// reasons are why a goal waits or was not reached: the causal chain, and its end in
// words. What vksync itself was refused is a chain of one link.
func reasons(stream *Stream, row journal.Row) (chain []phase.Link, cause string) {
	if row.State == phase.Done || row.State == phase.Pending {
		return nil, ""
	}
	for _, a := range []*journal.Action{row.Refused, row.Delayed} {
		if a != nil {
			return []phase.Link{{Kind: a.Addr.Kind, Namespace: a.Addr.Namespace, Name: a.Addr.Name, Reason: a.Reason, Message: a.Message}}, joined(a)
		}
	}
	chain = stream.timeline.Why(row.Addr)
	if cause = phase.Cause(chain); row.Blocked != nil {
		cause = cmp.Or(row.Blocked.Cause, cause)
	}
	return chain, cause
}

// story is how long it has been so, and how it stands to the forecast.
func story(stream *Stream, row journal.Row, now time.Duration) string {
	left := stream.left(row, now)
	step := row.Step(row.Current)
	switch {
	case row.Start == phase.NotYet:
		return ""
	case row.State == phase.Done && row.End != phase.NotYet:
		text := " after " + paint.Clock(row.End-row.Start)
		if b := stream.timeline.Begin(); b.Forecast != nil {
			if e, ok := b.Forecast.ETA(row, now); ok && e.Late.Round(time.Second) != 0 {
				text += fmt.Sprintf(", forecast %s", paint.Clock(e.End-e.Late-row.Start))
			}
		}
		return text
	case row.State == phase.Running && step.Start != phase.NotYet:
		text := fmt.Sprintf(" in phase %s %s for %s", row.Current, row.Current.Title(), paint.Clock(now-step.Start))
		if left.known {
			text += ", left " + left.text() + " by the forecast"
		}
		return text
	case step.Start != phase.NotYet:
		return fmt.Sprintf(" %s, begun %s ago", row.Current.Title(), paint.Clock(now-step.Start))
	}
	return " " + row.Current.Title()
}

// field is a name and a text beside it, on a number of lines at most.
func (s *scene) field(name, text string, most int) []string {
	if text = paint.Clean(text); text == "" {
		return nil
	}
	const indent = 7
	parts := paint.Wrap(text, s.width-indent)
	if len(parts) > most {
		parts = append(parts[:most-1], s.Cut(strings.Join(parts[most-1:], " "), s.width-indent))
	}
	for i, part := range parts {
		label := ""
		if i == 0 {
			label = name
		}
		parts[i] = s.Faint(paint.Pad(label, indent)) + part
	}
	return parts
}
