package reconcile

import (
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// lookAtAll reports goals that do not get nearer, and lets those rest that were
// reached, or are gone, for long enough.
func (w *watch) lookAtAll() {
	now := w.now()
	for _, p := range w.onTheirWay() {
		switch {
		case !p.reached.IsZero():
			w.letRest(p, now)
		case !p.stalled && now.Sub(p.moved) >= w.StallAfter:
			p.stalled = true
			chain, id := w.chain(p)
			w.Journal.Record(now, apply.Stalled(p.goal.Addr, id, chain))
		default:
			w.reportOverdue(p, now)
		}
	}
	for len(w.gone) > 0 {
		if p := w.goals[w.gone[0]]; p != nil && !p.gone.IsZero() && now.Sub(p.gone) < w.Linger {
			break
		}
		w.forgetFirst()
	}
}

// onTheirWay are the goals of which something is wanted, in order.
func (w *watch) onTheirWay() []*pursuit {
	var out []*pursuit
	for _, p := range w.goals {
		if p.goal.Verb != verbNone && p.gone.IsZero() {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *pursuit) int { return a.goal.Addr.Compare(b.goal.Addr) })
	return out
}

// letRest takes back what was wanted of a goal that is as it should be: when that
// was to be seen for long enough, or soon when its objects do not show it, as those
// of a change without consequences.
func (w *watch) letRest(p *pursuit, now time.Time) {
	state := phase.Done
	w.Journal.Read(func(t *journal.Timeline) { state, _ = t.Standing(p.goal.Addr) })
	patience := w.Linger
	if state != phase.Done { // which journals are told a moment later
		patience = max(w.Linger/60, 5*orderWindow)
	}
	if now.Sub(p.reached) >= patience {
		g := p.goal
		g.Verb = verbNone
		w.aim(p, g)
	}
}

func (w *watch) reportOverdue(p *pursuit, now time.Time) {
	id, since := w.Journal.Standing(p.goal.Addr, now)
	limit, limited := apply.Allowed(w.Deadlines, p.goal.Workers, id)
	if limited && since >= limit && p.overdue != id {
		p.overdue = id
		chain, _ := w.chain(p)
		w.Journal.Record(now, apply.Late(p.goal.Addr, id, limit, chain))
	}
}

// chain is why a goal waits, and in which phase.
func (w *watch) chain(p *pursuit) ([]phase.Link, phase.ID) {
	a := p.goal.Addr
	o, exists := w.namespaces[a.Name]
	if a.Kind == resource.KindCluster {
		o, exists = w.engine.cache.Get(a)
	}
	told, id := w.Journal.Why(a)
	return apply.Chain(a, p.goal.Verb == verbDelete, told, o, exists), id
}
