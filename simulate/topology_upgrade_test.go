package simulate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// clusterOf is prod with one control-plane machine and pools, each a flow mapping
// without its braces and class.
func clusterOf(version string, annotations string, pools ...string) string {
	text := fmt.Sprintf(`---
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: prod, namespace: team-a, annotations: {%s}}
spec:
  clusterNetwork:
    pods: {cidrBlocks: [192.168.0.0/16]}
    services: {cidrBlocks: [10.96.0.0/12]}
  topology:
    classRef: {name: builtin-generic-v3.4.0, namespace: vmware-system-vks-public}
    version: %s
    controlPlane: {replicas: 1}
    workers:
      machineDeployments:
`, annotations, version)
	for _, pool := range pools {
		text += "      - {class: node-pool, " + pool + "}\n"
	}
	return text + `    variables:
    - {name: vmClass, value: best-effort-small}
    - {name: storageClass, value: vks-gold}
`
}

// liveAs is a life in which prod is as a manifest says, and has come to rest.
func liveAs(t *testing.T, text string) *life {
	t.Helper()
	l := begin(t)
	l.make(text)
	l.settle("the creation")
	l.pass(5 * time.Minute)
	l.cut()
	return l
}

// ofPool matches names of Machines, MachineSets and MachineDeployments of a pool.
func ofPool(pool string) string { return "prod-" + pool + "-.*" }

// An upgrade takes the control plane first, then pools in the order of the list and
// one after the other; templates that differ are rotated before their owner points
// to them, and bootstrap templates are not (domain.md 3.3, observed.md 6.3, 6.6).
func TestAnUpgradeGoesFromPartToPart(t *testing.T) {
	t.Parallel()
	base := t.TempDir() + "/base"
	play(t, run{manifests: namespaceTeamA + clusterOf("v1.34", "", "name: b, replicas: 2", "name: a, replicas: 1"), save: base})
	h, _ := play(t, run{manifests: namespaceTeamA + clusterOf("v1.35", "", "name: b, replicas: 2", "name: a, replicas: 1"), from: base})
	h = h.happened()

	const template = "prod-[a-z0-9]{5}"
	h.inOrder(t, "6.6: rotation of the control plane's template", made("VSphereMachineTemplate", template), gone("VSphereMachineTemplate", template), made("Machine", cp))
	h.inOrder(t, "6.3: parts in order", made("Machine", cp), gone("Machine", cp),
		made("VSphereMachineTemplate", ofPool("b")), made("MachineSet", ofPool("b")), made("Machine", ofPool("b")), gone("Machine", ofPool("b")),
		made("VSphereMachineTemplate", ofPool("a")), made("MachineSet", ofPool("a")), made("Machine", ofPool("a")), gone("Machine", ofPool("a")))
	h.allBefore(t, "3.3: workers wait for the last old control plane", gone("Machine", cp), made("VSphereMachineTemplate", ofPool("b")))
	h.allBefore(t, "3.3: the second pool waits for the first", gone("Machine", ofPool("b")), made("VSphereMachineTemplate", ofPool("a")))
	h.allBefore(t, "6.6: a pool's old template goes with its MachineSet", gone("Machine", ofPool("b")), gone("VSphereMachineTemplate", ofPool("b")))
	if n := len(h.all(made("KubeadmConfigTemplate", ".*"))) + len(h.all(gone("KubeadmConfigTemplate", ".*"))); n > 0 {
		t.Errorf("6.6: an upgrade does not rotate bootstrap templates, but %d were made or went", n)
	}
	if got := h.sequence("Cluster", "prod", "TopologyReconciled"); !slices.Equal(got, []string{"False/ClusterUpgrading", "True/ReconcileSucceeded"}) {
		t.Errorf("6.4: TopologyReconciled was %v", got)
	}
	h.allBefore(t, "6.4: the upgrade lasts until the last old machine is gone", gone("Machine", ofPool("a")), says("Cluster", "prod", "TopologyReconciled", "True", ""))
	if n := len(h.all(made("Machine", ".*"))); n != 4 {
		t.Errorf("%d Machines were made, want one for each of 4", n)
	}
}

// sequence lists the values that a condition took.
func (h history) sequence(kind, name, condition string) []string {
	var out []string
	for _, e := range h {
		if e.Object == nil || e.Object.Kind != kind || e.Object.Name != name {
			continue
		}
		for _, c := range e.Object.Conditions {
			if value := c.Status + "/" + c.Reason; c.Type == condition && (len(out) == 0 || out[len(out)-1] != value) {
				out = append(out, value)
			}
		}
	}
	return out
}

// With concurrency 2 both pools are upgraded at once.
func TestPoolsAreUpgradedTogetherWhereTheyMay(t *testing.T) {
	t.Parallel()
	base := t.TempDir() + "/base"
	pools := []string{"name: a, replicas: 1", "name: b, replicas: 1", "name: c, replicas: 1"}
	const two = `topology.cluster.x-k8s.io/upgrade-concurrency: "2"`
	play(t, run{manifests: namespaceTeamA + clusterOf("v1.34", two, pools...), save: base})
	h, _ := play(t, run{manifests: namespaceTeamA + clusterOf("v1.35", two, pools...), from: base})
	h = h.happened()
	h.inOrder(t, "3.3: two at a time", made("MachineSet", ofPool("b")), gone("Machine", ofPool("a")), made("MachineSet", ofPool("c")))
}

