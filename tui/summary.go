package tui

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// Summary prints the phase timeline of the whole fleet on one time axis, the
// totals, and for each goal that was not reached why not.
func Summary(w io.Writer, t *journal.Timeline, o Options) error {
	s := newSheet(t, o)
	s.heading()
	s.chart()
	s.totals()
	s.stuck()
	_, err := io.WriteString(w, s.out.String())
	return err
}

// A sheet is a summary being written.
type sheet struct {
	paint.Theme
	Options
	timeline *journal.Timeline
	rows     []journal.Row
	out      strings.Builder
}

func newSheet(t *journal.Timeline, o Options) *sheet {
	return &sheet{Theme: o.theme(), Options: o, timeline: t, rows: t.Rows()}
}

// line writes a line, cut to the width.
func (s *sheet) line(text string) {
	s.out.WriteString(strings.TrimRight(s.Cut(text, s.edge()), " "))
	s.out.WriteByte('\n')
}

func (s *sheet) heading() {
	facts := []string{}
	if b := s.timeline.Begin(); b != nil {
		if b.Simulated {
			facts = append(facts, s.Marker())
		}
		if b.Revision != "" && !strings.Contains(s.title(), paint.Short(b.Revision)) { // a title may name it itself
			facts = append(facts, "revision "+paint.Clean(paint.Short(b.Revision)))
		}
		if b.Simulated {
			facts = append(facts, fmt.Sprintf("seed %d", b.Seed))
		}
	}
	facts = append(facts, s.timeWord()+" "+paint.Clock(s.timeline.Elapsed()))
	s.line(s.Bold("", s.title()) + "  " + strings.Join(facts, s.Dot))
	s.line("")
}

// timeWord is whose time a simulation's times are.
func (s *sheet) timeWord() string {
	if b := s.timeline.Begin(); b != nil && b.Simulated {
		return "model time"
	}
	return "took"
}

// chart draws a bar for each goal that had anything to do.
func (s *sheet) chart() {
	rows, left := s.chosen()
	names, states := 0, 0
	for _, r := range rows {
		names = max(names, ansi.StringWidth(paint.NameOf(r.Addr)))
		states = max(states, ansi.StringWidth(s.outcome(r)))
	}
	names = min(names, max(14, s.width()*3/10))
	a := paint.AxisOf(rows, s.timeline.Elapsed(), max(8, s.width()-names-states-4))
	indent := strings.Repeat(" ", names+2)
	labels, rule := a.Draw(s.Theme)
	s.line(indent + s.Faint(labels))
	s.line(indent + s.Faint(rule))
	for i, r := range rows {
		if i > 0 && paint.IsNamespace(rows[i-1].Addr) != paint.IsNamespace(r.Addr) {
			s.line("")
		}
		name := paint.Pad(s.CutLeft(paint.NameOf(r.Addr), names), names)
		s.line(name + "  " + a.Bar(s.Theme, r.Progress, s.timeline.Elapsed()) + "  " + s.State(r.State, paint.PadLeft(s.outcome(r), states)))
	}
	if left != "" {
		s.line(s.Faint(left))
	}
	s.line("")
	s.legend(a.Total < s.timeline.Elapsed())
}

// outcome is the last column: when the goal was reached, or how it stands.
func (s *sheet) outcome(r journal.Row) string {
	if r.State == phase.Done && r.End != phase.NotYet {
		return paint.Clock(r.End)
	}
	return paint.StateWord(r)
}

