package reconcile_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// A lookout watches a site.
type lookout struct {
	recorder *journal.Recorder
	more     chan struct{} // signalled after each event

	mu     sync.Mutex // guards events
	events []journal.Event
}

// watch watches a site that is taken for live until the test ends.
func (s *site) watch(t *testing.T, e *reconcile.Engine, o reconcile.WatchOptions) *lookout {
	t.Helper()
	l := &lookout{more: make(chan struct{}, 1)}
	l.recorder = journal.NewRecorder(time.Now(), func(ev journal.Event) {
		l.mu.Lock()
		l.events = append(l.events, ev)
		l.mu.Unlock()
		select {
		case l.more <- struct{}{}:
		default:
		}
	})
	o.Journal, o.Poll = l.recorder, 50*time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Watch(ctx, o) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the watch failed: %v", err)
		}
		l.isWhole(t)
	})
	return l
}

// isWhole wants what every reader relies on.
func (l *lookout) isWhole(t *testing.T) {
	t.Helper()
	if first := l.told()[0]; first.Begin == nil || !first.Begin.Watched {
		t.Errorf("the journal begins with %+v", first)
	}
	if last := l.told()[len(l.told())-1]; last.End == nil || last.End.Outcome != journal.Interrupted {
		t.Errorf("the journal ends with %+v", last)
	}
}

func (l *lookout) told() []journal.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events)
}

// await waits until what is told is as wanted.
func (l *lookout) await(t *testing.T, what string, holds func(*journal.Timeline) bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		met := false
		l.recorder.Read(func(timeline *journal.Timeline) { met = holds(timeline) })
		if met {
			return
		}
		select {
		case <-l.more:
		case <-deadline:
			t.Fatalf("waited a minute for %s; what was told:\n%s", what, l.story())
		}
	}
}

// story is what was told of goals and objects, a line each.
func (l *lookout) story() string {
	var b strings.Builder
	for _, e := range l.told() {
		switch {
		case e.Goal != nil:
			fmt.Fprintf(&b, "%d goal %s %s %d+%d\n", e.T, e.Goal.Verb, e.Goal.Addr, e.Goal.ControlPlane, e.Goal.Workers)
		case e.Object != nil:
			fmt.Fprintf(&b, "%d %s %s %s %v %v\n", e.T, e.Object.Verb, e.Object.Kind, e.Object.Name, e.Object.Replicas, e.Object.Conditions)
		case e.Blocked != nil:
			fmt.Fprintf(&b, "%d blocked %s: %s\n", e.T, e.Blocked.Addr, e.Blocked.Cause)
		case e.VM != nil, e.Warning != nil:
			fmt.Fprintf(&b, "%d %+v %+v\n", e.T, e.VM, e.Warning)
		}
	}
	l.recorder.Read(func(timeline *journal.Timeline) {
		for _, row := range timeline.Rows() {
			fmt.Fprintf(&b, "%+v\n  why: %+v\n", row, timeline.Why(row.Addr))
		}
	})
	return b.String()
}

// stands says whether a goal has a verb and a state.
func stands(a resource.Addr, verb string, state phase.State) func(*journal.Timeline) bool {
	return func(timeline *journal.Timeline) bool {
		row, ok := timeline.Row(a)
		return ok && row.Verb == verb && row.State == state
	}
}

var homeOfProd = resource.Addr{Group: resource.GroupVksync, Kind: resource.KindVSphereNamespace, Name: "team-a"}

// What happens to a cluster is told from the world alone: it comes, scales, loses a
// machine behind its back, and goes.
func TestAWatchTellsAClustersLife(t *testing.T) {
	t.Parallel()
	s := newSiteAt(t, liveSpeed)
	e := s.live(t, "fleet")
	l := s.watch(t, s.live(t, "nobody"), reconcile.WatchOptions{Linger: 3 * time.Second, Begin: journal.Begin{World: "Supervisor lab"}})
	prod := clusterAddr("prod")

	s.runLive(t, e, s.plan(t, e, desired(t, teamA, clusterOf("prod")), reconcile.Options{}), &tape{})
	l.await(t, "the cluster to come", stands(prod, "create", phase.Done))
	l.await(t, "the namespace to come", stands(homeOfProd, "create", phase.Done))
	l.await(t, "the cluster to be at rest", stands(prod, "none", phase.Done))

	larger := strings.Replace(clusterOf("prod"), "name: np, replicas: 1", "name: np, replicas: 3", 1)
	s.runLive(t, e, s.plan(t, e, desired(t, teamA, larger), reconcile.Options{}), &tape{})
	l.await(t, "the cluster to scale", stands(prod, "update", phase.Done))
	l.recorder.Read(func(timeline *journal.Timeline) {
		row, _ := timeline.Row(prod)
		if workers := row.Step(phase.Workers); workers.Done != 3 || workers.Wanted != 3 || workers.Start == phase.NotYet {
			t.Errorf("the workers' phase is %+v", workers)
		}
		if vms := row.Step(phase.Machine); vms.Start != phase.NotYet {
			t.Errorf("control-plane machines have nothing to do, and their phase is %+v", vms)
		}
	})
}
