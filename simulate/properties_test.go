package simulate_test

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"hash"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
)

var (
	randomWorlds = flag.Uint64("worlds", 12, "random worlds that TestProperties goes through, each with -changes changes")
	firstWorld   = flag.Uint64("first-world", 1, "seed of the first random world")
	randomSteps  = flag.Int("changes", 8, "random changes of a random world")
)

// Whatever is asked of whatever fleet: etcd keeps its quorum, control planes change
// one machine at a time, surge stays within the strategy, nothing that is not
// vksync's is deleted, every run reaches its goals, a second plan is empty, and the
// same seed gives the same journals to the byte.
func TestProperties(t *testing.T) {
	t.Parallel()
	for seed := *firstWorld; seed < *firstWorld+*randomWorlds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			once, again := wander(t, seed), wander(t, seed)
			if once != again {
				t.Errorf("seed %d gave two different journals", seed)
			}
		})
	}
}

// A wanderer takes one world from one random revision to the next.
type wanderer struct {
	world    *simulate.World
	engine   *reconcile.Engine
	recorder *journal.Recorder
	guard    *guard
	hear     func(journal.Event)
	sum      hash.Hash
}

// wander goes through random changes of a random fleet and returns a digest of all
// that happened.
func wander(t *testing.T, seed uint64) string {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	w := newWanderer(t, seed)
	before, now := fleet{}, randomFleet(r)
	what := fmt.Sprint("create ", now)
	for step := range *randomSteps {
		w.guard.allow(before, now)
		if r.IntN(4) == 0 {
			w.breakOff(t, now, 1+r.IntN(2000))
		}
		if !w.become(t, now, what) {
			return ""
		}
		if step == 0 {
			w.letOutsiderIn(t)
		}
		before = now
		now, what = before.changed(r)
	}
	return fmt.Sprintf("%x", w.sum.Sum(nil))
}

func newWanderer(t *testing.T, seed uint64) *wanderer {
	t.Helper()
	w := &wanderer{guard: newGuard(), sum: sha256.New()}
	encoder := journal.NewEncoder(w.sum)
	var err error
	w.world, err = simulate.New(simulate.Config{
		Inventory: labInventory(t), Seed: seed,
		Record: func(now time.Time, e journal.Event) { w.recorder.Record(now, e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.world.Close(); err != nil {
			t.Error(err)
		}
	})
	w.hear = func(e journal.Event) {
		if err := encoder.Encode(e); err != nil {
			t.Error(err)
		}
		w.guard.hear(e)
	}
	w.recorder = journal.NewRecorder(w.world.Now(), w.hear)
	w.engine, err = reconcile.Connect(t.Context(), reconcile.Endpoints{Kube: w.world.KubeConfig(), VSphere: w.world.VSphereConfig(), World: w.world, Source: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.engine.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return w
}

// breakOff begins to make the world what the fleet asks for, and is killed after a
// number of events.
func (w *wanderer) breakOff(t *testing.T, f fleet, after int) {
	t.Helper()
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	heard := 0
	w.recorder = journal.NewRecorder(w.world.Now(), w.hear, func(journal.Event) {
		if heard++; heard == after {
			kill()
		}
	})
	p := w.plan(t, f)
	_, err := w.engine.Run(ctx, p, apply.Options{World: w.world, Journal: w.recorder, Concurrency: 1, Begin: journal.Begin{Simulated: true}})
	if err != nil && ctx.Err() == nil {
		t.Errorf("the run that is broken off: %v", err)
	}
}

// become makes the world what the fleet asks for, and says whether all rules held.
func (w *wanderer) become(t *testing.T, f fleet, what string) bool {
	t.Helper()
	w.recorder = journal.NewRecorder(w.world.Now(), w.hear)
	p := w.plan(t, f)
	if p.Failed() {
		t.Errorf("%s: the plan is refused:\n%s", what, p.Text())
		return false
	}
	end, err := w.engine.Run(t.Context(), p, apply.Options{World: w.world, Journal: w.recorder, Concurrency: 1, Begin: journal.Begin{Simulated: true}})
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return false
	}
	if end.Outcome != journal.Reached {
		t.Errorf("%s: the run ended %s with %d of %d goals reached\n%s", what, end.Outcome, end.Reached, end.Goals, w.reasons(p))
		return false
	}
	if again := w.plan(t, f); !again.Empty() {
		t.Errorf("%s: a second plan is not empty:\n%s", what, again.Text())
		return false
	}
	for _, broken := range w.guard.broken {
		t.Errorf("%s: %s", what, broken)
	}
	return len(w.guard.broken) == 0
}

func (w *wanderer) plan(t *testing.T, f fleet) *plan.Plan {
	t.Helper()
	files := fstest.MapFS{}
	for i, manifest := range strings.Split(f.manifests(), "---\n") {
		files[fmt.Sprintf("%04d.yaml", i)] = &fstest.MapFile{Data: []byte(manifest)}
	}
	desired, problems := schema.Load(files, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	p, err := w.engine.Plan(t.Context(), &desired.Resources, reconcile.Options{Prune: true, PruneLimit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// reasons say what each goal that was not reached waits for.
func (w *wanderer) reasons(p *plan.Plan) string {
	var b strings.Builder
	for _, g := range p.Goals {
		if chain, _ := w.recorder.Why(g.Addr); len(chain) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", g.Addr, phase.Cause(chain))
		}
	}
	return b.String()
}

// outsider is a cluster that somebody else made.
const outsider = "outsider"

func (w *wanderer) letOutsiderIn(t *testing.T) {
	t.Helper()
	manifest := shape{controlPlane: 1, version: releases[0], class: "best-effort-small", storage: "vks-gold", team: "none"}.manifest(outsider)
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &u.Object); err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(w.world.KubeConfig())
	if err != nil {
		t.Fatal(err)
	}
	clusters := client.Resource(runtimeschema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"})
	if _, err := clusters.Namespace("team-a").Create(t.Context(), u, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