// chosen are the rows to draw: those with anything to do, and of a large fleet
// those that are stuck and then the slowest. The rest is summed up in words.
func (s *sheet) chosen() (rows []journal.Row, left string) {
	for _, r := range s.rows {
		if r.Verb != "none" {
			rows = append(rows, r)
		}
	}
	limit := s.Options.rows()
	if len(rows) <= limit {
		return rows, ""
	}
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return urgency(rows[a]).compare(urgency(rows[b])) })
	keep := slices.Clone(order[:limit])
	slices.Sort(keep)
	var shown []journal.Row
	for _, i := range keep {
		shown = append(shown, rows[i])
	}
	var ends []time.Duration
	for _, i := range order[limit:] {
		if rows[i].End != phase.NotYet {
			ends = append(ends, rows[i].End)
		}
	}
	left = fmt.Sprintf("%s %s more", s.More, paint.Count(len(order)-limit))
	if len(ends) > 0 {
		slices.Sort(ends)
		left += fmt.Sprintf(", %s of them done between %s and %s", paint.Count(len(ends)), paint.Clock(ends[0]), paint.Clock(ends[len(ends)-1]))
	}
	return shown, left
}

// legend explains the letters and signs that bars are made of; beyond adds the
// one of bars that run out of the axis.
func (s *sheet) legend(beyond bool) {
	var items []string
	for _, id := range phase.All {
		sign := s.Bold(paint.Hue(id), paint.Letter(id)) + s.Paint(paint.Hue(id), strings.Repeat(s.Fill[id], 2))
		items = append(items, sign+" "+paint.Brief(id))
	}
	if beyond {
		items = append(items, s.State(phase.Blocked, s.Beyond)+" went on to "+paint.Clock(s.timeline.Elapsed()))
	}
	for _, state := range []phase.State{phase.Done, phase.Blocked, phase.Failed} {
		word := map[phase.State]string{phase.Done: "reached", phase.Blocked: "blocked", phase.Failed: "failed"}[state]
		items = append(items, s.State(state, s.Glyph(state, false))+" "+word)
	}
	s.flow(items, "  ")
	s.line("")
}

// flow writes items behind each other, on as many lines as they need.
func (s *sheet) flow(items []string, between string) {
	text := ""
	for _, item := range items {
		switch {
		case text == "":
			text = item
		case ansi.StringWidth(text)+ansi.StringWidth(between)+ansi.StringWidth(item) > s.edge():
			s.line(text)
			text = item
		default:
			text += between + item
		}
	}
	s.line(text)
}

func (s *sheet) totals() {
	n := s.timeline.Totals()
	word, state := "reached", phase.Done
	if n.Available < n.Clusters || n.Running < n.Namespaces {
		word, state = "not reached", phase.Blocked
	}
	switch b, e := s.timeline.Begin(), s.timeline.End(); {
	case b != nil && b.Proposed:
		word = "waits for approval"
	case b != nil && b.Watched:
		word = "as it was last seen"
	case e == nil && s.Left:
		word = "so far"
	case e == nil || e.Outcome == journal.Interrupted:
		word = "interrupted"
	}
	var items []string
	if n.Clusters > 0 {
		items = append(items, fmt.Sprintf("%s/%s clusters %s", paint.Count(n.Available), paint.Count(n.Clusters), s.clusterWord()))
	}
	if n.Namespaces > 0 {
		items = append(items, fmt.Sprintf("%s/%s vSphere Namespaces RUNNING", paint.Count(n.Running), paint.Count(n.Namespaces)))
	}
	items = append(items, signed(n.Objects, "object"), signed(n.VMs, "VM"), s.timeWord()+" "+paint.Clock(s.timeline.Elapsed()))
	s.flow(append([]string{s.State(state, s.Glyph(state, false)+" "+word)}, items...), s.Dot)
}

// clusterWord is what the clusters are when all is reached: Available, gone, or
// as wanted where it is some of both.
func (s *sheet) clusterWord() string {
	words := map[string]bool{}
	last := "Available"
	for _, r := range s.rows {
		if paint.IsNamespace(r.Addr) {
			continue
		}
		if last = paint.GoalWord(r.Goal); r.Verb == "none" {
			last = "Available" // and was before
		}
		words[last] = true
	}
	if len(words) > 1 {
		return "as wanted"
	}
	return last
}

// signed counts what a run made, or removed.
func signed(n int, what string) string {
	if n < 0 {
		return paint.Plural(-n, what) + " removed"
	}
	return paint.Plural(n, what)
}
