package simulate_test

import (
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
)

// When its namespace is deleted everything of a Cluster is marked at once, and what
// has no finalizer is gone at once: certificates and bootstrap data first of all. The
// controllers finish all the same and no VM is left (observed.md 6.7, n1).
func TestANamespaceTakesALivingClusterWithIt(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 2)
	l.cut()
	l.doomed = true
	namespaces := l.api.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
	if err := namespaces.Delete(t.Context(), "team-a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	begun := l.world.Now()
	l.until("the namespace is gone", func() bool {
		_, err := namespaces.Get(t.Context(), "team-a", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	if took := l.world.Now().Sub(begun); took > 2*time.Minute {
		t.Errorf("it took %s; a Cluster alone takes 20 s (6.6)", took)
	}
	h := l.h.happened()
	at := h[h.first(t, marked("Cluster", "prod"))].T
	for _, m := range []match{
		marked("KubeadmControlPlane", ".*"), marked("MachineDeployment", ".*"), marked("MachineSet", ".*"), marked("Machine", cp), marked("Machine", worker),
		marked("VSphereMachine", cp), marked("VSphereCluster", ".*"), marked("VirtualMachine", worker),
		gone("Secret", "prod-ca"), gone("Secret", "prod-kubeconfig"), gone("Secret", cp), gone("KubeadmConfig", worker),
		gone("KubeadmConfigTemplate", ".*"), gone("VSphereMachineTemplate", ".*"),
	} {
		if i := h.first(t, m); h[i].T-at > 1000 {
			t.Errorf("6.7: %s came %d ms after the first mark, want the same second", m.what, h[i].T-at)
		}
	}
	h.inOrder(t, "6.7: VMs are removed all the same", gone("KubeadmConfig", worker), operated("Destroy_Task", worker), gone("VirtualMachine", worker), gone("Machine", worker))
	h.allBefore(t, "the Cluster outlives its machines", gone("Machine", ".*"), gone("Cluster", "prod"))
	if n := len(h.all(operated("Destroy_Task", "prod-.*"))); n != 5 {
		t.Errorf("%d VMs were destroyed, want 5", n)
	}
	if n := len(h.all(made(".*", ".*"))); n > 0 {
		t.Errorf("%d objects were made meanwhile", n)
	}
	if got := h.sequence("Cluster", "prod", "TopologyReconciled"); len(got) != 1 || got[0] != "False/Deleting" {
		t.Errorf("TopologyReconciled was %v", got)
	}
	for condition, kind := range map[string]string{"EtcdClusterHealthy": "KubeadmControlPlane", "ControlPlaneComponentsHealthy": "KubeadmControlPlane", "EtcdMemberHealthy": "Machine"} {
		if got := l.sequence(kind, ".*", condition); len(got) == 0 || got[0] != "Unknown/InspectionFailed" || len(slices.Compact(got)) > 1 {
			t.Errorf("without the CA of etcd %s of %s was %v", condition, kind, got)
		}
	}
}

// The ClusterClass of a namespace is refused to its deletion as to anybody's, until the
// last Cluster of it is gone, which could not go without it.
func TestANamespaceKeepsItsClassToTheLast(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.doomed = true
	l.make(ownClass("", ""))
	l.make(clusterOfOwnClass("v1.34.1+vmware.1-vkr.4"))
	l.settle("the creation")
	l.pass(5 * time.Minute)
	l.cut()
	namespaces := l.api.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
	if err := namespaces.Delete(t.Context(), "team-a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.until("the namespace is gone", func() bool {
		_, err := namespaces.Get(t.Context(), "team-a", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	l.h.happened().inOrder(t, "the class is used to the last", marked("Cluster", "prod"), gone("Machine", ".*"), gone("Cluster", "prod"), gone("ClusterClass", "qs"))
	for _, e := range l.h {
		if e.Object != nil && e.Object.Kind == "ClusterClass" && e.Object.Verb == resource.Updated {
			t.Error("the class was marked while it was used")
		}
	}
}
