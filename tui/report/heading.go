package report

import (
	"cmp"
	"fmt"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

func titleOf(b *journal.Begin) string {
	what := "Run"
	switch {
	case b.Watched:
		what = "World"
	case b.Proposed:
		what = "Plan"
	}
	if b.World != "" {
		what += " on " + b.World
	}
	return what
}

func worldWord(b *journal.Begin) string {
	if b.Simulated {
		return "SIMULATED"
	}
	return "LIVE"
}

// outcome is how the run ended.
func outcome(r *Run) mark {
	t, n := r.timeline, r.timeline.Totals()
	switch e := t.End(); {
	case t.Begin() != nil && t.Begin().Proposed:
		return mark{glyphs.Pending, "waits for approval", string(phase.Pending)}
	case e == nil && r.until > 0:
		return mark{glyphs.Running, "as it stood at " + paint.Clock(r.until), string(phase.Running)}
	case e == nil && t.Begin() != nil && t.Begin().Watched:
		return mark{glyphs.Running, "watched until " + paint.Clock(t.Elapsed()), string(phase.Running)}
	case e == nil:
		return mark{glyphs.Running, "no end in the journal", string(phase.Running)}
	case e.Outcome == journal.Reached:
		return mark{glyphs.Done, "reached", string(phase.Done)}
	case e.Outcome == journal.Interrupted:
		return mark{glyphs.Blocked, "interrupted", string(phase.Blocked)}
	default:
		return mark{glyphs.Failed, fmt.Sprintf("not reached: %s of %s goals were", paint.Count(e.Reached), paint.Count(max(e.Goals, n.Clusters+n.Namespaces))), string(phase.Failed)}
	}
}

func facts(b *journal.Begin, t *journal.Timeline) []fact {
	n := t.Totals()
	var out []fact
	add := func(name, value string) {
		if value != "" {
			out = append(out, fact{name, value})
		}
	}
	add("World", say(b.World))
	add("Revision", say(b.Revision))
	if !b.Start.IsZero() {
		add("Start", b.Start.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	if b.Simulated {
		add("Model time", paint.Clock(t.Elapsed()))
		add("Seed", fmt.Sprint(b.Seed))
	} else {
		add("Took", paint.Clock(t.Elapsed()))
	}
	if n.Clusters > 0 {
		add("Clusters", fmt.Sprintf("%s of %s as wanted", paint.Count(n.Available), paint.Count(n.Clusters)))
	}
	if n.Namespaces > 0 {
		add("vSphere Namespaces", fmt.Sprintf("%s of %s as wanted", paint.Count(n.Running), paint.Count(n.Namespaces)))
	}
	if n.Stuck > 0 {
		add("Blocked or failed", paint.Count(n.Stuck))
	}
	if f := b.Forecast; f != nil {
		add("Forecast", say(cmp.Or(f.Basis, "the plan, played on a simulated copy of the world")))
	}
	return out
}

func totals(t *journal.Timeline) []fact {
	n := t.Totals()
	return []fact{
		{"Clusters", fmt.Sprintf("%s, %s as wanted", paint.Count(n.Clusters), paint.Count(n.Available))},
		{"vSphere Namespaces", fmt.Sprintf("%s, %s as wanted", paint.Count(n.Namespaces), paint.Count(n.Running))},
		{"Blocked or failed", paint.Count(n.Stuck)},
		{"Objects made, less those removed", paint.Count(n.Objects)},
		{"VMs made, less those removed", paint.Count(n.VMs)},
		{"Events in the journal", paint.Count(n.Events)},
		{"Time of the last event", paint.Clock(t.Elapsed())},
	}
}

// notes are what a reader must know before any number.
func (p *page) notes(r *Run, b *journal.Begin) []string {
	var out []string
	switch {
	case r.until > 0:
		out = append(out, fmt.Sprintf("This is the state at %s, as was asked for. The journal goes on.", paint.Clock(r.until)))
	case r.cut:
		out = append(out, fmt.Sprintf("The journal ends in the middle of a line. This is the state after its last whole event, at %s; what came then is not known.", paint.Clock(r.timeline.Elapsed())))
	case r.timeline.End() == nil && !b.Proposed && !b.Watched:
		out = append(out, fmt.Sprintf("The journal has no end: the run went on, or was killed. This is the state at %s.", paint.Clock(r.timeline.Elapsed())))
	}
	if b.Proposed {
		out = append(out, "The plan waits for approval. Nothing of it has run.")
	}
	if b.Watched {
		out = append(out, "This world was only looked at: there was no plan, and vksync changed nothing.")
	}
	if r.unkept > 0 {
		out = append(out, fmt.Sprintf("There were more than %s different warnings. %s that came later are not shown.", paint.Count(warningCap), paint.Count(r.unkept)))
	}
	return out
}
