package controllers

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// reportTopology writes TopologyReconciled. up is nil when there was nothing to
// upgrade yet. One condition says at most one thing; what comes first here wins.
//
// Cluster API 1.14 says ClusterUpgrading for all of what earlier releases called
// ControlPlaneUpgradePending, MachineDeploymentsUpgradePending and
// MachineDeploymentsCreatePending; names are in the message.
func (m *Manager) reportTopology(cluster *unstructured.Unstructured, up *upgrade) error {
	if cluster == nil {
		return nil
	}
	d := m.edit(cluster)
	report := func(status, reason, message string) {
		d.observed("TopologyReconciled", status, reason, message)
	}
	switch {
	case paused(cluster, cluster):
		report("False", "Paused", pauseMessage(cluster, cluster))
	case deleting(cluster):
		report("False", "Deleting", "Cluster is deleting")
	case m.classFor(cluster) == nil:
		report("False", "ReconcileFailed", "error reading the ClusterClass: ClusterClass "+classOf(cluster)+" not found")
	case !m.classReconciled(cluster):
		report("False", "ClusterClassNotReconciled", "ClusterClass "+classOf(cluster)+" is not reconciled")
	case up == nil || !up.inProgress():
		report("True", "ReconcileSucceeded", "")
	default:
		report("False", up.reason(), up.message())
	}
	return m.commit(actorTopology, d)
}

// reason is that of an upgrade under way, except where only people hold it up.
func (up *upgrade) reason() string {
	if len(up.deferred) > 0 && len(up.running) == 0 && len(up.waiting) == 0 && !up.starting && !up.upgrading {
		return "MachineDeploymentsUpgradeDeferred"
	}
	return "ClusterUpgrading"
}

func (up *upgrade) message() string {
	out := []string{"Cluster is upgrading to " + up.to}
	add := func(format string, args ...any) { out = append(out, "  * "+fmt.Sprintf(format, args...)) }
	switch {
	case up.starting || up.upgrading:
		add("KubeadmControlPlane upgrading to version %s", up.controlPlaneVersion)
	case up.pending:
		add("KubeadmControlPlane pending upgrade to version %s", up.to)
	}
	if len(up.running) > 0 {
		add("%s upgrading to version %s", nameList("MachineDeployment", up.running), up.controlPlaneVersion)
	}
	if len(up.waiting) > 0 {
		add("%s pending upgrade to version %s", nameList("MachineDeployment", up.waiting), up.to)
	}
	if len(up.deferred) > 0 {
		add("%s upgrade to version %s deferred by annotation", nameList("MachineDeployment", up.deferred), up.to)
	}
	if len(up.creations) > 0 {
		add("%s creation deferred until the control plane is stable", nameList("MachineDeployment", up.creations))
	}
	return lines(out)
}

// nameList names up to three of a kind, sorted.
func nameList(kind string, names []string) string {
	return string(appendNames(nil, kind, slices.Sorted(slices.Values(names))))
}

// classReconciled says whether the class of a Cluster is there and its present
// form was looked at by its own controller.
func (m *Manager) classReconciled(cluster *unstructured.Unstructured) bool {
	class := m.classFor(cluster)
	return class != nil && resource.Int(class.Object, "status", "observedGeneration") == resource.Int(class.Object, "metadata", "generation")
}
