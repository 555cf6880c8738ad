package simulate_test

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"hash"
	"math/rand/v2"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/vksync/vksync/reconcile/journal"
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
	*stage
	guard *guard
	sum   hash.Hash
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
	w.stage = newStage(t, seed, nil, func(e journal.Event) {
		if err := encoder.Encode(e); err != nil {
			t.Error(err)
		}
		w.guard.hear(e)
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
	w.record(func(journal.Event) {
		if heard++; heard == after {
			kill()
		}
	})
	if _, err := w.run(ctx, w.plan(t, f.manifests())); err != nil && ctx.Err() == nil {
		t.Errorf("the run that is broken off: %v", err)
	}
}

// become makes the world what the fleet asks for, and says whether all rules held.
func (w *wanderer) become(t *testing.T, f fleet, what string) bool {
	t.Helper()
	w.record(nil)
	p := w.plan(t, f.manifests())
	if p.Failed() {
		t.Errorf("%s: the plan is refused:\n%s", what, p.Text())
		return false
	}
	end, err := w.run(t.Context(), p)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return false
	}
	if end.Outcome != journal.Reached {
		t.Errorf("%s: the run ended %s with %d of %d goals reached\n%s", what, end.Outcome, end.Reached, end.Goals, w.reasons(p))
		return false
	}
	if again := w.plan(t, f.manifests()); !again.Empty() {
		t.Errorf("%s: a second plan is not empty:\n%s", what, again.Text())
		return false
	}
	for _, broken := range w.guard.broken {
		t.Errorf("%s: %s", what, broken)
	}
	return len(w.guard.broken) == 0
}

// outsider is a cluster that somebody else made.
const outsider = "outsider"

func (w *wanderer) letOutsiderIn(t *testing.T) {
	t.Helper()
	manifest := asked{controlPlane: 1, version: releases[0], class: "best-effort-small", storage: "vks-gold", team: "none"}.manifest(outsider)
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &u.Object); err != nil {
		t.Fatal(err)
	}
	if _, err := w.kubectl("Cluster").Create(t.Context(), u, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
