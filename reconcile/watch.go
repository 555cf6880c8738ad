package reconcile

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// WatchOptions say how a world is watched.
type WatchOptions struct {
	// Journal gets the events: a Begin that is Watched, all that exists, and then
	// whatever happens. It must be new.
	Journal *journal.Recorder
	// Begin is the template of the first event: World and Site. Watch fills in the rest.
	Begin journal.Begin
	// StallAfter is how long a goal may stand still before it is called blocked, and
	// Deadlines are how long a phase may take; as in apply.Options.
	StallAfter time.Duration
	Deadlines  map[phase.ID]time.Duration
	// Poll is how often vCenter is asked, which has no watches. Default 10 s.
	Poll time.Duration
	// Linger is how long it is to be seen that a goal was reached, or is gone.
	// Default an hour.
	Linger time.Duration
}

func (o *WatchOptions) setDefaults() {
	o.StallAfter = cmp.Or(o.StallAfter, apply.DefaultStallAfter)
	o.Poll = cmp.Or(o.Poll, pollVCenter)
	o.Linger = cmp.Or(o.Linger, time.Hour)
	if o.Deadlines == nil {
		o.Deadlines = apply.DefaultDeadlines()
	}
}

// A watch tells of a world in which others act. Goals are what it sees them want.
// Its fields are guarded by history.mu, which is held when its methods are called
// unless they say otherwise.
type watch struct {
	WatchOptions
	engine  *Engine
	history *history

	goals map[resource.Addr]*pursuit
	// homes counts the goals by the namespace in which they are, or which they are.
	homes map[string]int
	// namespaces are the vSphere Namespaces as last read, if they ever were, noted
	// what was said of those that cannot be.
	namespaces map[string]resource.Object
	noted      map[string]string
	everRead   bool
	// unclaimed are objects of clusters that have no goal: a Cluster may be heard of
	// after what it owns.
	unclaimed map[place]map[resource.Addr]bool
	// gone are the goals that are not there any more, the first to go first.
	gone []resource.Addr
}

var _ listener = (*watch)(nil)

// firstReading is how long the vSphere Namespaces are waited for before all else is
// told without them.
const firstReading = 10 * time.Second

// goneMost is how many goals that are gone are shown at most.
const goneMost = 100

// Watch records what there is in a live world, and then what happens there, until
// ctx ends, which is no error. Connections that are lost are made again; what
// happened meanwhile is told then.
//
// Every Cluster and every vSphere Namespace has a goal, by what is observed of it:
// none while it is as its spec says, create while it comes to be, update when it
// changes or is not well, and delete. What goes stays on the list for a while.
func (e *Engine) Watch(ctx context.Context, o WatchOptions) error {
	if e.history == nil {
		return errors.New("watching a simulated world: it tells what happens by itself")
	}
	o.setDefaults()
	if err := e.history.follow(ctx); err != nil {
		return err
	}
	clusters := e.cache.Subscribe()
	defer clusters.Close()
	w := &watch{
		WatchOptions: o, engine: e, history: e.history,
		goals: map[resource.Addr]*pursuit{}, homes: map[string]int{},
		namespaces: map[string]resource.Object{}, noted: map[string]string{}, unclaimed: map[place]map[resource.Addr]bool{},
	}
	reading, enough := context.WithTimeout(ctx, firstReading)
	first := w.read(reading)
	enough()
	if ctx.Err() != nil {
		return nil
	}
	w.history.add(w, func() {
		w.begin(first)
		w.seeNamespaces(first) // which says what cannot be read
	})
	defer w.history.drop(w)
	defer e.report(ctx, o.Journal, reportEvery*o.Poll, o.Begin.Site).end()
	var polling sync.WaitGroup // a vCenter that does not answer holds up nothing else
	polling.Go(func() { w.history.vcenter.begin(ctx, w.history, o.Poll) })
	defer func() {
		polling.Wait()
		w.history.vcenter.release()
	}()

	readings := w.poll(ctx)
	look := time.NewTicker(o.Poll)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			for range readings { // until it has ended
			}
			w.locked(w.end)
			return nil
		case <-clusters.Changed():
			changed := clusters.TakeChanged()
			w.locked(func() { w.seeClusters(changed) })
		case r, more := <-readings:
			if more {
				w.locked(func() { w.seeNamespaces(r) })
			}
		case <-look.C:
			w.locked(w.lookAtAll)
		}
	}
}

