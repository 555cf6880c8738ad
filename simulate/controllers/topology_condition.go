package controllers

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// reportTopology writes TopologyReconciled. up is nil when there was nothing to
// upgrade yet; unread is why the pass could not be made. One condition says at most one
// thing; what comes first here wins.
//
// Cluster API 1.14 says ClusterUpgrading for all of what earlier releases called
// ControlPlaneUpgradePending, MachineDeploymentsUpgradePending and
// MachineDeploymentsCreatePending; names are in the message.
func (m *Manager) reportTopology(cluster *unstructured.Unstructured, up *upgrade, unread error) error {
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
	case unread != nil:
		report("False", "ReconcileFailed", unread.Error())
	case deleting(cluster):
		report("False", "Deleting", "Cluster is deleting")
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
		add("KubeadmControlPlane upgrading to version %s%s", up.controlPlaneVersion, up.later(up.plan.controlPlane))
	case len(up.plan.controlPlane) > 0:
		add("KubeadmControlPlane pending upgrade to version %s", strings.Join(up.plan.controlPlane, ", "))
	}
	if len(up.running) > 0 {
		add("%s upgrading to version %s%s", nameList("MachineDeployment", up.running), up.controlPlaneVersion, up.later(up.plan.workers))
	}
	if waiting := without(up.waiting, up.running); len(waiting) > 0 {
		add("%s pending upgrade to version %s", nameList("MachineDeployment", waiting), strings.Join(up.plan.workers, ", "))
	}
	if held := without(up.deferred, up.running); len(held) > 0 {
		add("%s upgrade to version %s deferred using defer-upgrade or hold-upgrade-sequence annotations", nameList("MachineDeployment", held), up.controlPlaneVersion)
	}
	if len(up.creations) > 0 {
		add("%s creation deferred while control plane upgrade is in progress", nameList("MachineDeployment", up.creations))
	}
	return lines(out)
}

// later are the steps of a plan that come after the version that is taken now.
func (up *upgrade) later(steps []string) string {
	if left := without(steps, []string{up.controlPlaneVersion}); len(left) > 0 {
		return fmt.Sprintf(" (%s pending)", strings.Join(left, ", "))
	}
	return ""
}

// without are the names that are not among others.
func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

// nameList names up to three of a kind, sorted.
func nameList(kind string, names []string) string {
	return string(appendNames(nil, kind, slices.Sorted(slices.Values(names))))
}
