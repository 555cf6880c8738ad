package reconcile

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/vsphere"
)

// A reading is what vCenter said of its vSphere Namespaces.
type reading struct {
	list []resource.Object
	// denied are those that may not be read, with the reason.
	denied map[string]string
	err    error
}

func (w *watch) read(ctx context.Context) (r reading) {
	r.list, r.denied, r.err = w.engine.vcenter.ReadableNamespaces(ctx)
	return r
}

// poll reads the vSphere Namespaces again and again, since vCenter has no watch
// for them. The channel is closed after ctx has ended. It is called without the lock.
func (w *watch) poll(ctx context.Context) <-chan reading {
	out := make(chan reading)
	go func() {
		defer close(out)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(w.Poll):
			}
			select {
			case <-ctx.Done():
				return
			case out <- w.read(ctx):
			}
		}
	}()
	return out
}

// seeNamespaces has the goals of vSphere Namespaces follow what was read. What was
// not read is as it was.
func (w *watch) seeNamespaces(r reading) {
	if r.err != nil {
		if vsphere.KindOf(r.err) != vsphere.Transient { // its Link tells of the others
			w.note(everyNamespace, r.err.Error())
		}
		return
	}
	gone := maps.Clone(w.namespaces)
	for _, o := range r.list {
		delete(gone, o.GetName())
		_, hidden := w.noted[o.GetName()]
		if _, known := w.namespaces[o.GetName()]; known {
			w.seeNamespace(o)
		} else {
			w.meetNamespace(o, hidden || !w.everRead)
		}
		delete(w.noted, o.GetName())
	}
	w.everRead = true
	delete(w.noted, everyNamespace)
	for _, name := range slices.Sorted(maps.Keys(r.denied)) {
		delete(gone, name)
		w.note(name, r.denied[name])
	}
	for _, name := range slices.Sorted(maps.Keys(gone)) {
		delete(w.namespaces, name)
		delete(w.noted, name)
		old := gone[name]
		w.leave(w.goals[old.Addr()])
		w.Journal.Record(w.now(), namespaceEvent(&old, nil))
	}
}

// meetNamespace begins to follow a vSphere Namespace, which is new or was there
// before and could not be read.
func (w *watch) meetNamespace(o resource.Object, before bool) {
	w.namespaces[o.GetName()] = o
	is := w.inheritedNamespace(o)
	if !before && is.goal.Verb != verbDelete {
		is.goal.Verb = verbCreate
	}
	if reached, _ := phase.Reached(o); reached {
		is.reached = w.now()
	}
	is.goal.Addr = o.Addr()
	if p := w.goals[o.Addr()]; p != nil {
		*p = *is
	} else {
		w.track(o.Addr(), is)
	}
	w.aim(w.goals[o.Addr()], is.goal)
	e := namespaceEvent(nil, &o)
	if before {
		e = present(e)
	}
	w.Journal.Record(w.now(), e)
	w.claim(place{o.GetName(), ""})
}

func (w *watch) seeNamespace(o resource.Object) {
	old := w.namespaces[o.GetName()]
	if reflect.DeepEqual(old.Object, o.Object) {
		return
	}
	w.namespaces[o.GetName()] = o
	p := w.goals[o.Addr()]
	g := journal.Goal{Addr: o.Addr(), Verb: p.goal.Verb}
	reached, _ := phase.Reached(o)
	switch {
	case removing(o):
		g.Verb = verbDelete
	case !reached && (g.Verb == verbNone || !p.reached.IsZero()):
		g.Verb = verbUpdate
	}
	p.moved, p.stalled = w.now(), false
	again := g == p.goal && g.Verb == verbUpdate && !reached && !p.reached.IsZero()
	switch {
	case !reached:
		p.reached = time.Time{}
	case p.reached.IsZero():
		p.reached = w.now()
	}
	if g != p.goal || again {
		w.aim(p, g)
	}
	w.Journal.Record(w.now(), namespaceEvent(&old, &o))
}

// inheritedNamespace is the goal of a vSphere Namespace that was there before.
func (w *watch) inheritedNamespace(o resource.Object) *pursuit {
	p := &pursuit{moved: w.now()}
	_, visible := w.engine.cache.Get(resource.Addr{Kind: "Namespace", Name: o.GetName()})
	reached, _ := phase.Reached(o)
	switch {
	case removing(o):
		p.goal.Verb = verbDelete
	case reached:
		p.goal.Verb = verbNone
	case visible:
		p.goal.Verb = verbUpdate
	default:
		p.goal.Verb = verbCreate
	}
	return p
}

// everyNamespace stands for all vSphere Namespaces in a note.
const everyNamespace = "*"

// note says, once, why a vSphere Namespace cannot be read.
func (w *watch) note(name, why string) {
	if w.noted[name] == why {
		return
	}
	w.noted[name] = why
	w.Journal.Record(w.now(), journal.Event{Warning: &journal.Warning{
		Kind: resource.KindVSphereNamespace, Name: name, Reason: "Unreadable", Message: resource.Redact(why), PhaseID: phase.Prerequisites,
	}})
}

// present is the event of something as of what was there before.
func present(e journal.Event) journal.Event {
	e.Object.Verb, e.Object.Present = resource.Updated, true
	return e
}

// namespaceEvent tells of a vSphere Namespace what a watch would tell if there were
// one. Without before it is new, without after it is gone.
func namespaceEvent(before, after *resource.Object) journal.Event {
	o := after
	if o == nil {
		o = before
	}
	c := resource.Change{Verb: resource.Updated, APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Name: o.GetName()}
	switch {
	case after == nil:
		c.Verb = resource.Deleted
	case before == nil:
		c.Verb, c.Labels = resource.Created, o.GetLabels()
	}
	if after != nil {
		c.Phase, c.Deleting = resource.Text(o.Object, "status", "configStatus"), removing(*o)
	}
	return journal.Event{Object: &journal.Object{Change: c, PhaseID: phase.Prerequisites}}
}