// A pool that is deferred stays as it is; one that holds the sequence keeps those
// after it back too. What is left to do then is nothing that a run waits for.
func TestDeferredPoolsStay(t *testing.T) {
	t.Parallel()
	for annotation, upgraded := range map[string][]string{
		"topology.cluster.x-k8s.io/defer-upgrade":         {"a", "c"},
		"topology.cluster.x-k8s.io/hold-upgrade-sequence": {"a"},
	} {
		t.Run(annotation, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir() + "/base"
			pools := []string{"name: a, replicas: 1", "name: b, replicas: 1, metadata: {annotations: {" + annotation + `: ""}}`, "name: c, replicas: 1"}
			play(t, run{manifests: namespaceTeamA + clusterOf("v1.34", "", pools...), save: base})
			h, _ := play(t, run{manifests: namespaceTeamA + clusterOf("v1.35", "", pools...), from: base})
			h = h.happened()
			var got []string
			for _, pool := range []string{"a", "b", "c"} {
				if len(h.all(made("Machine", ofPool(pool)))) > 0 {
					got = append(got, pool)
				}
			}
			if !slices.Equal(got, upgraded) {
				t.Errorf("domain.md 3.3: pools %v were upgraded, want %v", got, upgraded)
			}
			if got := h.sequence("Cluster", "prod", "TopologyReconciled"); !slices.Equal(got, []string{"False/ClusterUpgrading", "False/MachineDeploymentsUpgradeDeferred"}) {
				t.Errorf("TopologyReconciled was %v", got)
			}
		})
	}
}

// While a pool waits for its turn all its other changes wait with it, replicas too,
// so that its machines are replaced once; and a new pool waits for the control plane.
func TestChangesOfAPoolWaitForItsUpgrade(t *testing.T) {
	t.Parallel()
	base := t.TempDir() + "/base"
	play(t, run{manifests: namespaceTeamA + clusterOf("v1.34", "", "name: a, replicas: 1", "name: old, replicas: 1"), save: base})
	h, _ := play(t, run{manifests: namespaceTeamA + clusterOf("v1.35", "",
		"name: a, replicas: 3, variables: {overrides: [{name: vmClass, value: best-effort-medium}]}", "name: new, replicas: 1"), from: base})
	h = h.happened()
	h.allBefore(t, "3.3: the pool waits for the control plane", gone("Machine", cp), made("Machine", ofPool("a")))
	h.allBefore(t, "3.1: a new pool waits for the control plane", gone("Machine", cp), made("MachineDeployment", ofPool("new")))
	h.inOrder(t, "3.1: a pool that nobody asks for any more goes at once", marked("MachineDeployment", ofPool("old")), gone("Machine", cp))
	if n := len(h.all(made("VSphereMachineTemplate", ofPool("a")))); n != 1 {
		t.Errorf("the template of the pool was rotated %d times, want once for version and class", n)
	}
	if n := len(h.all(made("Machine", ofPool("a")))); n != 3 {
		t.Errorf("%d Machines were made for the pool of 3", n)
	}
	if deferred := h.all(objects("a deferred creation", func(o *journal.Object) bool {
		return slices.ContainsFunc(o.Conditions, func(c resource.Condition) bool {
			return c.Type == "TopologyReconciled" && strings.Contains(c.Message, "MachineDeployment new creation deferred")
		})
	})); len(deferred) == 0 {
		t.Error("TopologyReconciled does not name the pool that is to be made")
	}
}

// A new version is taken in only once the pools have come to rest.
func TestAnUpgradeWaitsForPoolsOnTheWay(t *testing.T) {
	t.Parallel()
	l := liveAs(t, clusterOf("v1.33", "", "name: a, replicas: 1"))
	l.patch("Cluster", "prod", `{"spec":{"topology":{"version":"v1.34.1+vmware.1-vkr.4"}}}`)
	l.until("a worker of the new version exists", func() bool { return len(l.h.all(made("MachineSet", ofPool("a")))) > 0 })
	l.patch("Cluster", "prod", `{"metadata":{"annotations":{"unsafe.topology.cluster.x-k8s.io/disable-update-version-check":""}},"spec":{"topology":{"version":"v1.35.0+vmware.2-vkr.1"}}}`)
	l.pass(5 * time.Second)
	if v := resource.Text(l.controlPlane().Object, "spec", "version"); v != "v1.34.1+vmware.1-vkr.4" {
		t.Fatalf("the control plane is at %s while a pool is on its way", v)
	}
	u, err := l.kind("Cluster").Get(t.Context(), "prod", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c := resource.ConditionOf(u.Object, "TopologyReconciled"); c.Reason != "ClusterUpgrading" || !strings.Contains(c.Message, "KubeadmControlPlane pending upgrade") {
		t.Errorf("TopologyReconciled is %+v", c)
	}
	l.until("the control plane follows", func() bool {
		return resource.Text(l.controlPlane().Object, "status", "version") == "v1.35.0+vmware.2-vkr.1"
	})
}
