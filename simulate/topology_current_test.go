package simulate_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vksync/vksync/reconcile/resource"
)

// A topology of which somebody took a part away is left as it is, and says so; once the
// part is back all goes on.
func TestATopologyWithAPartMissingIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	l := liveAs(t, clusterOf("v1.34", "", "name: a, replicas: 1"))
	template := resource.Text(l.pool("a").Object, "spec", "template", "spec", "bootstrap", "configRef", "name")
	kept, err := l.kind("KubeadmConfigTemplate").Get(t.Context(), template, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.kind("KubeadmConfigTemplate").Delete(t.Context(), template, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.pools(`"name":"a","replicas":2`)
	l.pass(time.Minute)
	if got, available := l.reconciled("TopologyReconciled"), l.reconciled("Available"); got != "False/ReconcileFailed" || available != "False/NotAvailable" {
		t.Errorf("TopologyReconciled is %s and Available %s", got, available)
	}
	if found := l.h.all(made("KubeadmConfigTemplate|Machine", ".*")); len(found) > 0 {
		t.Errorf("%s %s was made", l.h[found[0]].Object.Kind, l.h[found[0]].Object.Name)
	}
	kept.SetResourceVersion("")
	kept.SetUID("")
	if _, err := l.kind("KubeadmConfigTemplate").Create(t.Context(), kept, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	l.pass(5 * time.Minute)
	if got, replicas := l.reconciled("TopologyReconciled"), resource.Int(l.pool("a").Object, "spec", "replicas"); got != "True/ReconcileSucceeded" || replicas != 2 {
		t.Errorf("TopologyReconciled is %s and the pool has %d replicas", got, replicas)
	}
}

// A class that lists versions takes its Clusters through each minor: the control plane
// step by step, the pools at once.
func TestAClassLeadsThroughItsVersions(t *testing.T) {
	t.Parallel()
	const from, between, to = "v1.33.6+vmware.1-vkr.2", "v1.34.1+vmware.1-vkr.4", "v1.35.0+vmware.2-vkr.1"
	l := begin(t)
	l.make(ownClass("", `kubernetesVersions: ["`+from+`", "`+between+`", "`+to+`"],`))
	l.make(clusterOfOwnClass(from))
	l.settle("the creation")
	l.pass(5 * time.Minute)
	l.cut()
	l.patch("Cluster", "prod", `{"spec":{"topology":{"version":"`+to+`"}}}`)
	l.pass(5 * time.Second)
	if got := l.cluster().GetAnnotations()["topology.internal.cluster.x-k8s.io/upgrade-step"]; got != between {
		t.Errorf("the step is %q", got)
	}
	l.pass(30 * time.Minute)
	if got := l.h.sequence("Cluster", "prod", "TopologyReconciled"); !slices.Equal(got, []string{"False/ClusterUpgrading", "True/ReconcileSucceeded"}) {
		t.Errorf("TopologyReconciled was %v", got)
	}
	if controlPlane, workers := len(l.h.all(made("Machine", cp))), len(l.h.all(made("Machine", ofPool("a")))); controlPlane != 2 || workers != 1 {
		t.Errorf("%d Machines of the control plane and %d workers were made, want 2 and 1", controlPlane, workers)
	}
	if got := resource.Text(l.controlPlane().Object, "spec", "version"); got != to {
		t.Errorf("the control plane has %s", got)
	}
}

// beginWithOwnClass has prod of a class of its own, up for a while.
func beginWithOwnClass(t *testing.T) *life {
	t.Helper()
	l := begin(t)
	l.make(ownClass("", ""))
	l.make(clusterOfOwnClass("v1.34.1+vmware.1-vkr.4"))
	l.settle("the creation")
	l.pass(5 * time.Minute)
	l.cut()
	return l
}

// A changed class is looked at by its own controller and by that of its Clusters at once;
// these are too early, and try again a second later.
func TestAChangedClassIsNotReconciledAtFirst(t *testing.T) {
	t.Parallel()
	l := beginWithOwnClass(t)
	l.patch("ClusterClass", "qs", `{"spec":{"controlPlane":{"metadata":{"labels":{"from":"another"}}}}}`)
	l.pass(time.Minute)
	if got := l.h.sequence("Cluster", "prod", "TopologyReconciled"); !slices.Equal(got, []string{"False/ReconcileFailed", "True/ReconcileSucceeded"}) {
		t.Errorf("TopologyReconciled was %v", got)
	}
	if got := l.controlPlane().GetLabels()["from"]; got != "another" {
		t.Errorf("the label of the class is %q", got)
	}
	l.patch("ClusterClass", "qs", `{"spec":{"controlPlane":{"metadata":{"labels":{"from":null}}}}}`)
	l.pass(time.Minute)
	if got, still := l.controlPlane().GetLabels()["from"]; still {
		t.Errorf("the label %q that the class says no more is still there", got)
	}
}

// What a webhook does not take of the topology is not there, and nothing behind it.
func TestARefusedControlPlaneEndsThePass(t *testing.T) {
	t.Parallel()
	l := beginWithOwnClass(t)
	l.patch("Cluster", "prod", `{"spec":{"topology":{"controlPlane":{"replicas":2},"variables":[{"name":"vmClass","value":"best-effort-medium"},{"name":"storageClass","value":"vks-gold"}]}}}`)
	l.pass(time.Minute)
	if got := l.reconciled("TopologyReconciled"); got != "False/ReconcileFailed" {
		t.Errorf("TopologyReconciled is %s", got)
	}
	if found := l.h.all(made("Machine|VSphereMachineTemplate", ".*")); len(found) > 0 {
		t.Errorf("%s %s was made", l.h[found[0]].Object.Kind, l.h[found[0]].Object.Name)
	}
	l.patch("Cluster", "prod", `{"spec":{"topology":{"controlPlane":{"replicas":1}}}}`)
	l.pass(15 * time.Minute)
	if got, n := l.reconciled("TopologyReconciled"), len(l.h.all(made("Machine", ".*"))); got != "True/ReconcileSucceeded" || n != 2 {
		t.Errorf("TopologyReconciled is %s, %d Machines were made", got, n)
	}
}
