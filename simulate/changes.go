package simulate

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// A changeLog turns what happened in the world into journal events, in the order
// in which it happened. Changes are noted while the store is locked, and told
// when the run waits.
type changeLog struct {
	now   func() time.Time
	store *kubeapi.Store
	// later takes what is told; nil when nobody wants to know.
	later func(journal.Telling)

	attribution *phase.Attribution
	// stirred says that something happened since it was last set to false. It is of
	// the goroutine that drains.
	stirred bool

	mu      sync.Mutex
	pending []happening
}

// A happening is a change of an object or of a virtual machine.
type happening struct {
	at     time.Time
	change kubeapi.Change
	vm     *journal.VM
}

// telling is who takes what a world tells; nil when nobody does.
func (c *Config) telling() func(journal.Telling) {
	if c.Defer == nil && c.Record != nil {
		return func(tell journal.Telling) { tell(c.Record) }
	}
	return c.Defer
}

func (l *changeLog) add(c kubeapi.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, happening{at: l.now(), change: c})
}

func (l *changeLog) addVM(e controllers.VMEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, happening{at: l.now(), vm: vmEvent(e)})
}

// drain tells what is pending.
func (l *changeLog) drain() {
	pending, _ := l.take()
	l.tell(pending)
}

// take returns what is pending, and whether any of it concerns a kind that some
// client watches.
func (l *changeLog) take() (pending []happening, watched bool) {
	l.mu.Lock()
	pending = l.pending
	l.pending = nil
	l.mu.Unlock()
	for _, h := range pending {
		watched = watched || h.vm == nil && l.store.Watched(h.change.Key.GK())
	}
	return pending, watched
}

// tell has events made of what happened, later and elsewhere. Where an object belongs
// by its owners is found out now.
func (l *changeLog) tell(pending []happening) {
	l.stirred = l.stirred || len(pending) > 0
	if l.later == nil || len(pending) == 0 {
		return
	}
	told := make([]told, len(pending))
	for i, h := range pending {
		told[i].happening = h
		if h.vm == nil && phase.Inherits(subject(h.change)) {
			told[i].inherited = true
			told[i].cluster, told[i].phase = l.attribution.Of(subject(h.change))
		}
	}
	l.later(func(record func(time.Time, journal.Event)) {
		for _, t := range told {
			if event, any := t.event(); any {
				record(t.at, event)
			}
		}
	})
}

// told is a happening with the cluster and the phase that the object has inherited,
// if it has.
type told struct {
	happening
	inherited bool
	cluster   string
	phase     phase.ID
}

// event is what a journal has of a happening; false when that is nothing.
func (t told) event() (journal.Event, bool) {
	if t.vm != nil {
		return journal.Event{VM: t.vm}, true
	}
	change, differs := resource.Diff(t.change.Before, t.change.After)
	if !differs {
		return journal.Event{}, false
	}
	if !t.inherited {
		t.cluster, t.phase = phase.Itself(subject(t.change))
	}
	return journal.Event{Object: &journal.Object{Actor: t.change.Actor, Change: change, Cluster: t.cluster, PhaseID: t.phase}}, true
}

// Present tells of the objects that exist of chosen clusters, as of what was there
// before a run. It is for the goroutine that waits.
func (w *World) Present(chosen func(namespace, cluster string) bool) []*journal.Object {
	return journal.Present(slices.Values(w.store.Dump()), w.changes.attribution, chosen)
}

// subject is the object a change is about.
func subject(c kubeapi.Change) *unstructured.Unstructured {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

func vmEvent(e controllers.VMEvent) *journal.VM {
	labels := e.VM.GetLabels()
	return &journal.VM{
		Op: e.Op, Task: e.Task,
		Namespace: e.VM.GetNamespace(), Name: e.VM.GetName(),
		Cluster: phase.ClusterOf(e.VM.GetKind(), e.VM.GetName(), labels, nil),
		Zone:    e.Spot.Zone, Host: e.Spot.Host, Datastore: e.Spot.Datastore, IP: e.IP,
		PhaseID: phase.Of(e.VM.GetKind(), labels, resource.OwnersOf(e.VM.Object)),
	}
}
