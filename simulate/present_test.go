package simulate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// happened is a history without what was there before it.
func (h history) happened() history {
	return slices.DeleteFunc(slices.Clone(h), func(e journal.Event) bool { return e.Object != nil && e.Object.Present })
}

// A run that goes on from a saved world begins with what the clusters consist of
// that it changes, and only with that; and it is the same each time.
func TestARunFromASavedWorldBeginsWithWhatItChanges(t *testing.T) {
	t.Parallel()
	dev := strings.Replace(clusterProd(1, 1), "name: prod", "name: dev", 1)
	base := t.TempDir() + "/base"
	play(t, run{manifests: namespaceTeamA + clusterProd(1, 1) + dev, save: base})
	scaled := run{manifests: namespaceTeamA + clusterProd(1, 2) + dev, from: base}
	h, timeline := play(t, scaled)
	present := map[string]int{}
	for i, e := range h {
		if e.Object == nil || !e.Object.Present {
			continue
		}
		if o := e.Object; o.Verb != resource.Updated || o.Cluster != "prod" || e.T != 0 || i > 0 && h[i-1].Begin == nil && h[i-1].Object == nil {
			t.Errorf("event %d at %d ms tells of %s %s of %s as present", i, e.T, o.Kind, o.Name, o.Cluster)
		}
		present[e.Object.Kind]++
	}
	for kind, n := range map[string]int{"Cluster": 1, "KubeadmControlPlane": 1, "MachineDeployment": 1, "Machine": 2, "VSphereMachine": 2, "VirtualMachine": 2, "SubnetPort": 2} {
		if present[kind] != n {
			t.Errorf("%d of kind %s are told of, want %d", present[kind], kind, n)
		}
	}
	row, _ := timeline.Row(resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "team-a", Name: "prod"})
	if workers := row.Step(phase.Workers); row.State != phase.Done || workers.Done != 2 || workers.Start <= 0 {
		t.Errorf("it ended %s with workers %+v", row.State, workers)
	}
	if vms := row.Step(phase.Machine); vms.Start != phase.NotYet {
		t.Errorf("the control plane has nothing to do, and its phase is %+v", vms)
	}
	again, _ := play(t, scaled)
	if diff := cmp.Diff(h, again); diff != "" {
		t.Errorf("the same run has another journal (-first +second):\n%s", diff)
	}
}
