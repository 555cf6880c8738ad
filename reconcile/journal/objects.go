package journal

import (
	"cmp"
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// Objects are what clusters consist of, reduced from the Object, VM and Warning
// events of a journal. Memory grows with what exists and not with what happens: an
// object that is gone leaves nothing but lines in a bounded History. It is not safe
// for concurrent use, but what its methods return never changes.
type Objects struct {
	words   words
	shelves map[shelf]*inventory
	bare    []shelf // those that once had nothing on them, the oldest first
	version uint64  // counts events
	count   int
}

// bareCap is of how many clusters without objects the History is kept.
const bareCap = 256

// A shelf is where the objects of a cluster are. The one without a cluster has what
// its namespace shares; what has no namespace is there by its own name.
type shelf struct{ namespace, cluster string }

// An inventory is what is on a shelf.
type inventory struct {
	items   []*Item // by name, then kind
	past    past
	version uint64 // Objects.version at the last change
	bare    bool   // in Objects.bare
}

// NewObjects is the state before the first event.
func NewObjects() *Objects {
	return &Objects{shelves: map[shelf]*inventory{}}
}

// Apply takes an event in. A Begin starts anew.
func (o *Objects) Apply(e Event) {
	o.version++
	switch at := e.At(); {
	case e.Object != nil:
		o.applyObject(at, e.Object)
	case e.VM != nil:
		o.applyVM(at, e.VM)
	case e.Warning != nil:
		o.applyWarning(at, e.Warning)
	case e.Action != nil:
		o.applyAction(at, e.Action)
	case e.Blocked != nil:
		o.applyBlocked(at, e.Blocked)
	case e.Begin != nil:
		*o = Objects{shelves: map[shelf]*inventory{}, version: o.version}
	}
}

// Len counts the objects that exist, the virtual machines of vCenter among them.
func (o *Objects) Len() int { return o.count }

// Version tells whether Tree and History of a cluster or vSphere Namespace can have
// changed: they are what they were for as long as it is. It is 0 where nothing is known.
func (o *Objects) Version(a resource.Addr) uint64 {
	own, shared := o.around(a)
	return max(own.stamp(), shared.stamp())
}

func (in *inventory) stamp() uint64 {
	if in == nil {
		return 0
	}
	return in.version
}

// around are the inventory of a cluster and that of its namespace; for a vSphere
// Namespace, only the latter.
func (o *Objects) around(a resource.Addr) (own, shared *inventory) {
	if a.Kind == resource.KindVSphereNamespace || a.Kind == "Namespace" {
		return nil, o.shelves[shelf{namespace: a.Name}]
	}
	return o.shelves[shelf{a.Namespace, a.Name}], o.shelves[shelf{namespace: a.Namespace}]
}

// applyObject takes in a change of an object of the Supervisor.
func (o *Objects) applyObject(at time.Duration, e *Object) {
	in := o.at(e.Namespace, e.Name, e.Cluster)
	i, known := in.find(e.Kind, e.Name)
	var was *Item
	if known {
		was = in.items[i]
	}
	if e.Verb == resource.Deleted {
		if known {
			in.note(at, record{ident: was.Ident, what: noteGone})
			o.remove(in, i)
			if e.Kind == "VirtualMachine" || e.Kind == "VSphereVM" {
				o.removeNamed(in, KindVM, e.Name)
			}
		}
		o.settle(in, e.Namespace, e.Name, e.Cluster)
		return
	}
	now := o.next(in, was, at, e)
	in.noteChange(at, was, now, e)
	if known {
		in.items[i] = now
		return
	}
	o.insert(in, i, now)
}

func (o *Objects) insert(in *inventory, i int, it *Item) {
	in.items, in.bare = slices.Insert(in.items, i, it), false
	o.count++
}

// at is the inventory of an object's shelf, which it makes.
func (o *Objects) at(namespace, name, cluster string) *inventory {
	s := shelfOf(namespace, name, cluster)
	in := o.shelves[s]
	if in == nil {
		s.namespace = o.words.one(s.namespace)
		in = &inventory{}
		o.shelves[s] = in
	}
	in.version = o.version
	return in
}

func shelfOf(namespace, name, cluster string) shelf {
	if namespace == "" {
		return shelf{namespace: name}
	}
	return shelf{namespace, cluster}
}

// settle notes that a shelf may be bare, and forgets the one that has been so for
// longest when there are too many.
func (o *Objects) settle(in *inventory, namespace, name, cluster string) {
	if len(in.items) > 0 || in.bare {
		return
	}
	in.items, in.bare = nil, true
	o.bare = append(o.bare, shelfOf(namespace, name, cluster))
	if len(o.bare) <= bareCap {
		return
	}
	if oldest := o.shelves[o.bare[0]]; oldest != nil && oldest.bare {
		delete(o.shelves, o.bare[0])
	}
	o.bare = slices.Delete(o.bare, 0, 1)
}

func (o *Objects) remove(in *inventory, i int) {
	in.items = slices.Delete(in.items, i, i+1)
	o.count--
	if room := cap(in.items); room > 64 && room > 4*len(in.items) {
		in.items = slices.Clone(in.items)
	}
}

func (o *Objects) removeNamed(in *inventory, kind, name string) {
	if i, known := in.find(kind, name); known {
		o.remove(in, i)
	}
}

// find is where an object is, or would be.
func (in *inventory) find(kind, name string) (int, bool) {
	return slices.BinarySearchFunc(in.items, Ident{Kind: kind, Name: name}, func(it *Item, want Ident) int {
		return cmp.Or(cmp.Compare(it.Name, want.Name), cmp.Compare(it.Kind, want.Kind))
	})
}

// item is an object, nil when there is none.
func (in *inventory) item(kind, name string) *Item {
	if i, known := in.find(kind, name); known {
		return in.items[i]
	}
	return nil
}

// applyWarning takes in what was said of an object.
func (o *Objects) applyWarning(at time.Duration, w *Warning) {
	in := o.at(w.Namespace, w.Name, w.Cluster)
	ident := &Ident{Kind: o.words.one(w.Kind), Namespace: o.words.one(w.Namespace), Name: w.Name}
	said := &Said{At: at, Reason: o.words.one(w.Reason), Message: clip(w.Message, messageCap)}
	if i, known := in.find(w.Kind, w.Name); known {
		now := *in.items[i]
		now.Said, ident = said, now.Ident
		in.items[i] = &now
	}
	in.note(at, record{ident: ident, what: noteWarning, claim: o.words.plain(w.Reason), text: said.Message})
	o.settle(in, w.Namespace, w.Name, w.Cluster)
}

// applyAction notes what vksync itself did about a cluster.
func (o *Objects) applyAction(at time.Duration, a *Action) {
	what := noteDone
	switch a.State {
	case ActionStarted, ActionSkipped:
		return
	case ActionFailed:
		what = noteRefused
	case ActionDelayed:
		what = noteDelayed
	}
	o.noteGoal(at, a.Addr, record{what: what, claim: o.words.plain(a.Verb), text: clip(a.Message, messageCap)})
}

// applyBlocked notes that a goal stopped getting nearer.
func (o *Objects) applyBlocked(at time.Duration, b *Blocked) {
	o.noteGoal(at, b.Addr, record{what: noteBlocked, claim: o.words.plain(string(b.Phase)), text: clip(b.Cause, messageCap)})
}

// noteGoal notes what is about a goal, which need not exist yet.
func (o *Objects) noteGoal(at time.Duration, a resource.Addr, r record) {
	cluster := ""
	if a.Kind == resource.KindCluster {
		cluster = a.Name
	}
	in := o.at(a.Namespace, a.Name, cluster)
	r.ident = &Ident{Kind: o.words.one(a.Kind), Namespace: o.words.one(a.Namespace), Name: a.Name}
	if it := in.item(a.Kind, a.Name); it != nil {
		r.ident = it.Ident
	}
	in.note(at, r)
	o.settle(in, a.Namespace, a.Name, cluster)
}

// before is the time of what was there before the journal began.
const before = phase.NotYet
