package simulate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	vksync "github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
	"github.com/vksync/vksync/simulate/inventory"
)

// A stage is a world that lives through one revision after the other, and through
// what people do with kubectl in between.
type stage struct {
	world    *simulate.World
	engine   *reconcile.Engine
	objects  dynamic.Interface
	recorder *journal.Recorder
	sinks    []func(journal.Event)
}

// newStage makes a world on the embedded lab, unless another inventory is given.
func newStage(t testing.TB, seed uint64, inv *inventory.Inventory, sinks ...func(journal.Event)) *stage {
	t.Helper()
	if inv == nil {
		inv = labInventory(t)
	}
	s := &stage{sinks: sinks}
	var err error
	s.world, err = simulate.New(simulate.Config{
		Inventory: inv, Seed: seed,
		Record: func(now time.Time, e journal.Event) { s.recorder.Record(now, e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.world.Close(); err != nil {
			t.Error(err)
		}
	})
	s.record(nil)
	if s.objects, err = dynamic.NewForConfig(s.world.KubeConfig()); err != nil {
		t.Fatal(err)
	}
	s.engine, err = reconcile.Connect(t.Context(), reconcile.Endpoints{Kube: s.world.KubeConfig(), VSphere: s.world.VSphereConfig(), World: s.world, Source: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.engine.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}

// record begins a new journal, which also goes to one more sink.
func (s *stage) record(also func(journal.Event)) {
	sinks := s.sinks
	if also != nil {
		sinks = append(sinks[:len(sinks):len(sinks)], also)
	}
	s.recorder = journal.NewRecorder(s.world.Now(), sinks...)
}

// plan is what a revision asks of the world.
func (s *stage) plan(t testing.TB, manifests string) *plan.Plan {
	t.Helper()
	files := fstest.MapFS{}
	for i, manifest := range strings.Split(manifests, "---\n") {
		files[fmt.Sprintf("%04d.yaml", i)] = &fstest.MapFile{Data: []byte(manifest)}
	}
	desired, problems := vksync.Load(files, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	p, err := s.engine.Plan(t.Context(), &desired.Resources, reconcile.Options{Prune: true, PruneLimit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run executes a plan.
func (s *stage) run(ctx context.Context, p *plan.Plan) (journal.End, error) {
	return s.engine.Run(ctx, p, apply.Options{World: s.world, Journal: s.recorder, Concurrency: 1, Begin: journal.Begin{Simulated: true}})
}

// bring makes the world what a revision asks for, and returns what happened, up to
// when all has come to rest.
func (s *stage) bring(t testing.TB, manifests string) history {
	t.Helper()
	var h history
	s.record(func(e journal.Event) {
		if e.Object == nil || !e.Object.Present { // which did not happen
			h = append(h, e)
		}
	})
	p := s.plan(t, manifests)
	if p.Failed() {
		t.Fatalf("the plan is refused:\n%s", p.Text())
	}
	end, err := s.run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if end.Outcome != journal.Reached {
		t.Fatalf("the run ended %s with %d of %d goals reached\n%s", end.Outcome, end.Reached, end.Goals, s.reasons(p))
	}
	return append(h, s.pass(t, time.Minute)...)
}

// reasons say what each goal that was not reached waits for.
func (s *stage) reasons(p *plan.Plan) string {
	var b strings.Builder
	for _, g := range p.Goals {
		if chain, _ := s.recorder.Why(g.Addr); len(chain) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", g.Addr, phase.Cause(chain))
		}
	}
	return b.String()
}

// pass lets model time pass and returns what happened.
func (s *stage) pass(t testing.TB, d time.Duration) history {
	t.Helper()
	var h history
	s.record(func(e journal.Event) { h = append(h, e) })
	for until := s.world.Now().Add(d); s.world.Now().Before(until); {
		if _, err := s.world.Wait(t.Context(), until, nil); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// resources are the plural names of the kinds that tests ask for.
var resources = map[string]schema.GroupVersionResource{
	"Cluster":        {Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"},
	"Machine":        {Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "machines"},
	"Namespace":      {Version: "v1", Resource: "namespaces"},
	"VirtualMachine": {Group: "vmoperator.vmware.com", Version: "v1alpha5", Resource: "virtualmachines"},
}

// kubectl is the client of a kind in the namespace team-a, or of a kind in none.
func (s *stage) kubectl(kind string) dynamic.ResourceInterface {
	if kind == "Namespace" {
		return s.objects.Resource(resources[kind])
	}
	return s.objects.Resource(resources[kind]).Namespace("team-a")
}

// patch is kubectl patch --type merge.
func (s *stage) patch(t testing.TB, kind, name, patch string) {
	t.Helper()
	if _, err := s.kubectl(kind).Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// list is kubectl get, in the order of names.
func (s *stage) list(t testing.TB, kind string) []unstructured.Unstructured {
	t.Helper()
	list, err := s.kubectl(kind).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}
