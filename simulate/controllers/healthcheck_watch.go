package controllers

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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
func (m *Manager) notifyHealthChecks(machine *unstructured.Unstructured) {
	for _, key := range m.checks[clusterName{namespaceOf(machine), labelOf(machine, labelCluster)}] {
		m.enqueueKey(key, hop)
	}
}
