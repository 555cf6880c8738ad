package reconcile_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// liveSpeed is how many seconds of the site pass in a second of a live run.
const liveSpeed = 300

// tape keeps the events of a run, and calls at for each.
type tape struct {
	mu     sync.Mutex
	events []journal.Event
	at     func(journal.Event)
}

func (r *tape) recorder() *journal.Recorder {
	return journal.NewRecorder(time.Now(), func(e journal.Event) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.events = append(r.events, e)
		if r.at != nil {
			r.at(e)
		}
	})
}

// runLive runs a plan against a site that it takes for live.
func (s *site) runLive(t *testing.T, e *reconcile.Engine, p *plan.Plan, r *tape) (journal.End, *journal.Recorder) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	recorder := r.recorder()
	end, err := e.Run(ctx, p, apply.Options{Journal: recorder, Poll: 50 * time.Millisecond})
	if err != nil {
		t.Fatalf("the run ended %v, %v", end, err)
	}
	return end, recorder
}

// A live run is told of what the Supervisor makes, by whom and for which cluster,
// so that its journal shows the same phases as a simulation.
func TestALiveRunTellsWhatHappens(t *testing.T) {
	t.Parallel()
	s := newSiteAt(t, liveSpeed)
	e := s.live(t, "fleet")
	r := &tape{}
	p := s.plan(t, e, desired(t, teamA, clusterOf("prod")), reconcile.Options{})
	end, recorder := s.runLive(t, e, p, r)
	if end.Outcome != journal.Reached {
		t.Fatalf("the run ended %v", end)
	}
	row, ok := recorder.Timeline().Row(clusterAddr("prod"))
	if !ok {
		t.Fatal("there is no row for the cluster")
	}
	for _, step := range row.Steps {
		if step.State != phase.Done || step.Start == phase.NotYet && step.ID != phase.Prerequisites {
			t.Errorf("phase %s is %s from %s to %s", step.ID, step.State, step.Start, step.End)
		}
	}
	seen := map[string]bool{}
	for _, ev := range r.events {
		if o := ev.Object; o != nil && o.Verb == resource.Created {
			seen[strings.TrimSuffix(fmt.Sprintf("%s for %q in %s by %s", o.Kind, o.Cluster, o.PhaseID, o.Actor), " by ")] = true
		}
	}
	for _, want := range []string{
		`Cluster for "prod" in 1 by vksync`, `Machine for "prod" in 3a`, `VirtualMachine for "prod" in 3b`,
		`VirtualMachine for "prod" in 4`, `SubnetPort for "prod" in 3b`, `Service for "prod" in 2`,
	} {
		if !seen[want] {
			t.Errorf("the journal does not have %s; it has:\n%s", want, strings.Join(sortedKeys(seen), "\n"))
		}
	}
}

