package reconcile

import (
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// A pursuit is a goal as others pursue it.
type pursuit struct {
	goal       journal.Goal
	uid        string
	generation int64
	// moved is when the resource last changed.
	moved time.Time
	// reached is since when it has been as its spec says; zero while it is not. Gone
	// is when it went.
	reached, gone time.Time
	// stalled says that it was called blocked and has not moved since, overdue which
	// phase was last reported to take too long.
	stalled bool
	overdue phase.ID
}

// The verbs of goals.
const (
	verbNone   = string(plan.None)
	verbCreate = string(plan.Create)
	verbUpdate = string(plan.Update)
	verbDelete = string(plan.Delete)
)

// track puts a goal on the list.
func (w *watch) track(a resource.Addr, p *pursuit) {
	p.goal.Addr = a
	w.goals[a] = p
	w.homes[homeOf(a)]++
}

// homeOf is the namespace in which a goal is, or which it is.
func homeOf(a resource.Addr) string {
	if a.Kind == resource.KindVSphereNamespace {
		return a.Name
	}
	return a.Namespace
}

// aim records what a goal is now. Told anew, the same goal begins a new way if the
// last one has come to its end.
func (w *watch) aim(p *pursuit, g journal.Goal) {
	p.goal, p.overdue, p.stalled = g, "", false
	w.Journal.Record(w.now(), journal.Event{Goal: &g})
}

// leave notes that what a goal is about is gone. It was deleted, whether or not
// that was seen.
func (w *watch) leave(p *pursuit) {
	if !p.gone.IsZero() {
		return
	}
	if p.goal.Verb != verbDelete {
		w.aim(p, journal.Goal{Addr: p.goal.Addr, Verb: verbDelete})
	}
	p.gone = w.now()
	w.gone = append(w.gone, p.goal.Addr)
	for len(w.gone) > goneMost {
		w.forgetFirst()
	}
}

// forgetFirst takes what went first off the list, unless it came back.
func (w *watch) forgetFirst() {
	a := w.gone[0]
	w.gone = w.gone[1:]
	p := w.goals[a]
	if p == nil || p.gone.IsZero() {
		return
	}
	delete(w.goals, a)
	if w.homes[homeOf(a)]--; w.homes[homeOf(a)] == 0 {
		delete(w.homes, homeOf(a))
	}
	w.Journal.Record(w.now(), journal.Event{Goal: &journal.Goal{Addr: a, Verb: journal.VerbForget}})
}

// seeClusters follows what has changed in the cache.
func (w *watch) seeClusters(changed []resource.Addr) {
	for _, a := range changed {
		if a.Kind != resource.KindCluster {
			continue
		}
		if o, exists := w.engine.cache.Get(a); exists {
			w.seeCluster(a, o)
		} else if p := w.goals[a]; p != nil {
			w.leave(p)
		}
	}
}

// seeCluster has the goal of a Cluster follow what is observed of it. What the
// cache knows is whole; o is what to do with until it knows anything.
func (w *watch) seeCluster(a resource.Addr, o resource.Object) {
	if known, exists := w.engine.cache.Get(a); exists {
		o = known
	}
	now := w.now()
	p := w.goals[a]
	switch {
	case p == nil:
		p = &pursuit{}
		w.track(a, p)
		w.start(p, o)
		w.claim(place{a.Namespace, a.Name})
		w.claim(place{a.Namespace, ""})
	case p.uid != string(o.GetUID()):
		w.start(p, o)
	}
	p.moved, p.stalled = now, false
	reached, _ := phase.Reached(o)
	g, begins := w.goalOf(p, o, reached)
	switch {
	case !reached:
		p.reached = time.Time{}
	case p.reached.IsZero() || begins:
		p.reached = now
	}
	p.generation = o.GetGeneration()
	if begins || g != p.goal {
		w.aim(p, g)
	}
}

// start is for a Cluster that was not there before.
func (w *watch) start(p *pursuit, o resource.Object) {
	*p = pursuit{goal: journal.Goal{Addr: p.goal.Addr, Verb: verbCreate}, uid: string(o.GetUID()), generation: o.GetGeneration()}
	p.goal.ControlPlane, p.goal.Workers = phase.Wanted(o)
	w.aim(p, p.goal)
}

// goalOf is what is wanted of a Cluster, and whether that is a way that begins. One
// that was begun keeps its verb until it has come to its end.
func (w *watch) goalOf(p *pursuit, o resource.Object, reached bool) (g journal.Goal, begins bool) {
	g = journal.Goal{Addr: p.goal.Addr, Verb: p.goal.Verb}
	if o.GetDeletionTimestamp() != nil {
		g.Verb = verbDelete
		return g, false
	}
	g.ControlPlane, g.Workers = phase.Wanted(o)
	atRest := g.Verb == verbNone || !p.reached.IsZero()
	if atRest && (!reached || o.GetGeneration() != p.generation) {
		g.Verb, begins = verbUpdate, true
	}
	return g, begins
}

// inherited is the goal of a Cluster that was there before.
func (w *watch) inherited(o resource.Object) *pursuit {
	p := &pursuit{uid: string(o.GetUID()), generation: o.GetGeneration(), moved: w.lastWrite(o)}
	p.goal.ControlPlane, p.goal.Workers = phase.Wanted(o)
	reached, _ := phase.Reached(o)
	switch {
	case o.GetDeletionTimestamp() != nil:
		p.goal = journal.Goal{Verb: verbDelete}
	case reached:
		p.goal.Verb = verbNone
	case phase.NeverWell(o):
		p.goal.Verb = verbCreate
	default:
		p.goal.Verb = verbUpdate
	}
	return p
}

// lastWrite is when a resource was last written to, as far as the server tells.
// Clocks differ, so it is not after now.
func (w *watch) lastWrite(o resource.Object) time.Time {
	now := w.now()
	last := time.Time{}
	if known := w.history.objects[o.Addr()]; known != nil {
		for _, f := range known.GetManagedFields() {
			if f.Time != nil && f.Time.After(last) {
				last = f.Time.Time
			}
		}
	}
	if last.IsZero() || last.After(now) {
		return now
	}
	return last
}
