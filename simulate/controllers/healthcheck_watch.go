package controllers

import (
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// A clusterName is the cluster that a MachineHealthCheck names.
type clusterName struct{ namespace, name string }

// noteHealthCheck keeps which clusters have MachineHealthChecks. The name of the
// cluster in one cannot change.
func (m *Manager) noteHealthCheck(c kubeapi.Change) {
	cluster := clusterName{c.Key.Namespace, resource.Text(subjectIn(c).Object, "spec", "clusterName")}
	keys := slices.DeleteFunc(m.checks[cluster], func(known kubeapi.Key) bool { return known == c.Key })
	if c.After != nil {
		keys = append(keys, c.Key)
	}
	if m.checks[cluster] = keys; len(keys) == 0 {
		delete(m.checks, cluster)
	}
}

// notifyHealthChecks wakes the checks of a machine's cluster, which have a pace of
// their own.
func (m *Manager) notifyHealthChecks(machine *view) {
	for _, key := range m.checks[clusterName{machine.namespace, machine.cluster}] {
		m.enqueueKey(key, hop)
	}
}
