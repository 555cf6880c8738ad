package tui

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// plain adds a line for each change of a phase, each action and each goal that
// is blocked, and never takes one back. Its lines have no control codes and
// depend on nothing but the journal. Columns: time, goal, phase, what.
type plain struct {
	out      *bufio.Writer
	options  Options
	theme    paint.Theme
	timeline *journal.Timeline
	goals    map[place]*goal
	names    int   // width of the column of goals
	err      error // the first error of writing
}

// place finds the goal that an event is about.
type place struct{ namespace, name string }

// goal is what was last printed of one.
type goal struct {
	addr   resource.Addr
	row    phase.State
	states [7]phase.State
}

func newPlain(out io.Writer, o Options) *plain {
	o.Color = false
	return &plain{out: bufio.NewWriter(out), options: o, theme: o.theme(), timeline: journal.NewTimeline(), goals: map[place]*goal{}}
}

// Event applies an event and prints what changed by it.
func (p *plain) Event(e journal.Event) {
	p.timeline.Apply(e)
	at := e.At()
	switch {
	case e.Begin != nil:
		p.begin(at, e.Begin)
	case e.Object != nil:
		p.changed(at, place{e.Object.Namespace, e.Object.Cluster})
		if p.goals[place{"", e.Object.Namespace}] != nil || e.Object.PhaseID == phase.Prerequisites {
			p.changed(at, place{"", namespaceOf(e.Object)})
		}
	case e.VM != nil:
		p.changed(at, place{e.VM.Namespace, e.VM.Cluster})
	case e.Warning != nil:
		p.changed(at, place{e.Warning.Namespace, e.Warning.Cluster})
	case e.Action != nil:
		p.action(at, e.Action)
		p.changed(at, placeOf(e.Action.Addr))
	case e.Blocked != nil:
		p.changed(at, placeOf(e.Blocked.Addr))
		p.line(at, paint.NameOf(e.Blocked.Addr), string(e.Blocked.Phase), "blocked: "+e.Blocked.Cause)
	case e.End != nil:
		for _, g := range p.timeline.Begin().Goals {
			p.changed(at, placeOf(g.Addr))
		}
		p.line(at, "end", "", fmt.Sprintf("%s, %d of %d goals", e.End.Outcome, e.End.Reached, e.End.Goals))
	}
}

// namespaceOf is the vSphere Namespace that a shared object says something of.
func namespaceOf(o *journal.Object) string {
	if o.Kind == "Namespace" || o.Kind == resource.KindVSphereNamespace {
		return o.Name
	}
	return o.Namespace
}

func placeOf(a resource.Addr) place { return place{a.Namespace, a.Name} }

func (p *plain) begin(at time.Duration, b *journal.Begin) {
	p.names = len("end")
	clusters := 0
	for _, g := range b.Goals {
		p.goals[placeOf(g.Addr)] = &goal{addr: g.Addr, row: phase.Pending}
		p.names = max(p.names, len(paint.NameOf(g.Addr)))
		if !paint.IsNamespace(g.Addr) {
			clusters++
		}
	}
	p.names = min(p.names, 40)
	what := paint.Plural(clusters, "cluster") + ", " + paint.Plural(len(b.Goals)-clusters, "vSphere Namespace")
	if b.Simulated {
		what = fmt.Sprintf("SIMULATED, seed %d: %s", b.Seed, what)
	}
	if b.Revision != "" {
		what += ", revision " + paint.Short(b.Revision)
	}
	p.line(at, "begin", "", what)
}

func (p *plain) action(at time.Duration, a *journal.Action) {
	what := fmt.Sprintf("action %s %s", a.Verb, a.State)
	if p.goals[placeOf(a.Addr)] == nil {
		what = fmt.Sprintf("action %s %s %s", a.Verb, a.Addr.Kind, a.State)
	}
	if a.Message != "" || a.Reason != "" {
		what += ": " + join(a.Reason, a.Message)
	}
	p.line(at, paint.NameOf(a.Addr), string(a.Phase), what)
}

func join(reason, message string) string {
	if reason == "" || message == "" {
		return reason + message
	}
	return reason + ", " + message
}

// changed prints the phases of a goal whose state is not what was printed last.
func (p *plain) changed(at time.Duration, where place) {
	g := p.goals[where]
	if g == nil {
		return
	}
	states := p.timeline.States(g.addr)
	row, _ := p.timeline.Standing(g.addr)
	if states == g.states && row == g.row {
		return
	}
	r, _ := p.timeline.Row(g.addr)
	for i, step := range r.Steps {
		if states[i] == g.states[i] || states[i] == phase.Pending {
			continue
		}
		if step.State == phase.Done && step.Start == phase.NotYet {
			continue // it had nothing to do
		}
		p.line(at, paint.NameOf(g.addr), string(step.ID), p.progress(step, states[i]))
	}
	if row != g.row && (row == phase.Done || row == phase.Failed) {
		p.line(at, paint.NameOf(g.addr), "", p.conclusion(r))
	}
	g.states, g.row = states, row
}

func (p *plain) progress(s phase.Step, state phase.State) string {
	what := string(state)
	if s.Wanted > 0 {
		what += fmt.Sprintf(" %d/%d", s.Done, s.Wanted)
	}
	if state == phase.Done {
		what += " after " + seconds(s.End-s.Start)
	}
	return what
}

func (p *plain) conclusion(r journal.Row) string {
	if r.State == phase.Done {
		return fmt.Sprintf("%s after %s", paint.GoalWord(r.Goal), seconds(r.End-max(r.Start, 0)))
	}
	what := "failed"
	if cause := phase.Cause(p.timeline.Why(r.Addr)); cause != "" && r.Refused == nil {
		what += ": " + cause
	}
	return what
}

// seconds is a duration with one decimal: 3.2s, 1m04.0s.
func seconds(d time.Duration) string {
	tenths := d.Round(100*time.Millisecond) / (100 * time.Millisecond)
	if tenths >= 600 {
		return fmt.Sprintf("%dm%02d.%ds", tenths/600, tenths/10%60, tenths%10)
	}
	return fmt.Sprintf("%d.%ds", tenths/10, tenths%10)
}

func (p *plain) line(at time.Duration, name, id, what string) {
	text := fmt.Sprintf("%-11s %s %-2s  %s", paint.Stamp(at), paint.Pad(p.theme.CutLeft(name, p.names), p.names), id, paint.Clean(what))
	if p.options.Name != "" {
		text = paint.Clean(p.options.Name) + "  " + text
	}
	if _, err := fmt.Fprintln(p.out, text); err != nil && p.err == nil {
		p.err = err
	}
	// A line is worth nothing to the one who waits for it while it is buffered.
	if err := p.out.Flush(); err != nil && p.err == nil {
		p.err = err
	}
}

// Close prints the summary.
func (p *plain) Close() error {
	if p.timeline.Begin() == nil || p.err != nil {
		return p.err
	}
	fmt.Fprintln(p.out)
	if err := Summary(p.out, p.timeline, p.options); err != nil {
		return err
	}
	return p.out.Flush()
}

// quiet prints only the summary.
type quiet struct {
	out      io.Writer
	options  Options
	timeline *journal.Timeline
}

func newQuiet(out io.Writer, o Options) *quiet {
	return &quiet{out: out, options: o, timeline: journal.NewTimeline()}
}

// Event applies an event.
func (q *quiet) Event(e journal.Event) { q.timeline.Apply(e) }

// Close prints the summary.
func (q *quiet) Close() error {
	if q.timeline.Begin() == nil {
		return nil
	}
	return Summary(q.out, q.timeline, q.options)
}