func sortedKeys(m map[string]bool) []string {
	var out []string
	for key := range m {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

// Two plans are run side by side on one engine: each sees all that concerns it.
func TestTwoRunsGoOnSideBySide(t *testing.T) {
	t.Parallel()
	s := newSiteAt(t, liveSpeed)
	e := s.live(t, "fleet")
	other := strings.NewReplacer("team-a", "team-b", "name: prod", "name: shop").Replace(clusterOf("prod"))
	teamOther := strings.ReplaceAll(teamA, "team-a", "team-b")
	plans := []*plan.Plan{
		s.plan(t, e, desired(t, teamA, clusterOf("prod")), reconcile.Options{}),
		s.plan(t, e, desired(t, teamOther, other), reconcile.Options{}),
	}
	ends := make(chan journal.End, len(plans))
	for _, p := range plans {
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			end, err := e.Run(ctx, p, apply.Options{Poll: 50 * time.Millisecond, StallAfter: 30 * time.Second})
			if err != nil {
				t.Errorf("the run ended %v, %v", end, err)
			}
			ends <- end
		}()
	}
	for range plans {
		if end := <-ends; end != (journal.End{Outcome: journal.Reached, Reached: 2, Goals: 2}) {
			t.Errorf("a run ended %v", end)
		}
	}
}

// What a run is not about is not in its journal.
func TestALiveRunIsToldOnlyWhatConcernsItsGoals(t *testing.T) {
	t.Parallel()
	s := newSiteAt(t, liveSpeed)
	e := s.live(t, "fleet")
	both := desired(t, teamA, clusterOf("prod"), clusterOf("dev"))
	p := s.plan(t, e, both, reconcile.Options{})
	p.Goals = slices.DeleteFunc(p.Goals, func(g plan.Goal) bool { return g.Addr.Name == "dev" })
	mine, others := *p, *p
	mine.Actions = slices.DeleteFunc(slices.Clone(p.Actions), func(a plan.Action) bool { return a.Addr.Name == "dev" })
	r := &tape{}
	s.applyDirectly(t, &others)
	if end, _ := s.runLive(t, e, &mine, r); end.Reached != 2 {
		t.Errorf("the run ended %v", end)
	}
	for _, ev := range r.events {
		if ev.Object != nil && ev.Object.Cluster == "dev" {
			t.Errorf("the journal has %s %s of cluster dev", ev.Object.Kind, ev.Object.Name)
			break
		}
	}
}

// applyDirectly has somebody else make the cluster dev as soon as its namespace is there.
func (s *site) applyDirectly(t *testing.T, p *plan.Plan) {
	t.Helper()
	var dev resource.Object
	for _, a := range p.Actions {
		if a.Addr.Name == "dev" {
			dev = a.Object
		}
	}
	client := s.supervisor(t)
	go func() {
		for t.Context().Err() == nil {
			if _, err := client.Apply(t.Context(), dev, false); err == nil {
				return
			}
		}
	}()
}

// A warning of Kubernetes about the object that everything waits for is the end of
// the causal chain.
func TestAKubernetesEventEndsTheCausalChain(t *testing.T) {
	t.Parallel()
	s := newSiteAt(t, liveSpeed)
	e := s.live(t, "fleet")
	p := s.plan(t, e, desired(t, teamA, clusterOf("prod")), reconcile.Options{})
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	events := s.kubectl(t, "events").Namespace("team-a")
	made, told := make(chan struct{}, 1), make(chan journal.Warning, 1)
	r := &tape{at: func(ev journal.Event) {
		if o := ev.Object; o != nil && o.Kind == "VSphereCluster" && o.Verb == resource.Created {
			made <- struct{}{}
		}
		if ev.Warning != nil {
			told <- *ev.Warning
			stop()
		}
	}}
	go func() {
		select {
		case <-made:
		case <-ctx.Done():
			return
		}
		for i, kind := range []string{"Normal", "Warning"} {
			event := &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "v1", "kind": "Event", "metadata": map[string]any{"name": fmt.Sprintf("prod.%d", i), "namespace": "team-a"},
				"involvedObject": map[string]any{"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "namespace": "team-a", "name": "prod"},
				"type":           kind, "reason": "TopologyReconcileError", "message": "no answer from https://user:canary@runtime.example",
			}}
			if _, err := events.Create(ctx, event, metav1.CreateOptions{}); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	}()
	recorder := r.recorder()
	if _, err := e.Run(ctx, p, apply.Options{Journal: recorder, Poll: 50 * time.Millisecond}); ctx.Err() == nil {
		t.Fatalf("the run ended before the warning was told: %v", err)
	}
	select {
	case got := <-told:
		want := journal.Warning{
			Kind: "Cluster", Namespace: "team-a", Name: "prod", Cluster: "prod", PhaseID: phase.Topology,
			Reason: "TopologyReconcileError", Message: "no answer from https://(hidden)@runtime.example",
		}
		if got != want {
			t.Errorf("told %+v, want %+v", got, want)
		}
	default:
		t.Error("the warning was not told")
	}
}

// The journal of a live run begins with what the clusters consist of that it changes,
// and with nothing of others.
func TestALiveRunBeginsWithWhatItChanges(t *testing.T) {
	t.Parallel()
	s := newSiteAt(t, liveSpeed)
	e := s.live(t, "fleet")
	s.runLive(t, e, s.plan(t, e, desired(t, teamA, clusterOf("prod"), clusterOf("dev")), reconcile.Options{}), &tape{})
	larger := strings.Replace(clusterOf("prod"), "name: np, replicas: 1", "name: np, replicas: 2", 1)
	r := &tape{}
	fresh := s.live(t, "fleet") // which has followed nothing yet
	_, recorder := s.runLive(t, fresh, s.plan(t, fresh, desired(t, teamA, larger, clusterOf("dev")), reconcile.Options{}), r)
	present := map[string]int{}
	acted := false
	for i, ev := range r.events {
		acted = acted || ev.Action != nil
		switch {
		case (ev.Begin != nil) != (i == 0):
			t.Errorf("event %d begins the journal: %t", i, ev.Begin != nil)
		case ev.Object == nil || !ev.Object.Present:
		case acted, ev.Object.Verb != resource.Updated, ev.Object.Cluster != "prod":
			t.Errorf("%s %s of %s is told as present after an action: %t", ev.Object.Kind, ev.Object.Name, ev.Object.Cluster, acted)
		default:
			present[ev.Object.Kind]++
		}
	}
	for kind, n := range map[string]int{"Cluster": 1, "KubeadmControlPlane": 1, "Machine": 2, "VirtualMachine": 2, "SubnetPort": 2, "VirtualMachineService": 1} {
		if present[kind] != n {
			t.Errorf("%d of kind %s were there, want %d", present[kind], kind, n)
		}
	}
	row, _ := recorder.Timeline().Row(clusterAddr("prod"))
	if workers := row.Step(phase.Workers); row.State != phase.Done || workers.Done != 2 || workers.Start == phase.NotYet {
		t.Errorf("it ended %s with workers %+v", row.State, workers)
	}
	if totals := recorder.Timeline().Totals(); totals.VMs != 0 && totals.VMs != 1 || totals.Objects < 5 {
		t.Errorf("it counts what was there: %+v", totals)
	}
}
