package simulate

import (
	"slices"
	"sync"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
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
	wording wording

	mu      sync.Mutex // guards what is below
	pending []batch
	taken   []batch // what was pending before, whose room is pending's next
	spare   []batch // what was told, to be filled again
}

// A batch is what happened in one instant, or a part of that. All have the same room,
// so that any of them fits for whatever is next.
type batch []happening

const (
	batchRoom = 64
	// sparesKept are as many batches as wait to be worked off at most.
	sparesKept = 64
)

// A happening is a change of an object or of a virtual machine.
type happening struct {
	at     time.Time
	change kubeapi.Change
	vm     *journal.VM
	// cluster and phase are where an object belongs that inherits it, once that was
	// asked.
	cluster string
	phase   phase.ID
}

// telling is who takes what a world tells; nil when nobody does.
func (c *Config) telling() func(journal.Telling) {
	if c.Defer == nil && c.Record != nil {
		return func(tell journal.Telling) {
			tell(func(now time.Time, e journal.Event) { c.Record(now, e.Clone()) })
		}
	}
	return c.Defer
}

func (l *changeLog) add(c kubeapi.Change) { l.note(happening{at: l.now(), change: c}) }

func (l *changeLog) addVM(e controllers.VMEvent) { l.note(happening{at: l.now(), vm: vmEvent(e)}) }

func (l *changeLog) note(h happening) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := len(l.pending) - 1
	if last < 0 || len(l.pending[last]) == batchRoom {
		l.pending = append(l.pending, l.empty())
		last++
	}
	l.pending[last] = append(l.pending[last], h)
}

// empty is a batch to fill. It is called with mu held.
func (l *changeLog) empty() batch {
	n := len(l.spare)
	if n == 0 {
		return make(batch, 0, batchRoom)
	}
	b := l.spare[n-1]
	l.spare = l.spare[:n-1]
	return b
}

// drain tells what is pending.
func (l *changeLog) drain() {
	pending, _ := l.take()
	l.tell(pending)
}

// take returns what is pending, and whether any of it concerns a kind that some
// client watches. The list is good until it is called again.
func (l *changeLog) take() (pending []batch, watched bool) {
	l.mu.Lock()
	pending = l.pending
	l.pending, l.taken = l.taken[:0], pending
	l.mu.Unlock()
	for _, b := range pending {
		for i := range b {
			watched = watched || b[i].vm == nil && l.store.Watched(b[i].change.Key.GK())
		}
	}
	return pending, watched
}

// tell has events made of what happened, later and elsewhere. Where an object belongs
// by its owners is found out now.
func (l *changeLog) tell(pending []batch) {
	l.stirred = l.stirred || len(pending) > 0
	for _, b := range pending {
		if l.later == nil {
			l.release(b)
			continue
		}
		l.attribute(b)
		l.later(func(record func(time.Time, journal.Event)) {
			for i := range b {
				if event, any := l.wording.of(&b[i]); any {
					record(b[i].at, event)
				}
			}
			l.release(b)
		})
	}
}

// attribute finds out where objects belong by their owners.
func (l *changeLog) attribute(b batch) {
	for i := range b {
		h := &b[i]
		if h.vm != nil || !phase.Inherits(h.change.Key.Kind) {
			continue
		}
		u := subject(h.change)
		h.cluster, h.phase = l.attribution.Of(u)
		if h.change.After == nil {
			l.attribution.Forget(u)
		}
	}
}

// release lets go of what was told, and keeps the room that it took.
func (l *changeLog) release(b batch) {
	clear(b)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.spare) < sparesKept {
		l.spare = append(l.spare, b[:0])
	}
}

// Present tells of the objects that exist of chosen clusters, as of what was there
// before a run. It is for the goroutine that waits.
func (w *World) Present(chosen func(namespace, cluster string) bool) []*journal.Object {
	return journal.Present(slices.Values(w.store.All()), w.changes.attribution, chosen)
}