// locked calls f with the lock held. It is called without.
func (w *watch) locked(f func()) {
	w.history.mu.Lock()
	defer w.history.mu.Unlock()
	f()
}

// begin records the first event and all that exists.
func (w *watch) begin(first reading) {
	now := w.now()
	w.everRead = first.err == nil
	for _, o := range first.list {
		w.namespaces[o.GetName()] = o
		w.track(o.Addr(), w.inheritedNamespace(o))
	}
	for _, o := range w.engine.cache.Objects() {
		if o.GetKind() == resource.KindCluster {
			w.track(o.Addr(), w.inherited(o))
		}
	}
	b := w.Begin
	b.Version, b.Start, b.Watched = journal.Version, now, true
	b.Goals = make([]journal.Goal, 0, len(w.goals))
	for _, p := range w.goals {
		b.Goals = append(b.Goals, p.goal)
	}
	slices.SortFunc(b.Goals, func(a, b journal.Goal) int { return a.Addr.Compare(b.Addr) })
	w.Journal.Record(now, journal.Event{Begin: &b})
	for _, o := range first.list {
		w.Journal.Record(now, present(namespaceEvent(nil, &o)))
	}
	for _, o := range w.history.present(func(_, _ string) bool { return true }) {
		w.tell(now, place{journal.HomeOf(o.Kind, o.Namespace, o.Name), o.Cluster}, journal.Event{Object: o})
	}
}

// end records the last event.
func (w *watch) end() {
	end := journal.End{Outcome: journal.Interrupted}
	w.Journal.Read(func(t *journal.Timeline) {
		n := t.Totals()
		end.Reached, end.Goals = n.Available+n.Running, n.Clusters+n.Namespaces
	})
	w.Journal.Record(w.now(), journal.Event{End: &end})
}

// tell records what concerns a goal. An object without one is told of when its
// goal comes.
func (w *watch) tell(now time.Time, at place, e journal.Event) {
	if w.claims(at) {
		w.Journal.Record(now, e)
		return
	}
	if e.Object == nil {
		return
	}
	addr := addrOf(e.Object)
	switch {
	case e.Object.Verb == resource.Deleted:
		if delete(w.unclaimed[at], addr); len(w.unclaimed[at]) == 0 {
			delete(w.unclaimed, at)
		}
	case w.unclaimed[at] == nil:
		w.unclaimed[at] = map[resource.Addr]bool{addr: true}
	default:
		w.unclaimed[at][addr] = true
	}
}

// claims says whether there is a goal that what happens at a place concerns.
func (w *watch) claims(at place) bool {
	if at.cluster == "" {
		return w.homes[at.namespace] > 0
	}
	return w.goals[clusterAt(at)] != nil
}

// claim tells of the objects at a place that had no goal before.
func (w *watch) claim(at place) {
	unclaimed := w.unclaimed[at]
	if unclaimed == nil || !w.claims(at) {
		return
	}
	delete(w.unclaimed, at)
	now := w.now()
	for _, o := range w.history.presentAmong(unclaimed) {
		w.Journal.Record(now, journal.Event{Object: o})
	}
}

// meet sees to it that a Cluster has its goal before anything is told of it.
func (w *watch) meet(before, after *unstructured.Unstructured) {
	if after != nil {
		if addr := resource.AddrOf(after, ""); w.goals[addr] == nil || !w.goals[addr].gone.IsZero() {
			w.seeCluster(addr, resource.Object{Unstructured: after})
		}
		return
	}
	if p := w.goals[resource.AddrOf(before, "")]; p != nil && string(before.GetUID()) == p.uid {
		w.leave(p)
	}
}

// addrOf is the name of the object that an event is about.
func addrOf(o *journal.Object) resource.Addr {
	group, _, found := strings.Cut(o.APIVersion, "/")
	if !found {
		group = ""
	}
	return resource.Addr{Group: group, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
}

func (w *watch) now() time.Time { return w.engine.world.Now() }

func clusterAt(at place) resource.Addr {
	return resource.Addr{Group: kindCluster.Group, Kind: kindCluster.Kind, Namespace: at.namespace, Name: at.cluster}
}
