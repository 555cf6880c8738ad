package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// A goal is a row of the timeline and the section of its own.
type goal struct {
	ID                    int
	Name, Kind, Namespace string
	Verb                  string
	State                 mark
	Phase                 string // the one it is in
	Rank                  int
	Wanted                string // machines; empty for none
	Start, End, Took      string
	Difference            string // of the end from the forecast; empty without one
	StartMS, EndMS, MS    int64  // for sorting

	Bars, Outlines []bar
	EndX           string // where the sign of how it stands goes
	Sign           string
	Described      string // the bars in words
	Steps          []step
	Stuck          *stuck

	Forecast     bool // the run has one
	Actions      []actionLink
	Warnings     []warning
	MoreWarnings int
}

// A step is a row of the table of phases.
type step struct {
	ID, Name, Class string
	State           mark
	Machines        string
	Start, End      string
	Took            string
	Forecast        string
	Difference      string
	Bars, Outlines  []bar
}

// goalWarningCap is how many warnings are shown with a goal.
const goalWarningCap = 20

func goalOf(i int, r journal.Row, t *journal.Timeline, s scale, f *journal.GoalForecast) goal {
	now := t.Elapsed()
	g := goal{
		ID: i, Name: say(paint.NameOf(r.Addr)), Kind: say(r.Addr.Kind), Namespace: namespaceOf(r), Verb: say(r.Verb),
		State: stateOf(r.State, r.Removing(), paint.StateWord(r)), Phase: string(r.Current), Rank: rank(r.State), Wanted: wanted(r.Goal),
		Start: clock(r.Start), End: clock(r.End), Took: took(r.Start, r.End, now),
		StartMS: milliseconds(r.Start), EndMS: milliseconds(r.End), MS: milliseconds(r.End),
		Bars: s.bars(r.Spans, now), Outlines: s.outlines(f),
	}
	if r.Start != phase.NotYet && r.End != phase.NotYet {
		g.MS = milliseconds(r.End - r.Start)
	}
	if f != nil && f.EndAt() != phase.NotYet && r.End != phase.NotYet {
		g.Difference = later(r.End - f.EndAt())
	}
	g.EndX, g.Sign = s.sign(r, now)
	g.Described = described(r, now)
	for _, p := range r.Steps {
		g.Steps = append(g.Steps, stepOf(p, &r, now, s, forecastOf(f, p.ID)))
	}
	g.Stuck = stuckOf(r, t)
	return g
}

// namespaceOf is what goals are filtered by: a vSphere Namespace is in itself.
func namespaceOf(r journal.Row) string { return say(cmp.Or(r.Addr.Namespace, r.Addr.Name)) }

func stateOf(s phase.State, removing bool, word string) mark {
	return mark{Glyph: glyphs.Glyph(s, removing), Word: say(word), Class: string(s)}
}

func wanted(g phase.Goal) string {
	if g.ControlPlane+g.Workers == 0 {
		return ""
	}
	return fmt.Sprintf("%d control plane, %d workers", g.ControlPlane, g.Workers)
}

// took is how long something went on, or has gone on so far.
func took(start, end, now time.Duration) string {
	switch {
	case start == phase.NotYet:
		return "–"
	case end == phase.NotYet:
		return paint.Clock(now-start) + " so far"
	}
	return paint.Clock(end - start)
}

// until is the end of what has one, and else the present.
func until(end, now time.Duration) time.Duration {
	if end == phase.NotYet {
		return now
	}
	return end
}

// sign is what stands behind the last bar, and where.
func (s scale) sign(r journal.Row, now time.Duration) (x, sign string) {
	if r.Start == phase.NotYet && r.State != phase.Done {
		return percent(0), "not begun"
	}
	if r.End == phase.NotYet && now > s.total {
		return percent(100), glyphs.Beyond
	}
	return percent(s.at(until(r.End, now))), glyphs.Glyph(r.State, r.Removing())
}

// described is a row of the timeline for who does not see it.
func described(r journal.Row, now time.Duration) string {
	var parts []string
	last := phase.ID("")
	for _, span := range r.Spans {
		if span.ID != last && len(parts) < 2*len(phase.All) {
			parts = append(parts, paint.Brief(span.ID)+" from "+paint.Clock(span.Start))
		}
		last = span.ID
	}
	word := paint.StateWord(r)
	switch {
	case r.End != phase.NotYet:
		word += " at " + paint.Clock(r.End)
	case r.Start != phase.NotYet:
		word += " until " + paint.Clock(now)
	}
	return say(strings.Join(append(parts, word), ", "))
}

func forecastOf(f *journal.GoalForecast, id phase.ID) *journal.StepForecast {
	if f == nil {
		return nil
	}
	for i := range f.Steps {
		if f.Steps[i].ID == id {
			return &f.Steps[i]
		}
	}
	return nil
}

func stepOf(p phase.Step, r *journal.Row, now time.Duration, s scale, f *journal.StepForecast) step {
	if p.Start == phase.NotYet && p.End == phase.NotYet {
		p.Start = stoodFrom(r.Spans, p.ID)
	}
	out := step{
		ID: string(p.ID), Name: p.ID.Title(), Class: class(p.ID), State: stateOf(p.State, r.Removing(), string(p.State)),
		Start: clock(p.Start), End: clock(p.End), Took: took(p.Start, p.End, now),
	}
	if p.Wanted > 0 {
		out.Machines = fmt.Sprintf("%d/%d", p.Done, p.Wanted)
	}
	if p.Start != phase.NotYet {
		out.Bars = []bar{s.bar(p.ID, p.Start, until(p.End, now))}
	}
	if p.Start == phase.NotYet && p.End != phase.NotYet {
		out.Took, out.Start, out.End = "nothing to do", "–", "–"
	}
	if f == nil || f.StartAt() == phase.NotYet || f.EndAt() == phase.NotYet {
		return out
	}
	out.Forecast = paint.Clock(f.StartAt()) + "–" + paint.Clock(f.EndAt())
	out.Outlines = []bar{s.bar(p.ID, f.StartAt(), f.EndAt())}
	if p.End != phase.NotYet {
		out.Difference = later(p.End - f.EndAt())
	}
	return out
}

// stoodFrom is when a goal first stood in a phase of which nothing was seen to
// begin: that is how one that waits for its first object looks.
func stoodFrom(spans []phase.Span, id phase.ID) time.Duration {
	for _, span := range spans {
		if span.ID == id {
			return span.Start
		}
	}
	return phase.NotYet
}
