package simulate_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vksync/vksync/reconcile/resource"
)

// A Cluster that goes before its control plane was initialized looks for the
// infrastructure in place of the control plane that is gone.
func TestAnUninitialisedClusterGoes(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.doomed = true
	l.make(clusterOf("v1.34", "", "name: a, replicas: 1")[4:])
	l.until("the first machine is there", func() bool { return len(l.machines()) > 0 })
	if err := l.kind("Cluster").Delete(t.Context(), "prod", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.pass(5 * time.Minute)
	want := []string{"False/NotInitialized", "Unknown/InternalError", "Unknown/ObjectDoesNotExist"}
	if got := l.h.sequence("Cluster", "prod", "ControlPlaneInitialized"); !slices.Equal(got, want) {
		t.Errorf("ControlPlaneInitialized was %v, want %v", got, want)
	}
	want = []string{"False/NotDeleting", "True/WaitingForWorkersDeletion", "True/WaitingForControlPlaneDeletion", "True/WaitingForInfrastructureDeletion", "True/DeletionCompleted"}
	if got := l.h.sequence("Cluster", "prod", "Deleting"); !slices.Equal(got, want) {
		t.Errorf("Deleting was %v, want %v", got, want)
	}
}

// ownClass is a ClusterClass of the namespace, with more of its spec and metadata.
func ownClass(metadata, spec string) string {
	return `{apiVersion: cluster.x-k8s.io/v1beta2, kind: ClusterClass, metadata: {name: qs, namespace: team-a` + metadata + `}, spec: {` + spec + `
		infrastructure: {templateRef: {apiVersion: vmware.infrastructure.cluster.x-k8s.io/v1beta2, kind: VSphereClusterTemplate, name: qs-cluster}},
		controlPlane: {templateRef: {apiVersion: controlplane.cluster.x-k8s.io/v1beta2, kind: KubeadmControlPlaneTemplate, name: qs-cp}},
		workers: {machineDeployments: [{class: w, bootstrap: {templateRef: {apiVersion: bootstrap.cluster.x-k8s.io/v1beta2, kind: KubeadmConfigTemplate, name: qs-b}},
			infrastructure: {templateRef: {apiVersion: vmware.infrastructure.cluster.x-k8s.io/v1beta2, kind: VSphereMachineTemplate, name: qs-m}}}]}}}`
}

// clusterOfOwnClass is prod of that class with one machine of each sort.
func clusterOfOwnClass(version string) string {
	return `{apiVersion: cluster.x-k8s.io/v1beta2, kind: Cluster, metadata: {name: prod, namespace: team-a}, spec: {clusterNetwork: {pods: {cidrBlocks: [192.168.0.0/16]}, services: {cidrBlocks: [10.96.0.0/12]}},
		topology: {classRef: {name: qs}, version: ` + version + `, controlPlane: {replicas: 1}, workers: {machineDeployments: [{class: w, name: a, replicas: 1}]},
		variables: [{name: vmClass, value: best-effort-small}, {name: storageClass, value: vks-gold}]}}}`
}

// Without its class a Cluster has no status but that of its topology; with one that
// nobody has looked at it knows nothing of what it does not have yet.
func TestAClusterWaitsForItsClass(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.make(clusterOfOwnClass("v1.34.1+vmware.1-vkr.4"))
	l.pass(10 * time.Second)
	var types []string
	for _, c := range resource.Items(l.cluster().Object, "status", "conditions") {
		types = append(types, resource.Text(c, "type"))
	}
	slices.Sort(types)
	if !slices.Equal(types, []string{"Paused", "TopologyReconciled"}) || l.reconciled("TopologyReconciled") != "False/ReconcileFailed" {
		t.Errorf("without a class the Cluster says %v, TopologyReconciled %s", types, l.reconciled("TopologyReconciled"))
	}
	l.make(ownClass(`, annotations: {cluster.x-k8s.io/paused: ""}`, ""))
	l.pass(10 * time.Second)
	for condition, want := range map[string]string{
		"TopologyReconciled": "False/ReconcileFailed", "InfrastructureReady": "False/ObjectDoesNotExist", "ControlPlaneAvailable": "False/ObjectDoesNotExist",
		"ControlPlaneInitialized": "Unknown/ObjectDoesNotExist", "WorkersAvailable": "Unknown/InternalError", "ScalingUp": "Unknown/InternalError",
		"Deleting": "False/NotDeleting", "Available": "False/NotAvailable",
	} {
		if got := l.reconciled(condition); got != want {
			t.Errorf("with a class that is paused %s is %s, want %s", condition, got, want)
		}
	}
	if got := resource.Text(l.cluster().Object, "status", "phase"); got != "Pending" {
		t.Errorf("the phase is %q", got)
	}
	l.patch("ClusterClass", "qs", `{"metadata":{"annotations":{"cluster.x-k8s.io/paused":null}}}`)
	l.pass(10 * time.Minute)
	if got := l.reconciled("Available"); got != "True/Available" {
		t.Errorf("in the end Available is %s", got)
	}
}
