package phase_test

import (
	"testing"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// A change is not done in the moment before controllers take it in, and what the
// Cluster itself asks to be left is not waited for.
func TestReachedTopology(t *testing.T) {
	t.Parallel()
	topology := func(status, reason string, generation int64) map[string]any {
		return map[string]any{"type": "TopologyReconciled", "status": status, "reason": reason, "observedGeneration": generation}
	}
	with := func(runs string) map[string]any {
		c := counts(2, 2, 2, 2)
		c["versions"] = []any{map[string]any{"version": runs, "replicas": int64(2)}}
		return c
	}
	const vks = "v1.35.0+vmware.2-vkr.1"
	tests := map[string]struct {
		asked    string
		paused   bool
		topology map[string]any
		is       []any
		controls string // version of the control plane
		workers  string
		lacks    string
	}{
		"all of it":                             {asked: vks, topology: topology("True", "ReconcileSucceeded", 2), controls: vks, workers: vks},
		"the topology was not looked at":        {asked: vks, topology: topology("True", "ReconcileSucceeded", 1), controls: vks, workers: vks, lacks: "TopologyReconciled"},
		"an old control plane":                  {asked: vks, topology: topology("True", "ReconcileSucceeded", 2), controls: "v1.34.1+vmware.1-vkr.4", workers: vks, lacks: "controlPlane.versions"},
		"old workers":                           {asked: vks, topology: topology("True", "ReconcileSucceeded", 2), controls: vks, workers: "v1.34.1", lacks: "workers.versions"},
		"kubelets that say less":                {asked: vks, topology: topology("True", "ReconcileSucceeded", 2), controls: "v1.35.0+vmware.2", workers: "v1.35.0"},
		"a prefix was asked for":                {asked: "v1.35", topology: topology("True", "ReconcileSucceeded", 2), controls: "v1.35.0", workers: "v1.35.0"},
		"a prefix of another version":           {asked: "v1.3", topology: topology("True", "ReconcileSucceeded", 2), controls: "v1.35.0", workers: "v1.35.0", lacks: "controlPlane.versions"},
		"an upgrade under way":                  {asked: vks, topology: topology("False", "ClusterUpgrading", 2), controls: vks, workers: vks, lacks: "TopologyReconciled"},
		"a pool that is deferred":               {asked: vks, topology: topology("False", "MachineDeploymentsUpgradeDeferred", 2), controls: vks, workers: "v1.34.1"},
		"a pause that is not there":             {asked: vks, paused: true, topology: topology("True", "ReconcileSucceeded", 2), controls: vks, workers: vks, lacks: "Paused"},
		"a pause, whatever else is not so":      {asked: vks, paused: true, topology: topology("False", "Paused", 2), is: conditions("Paused", "True", "ScalingUp", "True"), controls: "v1.34.1", workers: vks},
		"a pause that is over":                  {asked: vks, topology: topology("True", "ReconcileSucceeded", 2), is: conditions("Paused", "False"), controls: vks, workers: vks},
		"a server that names no generation":     {asked: vks, topology: map[string]any{"type": "TopologyReconciled", "status": "True"}, controls: vks, workers: vks},
		"a cluster that has no topology":        {topology: topology("True", "ReconcileSucceeded", 2), controls: "v1.35.0", workers: "v1.35.0"},
		"versions that nobody has reported":     {asked: vks, topology: topology("True", "ReconcileSucceeded", 2)},
		"one that was paused and still says so": {asked: vks, topology: topology("False", "Paused", 2), controls: vks, workers: vks, lacks: "TopologyReconciled"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := map[string]any{"paused": tt.paused}
			if tt.asked != "" {
				spec["topology"] = map[string]any{
					"version": tt.asked,
					"workers": map[string]any{"machineDeployments": []any{map[string]any{"name": "np", "replicas": int64(2)}}},
				}
			}
			o := resource.NewObject(map[string]any{
				"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
				"metadata": map[string]any{"namespace": "team", "name": "prod", "generation": int64(2)},
				"spec":     spec,
				"status": map[string]any{
					"observedGeneration": int64(2),
					"conditions":         append(append(conditions("Available", "True"), tt.topology), tt.is...),
					"controlPlane":       with(tt.controls), "workers": with(tt.workers),
				},
			})
			if reached, link := phase.Reached(o); reached != (tt.lacks == "") || link.Condition != tt.lacks {
				t.Errorf("reached %v, it lacks %+v; want lack of %q", reached, link, tt.lacks)
			}
		})
	}
}
