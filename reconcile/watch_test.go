package reconcile_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vmware/govmomi/object"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate"
)

// A lookout watches a site.
type lookout struct {
	recorder *journal.Recorder
	stop     func()

	mu     sync.Mutex // guards what is below
	events []journal.Event
	// stood is what goals have been, "VERB STATE" in turn; none after they were
	// forgotten.
	stood map[resource.Addr][]string
	// workers counts those that are up.
	workers map[resource.Addr]int64
	more    chan struct{} // closed and replaced after each event
}

// watch watches a site that is taken for live until the test ends.
func (s *site) watch(t *testing.T, e *reconcile.Engine, o reconcile.WatchOptions) *lookout {
	t.Helper()
	l := &lookout{stood: map[resource.Addr][]string{}, workers: map[resource.Addr]int64{}, more: make(chan struct{})}
	l.recorder = journal.NewRecorder(time.Now(), l.hear)
	o.Journal, o.Poll = l.recorder, 50*time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Watch(ctx, o) }()
	l.stop = sync.OnceFunc(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the watch failed: %v", err)
		}
	})
	t.Cleanup(func() {
		l.stop()
		if first := l.events[0]; first.Begin == nil || !first.Begin.Watched || first.T != 0 {
			t.Errorf("the journal begins with %+v", first)
		}
		if last := l.events[len(l.events)-1]; last.End == nil || last.End.Outcome != journal.Interrupted {
			t.Errorf("the journal ends with %+v", last)
		}
	})
	return l
}

// hear is a sink.
func (l *lookout) hear(e journal.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	left := map[resource.Addr]bool{}
	for _, g := range l.recorder.Timeline().Goals() {
		left[g.Addr] = true
		state, _ := l.recorder.Timeline().Standing(g.Addr)
		row, _ := l.recorder.Timeline().Row(g.Addr)
		l.workers[g.Addr] = row.Step(phase.Workers).Done
		stands, stood := g.Verb+" "+string(state), l.stood[g.Addr]
		if len(stood) == 0 || stood[len(stood)-1] != stands {
			l.stood[g.Addr] = append(stood, stands)
		}
	}
	for a := range l.stood {
		if !left[a] {
			delete(l.stood, a)
		}
	}
	close(l.more)
	l.more = make(chan struct{})
}

// await waits until something holds, which is asked after each event with mu held.
func (l *lookout) await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for {
		l.mu.Lock()
		met, more := holds(), l.more
		l.mu.Unlock()
		if met {
			return
		}
		select {
		case <-more:
		case <-deadline:
			t.Fatalf("waited a minute for %s; what was told:\n%s", what, l.story())
		}
	}
}

// awaitStates waits until a goal has been all of what is wanted, in that order.
func (l *lookout) awaitStates(t *testing.T, a resource.Addr, wanted ...string) {
	t.Helper()
	l.await(t, a.String()+" to be "+strings.Join(wanted, ", then "), func() bool {
		left := wanted
		for _, stands := range l.stood[a] {
			if len(left) > 0 && stands == left[0] {
				left = left[1:]
			}
		}
		return len(left) == 0
	})
}

// awaitEvent waits for an event.
func (l *lookout) awaitEvent(t *testing.T, what string, is func(journal.Event) bool) {
	t.Helper()
	l.await(t, what, func() bool { return slices.ContainsFunc(l.events, is) })
}

// row is a goal as it stands.
func (l *lookout) row(a resource.Addr) (row journal.Row) {
	l.recorder.Read(func(timeline *journal.Timeline) { row, _ = timeline.Row(a) })
	return row
}

// story is what was told, a line each.
func (l *lookout) story() string {
	var b strings.Builder
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
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
	for a, stood := range l.stood {
		row, _ := l.recorder.Timeline().Row(a)
		fmt.Fprintf(&b, "%s: %q, %+v\n", a, stood, row.Steps)
	}
	return b.String()
}

// overTLS is an engine that reaches the site as users do.
func (s *site) overTLS(t *testing.T, change func(*reconcile.Endpoints)) *reconcile.Engine {
	t.Helper()
	vcenter, err := s.served.VSphereConfig()
	if err != nil {
		t.Fatal(err)
	}
	endpoints := reconcile.Endpoints{Kube: s.served.KubeConfig(), VSphere: vcenter}
	if change != nil {
		change(&endpoints)
	}
	e, err := reconcile.Connect(t.Context(), endpoints)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.WithoutCancel(t.Context())) }) // it may be down by then
	return e
}

var (
	prod  = clusterAddr("prod")
	homeA = resource.Addr{Group: resource.GroupVksync, Kind: resource.KindVSphereNamespace, Name: "team-a"}
)

