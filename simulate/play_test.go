package simulate_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
	"github.com/vksync/vksync/simulate/inventory"
)

// A run is one revision played on a world.
type run struct {
	manifests  string
	inventory  *inventory.Inventory // nil is the embedded lab
	seed       uint64
	from, save string // folders of saved worlds
	prune      bool
	fails      bool          // the run is expected not to reach its goal
	anyEnd     bool          // or it may or may not
	unmetered  bool          // nobody asks what is in use of the site
	then       time.Duration // for which it goes on when the run has ended
}

// play runs a revision as the command does, through the shipping clients,
// planner and executor, and returns its journal.
func play(t testing.TB, r run) (history, *journal.Timeline) {
	t.Helper()
	_, h, timeline := playPlan(t, r)
	return h, timeline
}

// playPlan is play with the plan that was run.
func playPlan(t testing.TB, r run) (*plan.Plan, history, *journal.Timeline) {
	t.Helper()
	ctx := t.Context()
	files := fstest.MapFS{}
	for i, manifest := range strings.Split(r.manifests, "---\n") {
		files[fmt.Sprintf("%04d.yaml", i)] = &fstest.MapFile{Data: []byte(manifest)}
	}
	desired, problems := schema.Load(files, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	inv := r.inventory
	if inv == nil {
		inv = labInventory(t)
	}
	var events history
	ended := false
	var recorder *journal.Recorder
	world, err := simulate.New(simulate.Config{
		Inventory: inv, Seed: r.seed, From: r.from,
		Record: func(now time.Time, e journal.Event) {
			if recorder.Record(now, e); ended { // no journal has what comes then
				events = append(events, e)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	}()
	recorder = journal.NewRecorder(world.Now(), func(e journal.Event) { events = append(events, e) })
	engine, err := reconcile.Connect(ctx, reconcile.Endpoints{Kube: world.KubeConfig(), VSphere: world.VSphereConfig(), World: world, Source: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := engine.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	p, err := engine.Plan(ctx, &desired.Resources, reconcile.Options{Prune: r.prune, PruneLimit: 5})
	if err != nil {
		t.Fatal(err)
	}
	o := apply.Options{World: world, Journal: recorder, Concurrency: 1, Begin: journal.Begin{Simulated: true, Seed: r.seed}}
	if !r.unmetered {
		o.Begin.Site, o.Settle = world.Meters(), world.Settle
	}
	end, err := engine.Run(ctx, p, o)
	if err != nil {
		t.Fatal(err)
	}
	if reached := end.Outcome == journal.Reached; reached == r.fails && !r.anyEnd {
		t.Fatalf("the run ended %s with %d of %d goals reached", end.Outcome, end.Reached, end.Goals)
	}
	ended = true
	for until := world.Now().Add(r.then); world.Now().Before(until); {
		if _, err := world.Wait(ctx, until, nil); err != nil {
			t.Fatal(err)
		}
	}
	if r.save != "" {
		if err := world.Save(r.save); err != nil {
			t.Fatal(err)
		}
	}
	return p, events, recorder.Timeline()
}

func labInventory(t testing.TB) *inventory.Inventory {
	t.Helper()
	inv, err := inventory.Decode(schema.LabInventory().Object)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// namespaceTeamA is a vSphere Namespace that holds clusterProd.
const namespaceTeamA = `---
apiVersion: vksync.dev/v1alpha1
kind: VSphereNamespace
metadata: {name: team-a}
spec:
  supervisor: lab
  storagePolicies: [{name: vks-gold}]
  vmClasses: [best-effort-small, best-effort-medium]
  contentLibraries: [vks-releases]
`

// clusterProd is a cluster with one pool, np.
func clusterProd(controlPlane, workers int) string {
	return fmt.Sprintf(`---
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: prod, namespace: team-a}
spec:
  clusterNetwork:
    pods: {cidrBlocks: [192.168.0.0/16]}
    services: {cidrBlocks: [10.96.0.0/12]}
  topology:
    classRef: {name: builtin-generic-v3.4.0, namespace: vmware-system-vks-public}
    version: v1.34
    controlPlane: {replicas: %d}
    workers:
      machineDeployments:
      - {class: node-pool, name: np, replicas: %d}
    variables:
    - {name: vmClass, value: best-effort-small}
    - {name: storageClass, value: vks-gold}
`, controlPlane, workers)
}