// What happens to a cluster is told from the world alone: it comes, scales, loses a
// machine behind its back, and goes.
func TestAWatchTellsAClustersLife(t *testing.T) {
	t.Parallel()
	s := newSiteAt(t, liveSpeed)
	e := s.live(t, "fleet")
	bring := func(set *resource.Set) {
		t.Helper()
		s.runLive(t, e, s.plan(t, e, set, reconcile.Options{Prune: true}), &tape{})
	}
	l := s.watch(t, s.overTLS(t, nil), reconcile.WatchOptions{})
	brief := s.watch(t, s.overTLS(t, nil), reconcile.WatchOptions{Linger: 300 * time.Millisecond})

	bring(desired(t, teamA, clusterOf("prod")))
	l.awaitStates(t, prod, "create running", "create done")
	l.awaitStates(t, homeA, "create done")
	brief.awaitStates(t, prod, "create done", "none done")

	bring(desired(t, teamA, strings.Replace(clusterOf("prod"), "name: np, replicas: 1", "name: np, replicas: 3", 1)))
	l.awaitStates(t, prod, "create done", "update running", "update done")
	row := l.row(prod)
	if workers := row.Step(phase.Workers); workers.Done != 3 || workers.Wanted != 3 || workers.Start == phase.NotYet {
		t.Errorf("the workers' phase is %+v", workers)
	}
	if vms := row.Step(phase.Machine); vms.Start != phase.NotYet {
		t.Errorf("the control plane has nothing to do, and its phase is %+v", vms)
	}

	vm := s.vm(t, s.alice(t), "prod-np-*")
	host, err := vm.HostSystem(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rest := func(ctx context.Context) (*object.Task, error) { // so that nothing powers it on again
		return host.EnterMaintenanceMode(ctx, 0, false, nil)
	}
	for _, do := range []func(context.Context) (*object.Task, error){rest, vm.PowerOff, vm.Destroy} {
		task, err := do(t.Context())
		if err == nil {
			err = task.Wait(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	l.awaitEvent(t, "the machine to be destroyed", func(ev journal.Event) bool {
		return ev.VM != nil && ev.VM.Op == "Destroy_Task" && ev.VM.Cluster == "prod" && ev.VM.PhaseID == phase.Workers
	})
	l.awaitStates(t, prod, "update done", "update running", "update done")

	bring(desired(t))
	l.awaitStates(t, prod, "update done", "delete running", "delete done")
	l.awaitStates(t, homeA, "delete done")
	brief.await(t, "both to be forgotten", func() bool { return len(brief.stood) == 0 })
}

// crowded is a cluster that lacks an address for its last workers.
func crowded(t *testing.T) *resource.Set {
	t.Helper()
	return desired(t, teamA+"  network: {privateCIDRs: [172.26.0.0/28], subnetSize: 16}\n",
		strings.Replace(clusterOf("prod"), "name: np, replicas: 1", "name: np, replicas: 13", 1))
}

// A cluster that is being made when a watch begins shows the phase it is really in,
// and what holds it up; whoever looks at one that stands still is told at once.
func TestAWatchThatBeginsLateSaysHowThingsStand(t *testing.T) {
	t.Parallel()
	s := newSiteAt(t, liveSpeed)
	e := s.live(t, "fleet")
	p := s.plan(t, e, crowded(t), reconcile.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if end, err := e.Run(ctx, p, apply.Options{Poll: 50 * time.Millisecond, StallAfter: time.Second}); err != nil || end.Outcome != journal.NotReached {
		t.Fatalf("the run ended %v, %v", end, err)
	}
	const cause = "no free address: the private block 172.26.0.0/28 of VPC team-a is used up"
	l := s.watch(t, s.overTLS(t, nil), reconcile.WatchOptions{})
	l.await(t, "all that get an address to be there", func() bool { return l.workers[prod] == 11 })

	late := s.watch(t, s.overTLS(t, nil), reconcile.WatchOptions{}) // by the site's clock, nothing was written for ages
	late.awaitStates(t, prod, "create running", "create blocked")
	late.stop()
	row := late.row(prod)
	if row.Blocked == nil || !strings.Contains(row.Blocked.Cause, cause) || row.Blocked.Phase != phase.Workers || row.Current != phase.Workers {
		t.Errorf("it is in phase %s, blocked by %+v", row.Current, row.Blocked)
	}
	for _, step := range row.Steps {
		if step.ID != phase.Workers && (step.State != phase.Done || step.Done != step.Wanted) || step.ID == phase.Workers && (step.Done != 11 || step.Wanted != 13) {
			t.Errorf("phase %s is %+v", step.ID, step)
		}
	}
	for _, ev := range late.events {
		if o := ev.Object; o != nil && o.Verb != resource.Updated {
			t.Errorf("%s %s is told as %s, and was there before", o.Kind, o.Name, o.Verb)
		}
	}
	if got, _ := l.recorder.Why(prod); !strings.Contains(phase.Cause(got), cause) {
		t.Errorf("who looked on sees it wait for %q", phase.Cause(got))
	}
}

// A vSphere Namespace that may not be read costs itself only, and that is said once.
func TestAWatchDoesWithoutANamespaceThatIsDenied(t *testing.T) {
	t.Parallel()
	s := newSiteAt(t, liveSpeed)
	e := s.live(t, "fleet")
	teamB := strings.ReplaceAll(teamA, "team-a", "team-b")
	s.runLive(t, e, s.plan(t, e, desired(t, teamA, teamB), reconcile.Options{}), &tape{})
	homeB := homeA
	homeB.Name = "team-b"
	var asked atomic.Int32
	s.served.Fail(simulate.VCenter, func(r *http.Request) *simulate.Fault {
		if !strings.HasSuffix(r.URL.Path, "/namespaces/instances/v2/team-b") {
			return nil
		}
		asked.Add(1)
		return &simulate.Fault{Status: http.StatusForbidden}
	})
	l := s.watch(t, s.overTLS(t, nil), reconcile.WatchOptions{})
	denied := func(ev journal.Event) bool {
		return ev.Warning != nil && ev.Warning.Kind == resource.KindVSphereNamespace && ev.Warning.Name == "team-b" && ev.Warning.Reason == "Unreadable"
	}
	l.awaitEvent(t, "the denial to be told", denied)
	l.awaitStates(t, homeA, "none done")
	for before := asked.Load(); asked.Load() < before+3; { // until it was denied again
		s.runLive(t, e, s.plan(t, e, desired(t, teamA), reconcile.Options{}), &tape{})
	}
	s.served.Fail(simulate.VCenter, nil)
	l.awaitStates(t, homeB, "none done")
	l.stop()
	n := 0
	for _, ev := range l.events {
		if denied(ev) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the denial was told %d times", n)
	}
}

// What happens while the Supervisor is away is told when it is back.
func TestAWatchGoesOnAfterABreak(t *testing.T) {
	t.Parallel()
	s := newSiteAt(t, liveSpeed)
	e := s.live(t, "fleet")
	bring := func(set *resource.Set) {
		t.Helper()
		s.runLive(t, e, s.plan(t, e, set, reconcile.Options{Prune: true}), &tape{})
	}
	bring(desired(t, teamA, clusterOf("prod"), clusterOf("old")))
	l := s.watch(t, s.overTLS(t, nil), reconcile.WatchOptions{})
	l.awaitStates(t, prod, "none done")
	l.awaitStates(t, clusterAddr("old"), "none done")
	if err := s.served.Down(simulate.Supervisor); err != nil {
		t.Fatal(err)
	}
	bring(desired(t, teamA, clusterOf("prod"), clusterOf("new"))) // by another way
	if err := s.served.Up(simulate.Supervisor); err != nil {
		t.Fatal(err)
	}
	l.awaitStates(t, clusterAddr("old"), "delete done")
	l.awaitStates(t, clusterAddr("new"), "create done")
	l.awaitEvent(t, "the machines of the new one", func(ev journal.Event) bool {
		return ev.Object != nil && ev.Object.Kind == "VirtualMachine" && ev.Object.Cluster == "new"
	})
	if row := l.row(prod); row.Verb != "none" || row.Start != phase.NotYet {
		t.Errorf("nothing happened to prod, and it is %+v", row)
	}
}

// A vCenter that does not answer when a watch begins holds up nothing of the
// Supervisor, and its namespaces come when it does.
func TestAWatchBeginsWithoutVCenter(t *testing.T) {
	t.Parallel()
	s := newSiteAt(t, liveSpeed)
	e := s.live(t, "fleet")
	s.runLive(t, e, s.plan(t, e, desired(t, teamA, clusterOf("prod")), reconcile.Options{}), &tape{})
	other := s.overTLS(t, nil)
	s.served.Fail(simulate.VCenter, func(*http.Request) *simulate.Fault { return &simulate.Fault{Status: http.StatusServiceUnavailable} })
	l := s.watch(t, other, reconcile.WatchOptions{})
	l.awaitStates(t, prod, "none done")
	s.runLive(t, e, s.plan(t, e, desired(t, teamA, clusterOf("prod"), clusterOf("new")), reconcile.Options{}), &tape{})
	l.awaitStates(t, clusterAddr("new"), "create done")
	if row := l.row(homeA); row.Verb != "" {
		t.Errorf("the namespace is known: %+v", row)
	}
	s.served.Fail(simulate.VCenter, nil)
	l.awaitStates(t, homeA, "none done")
}
