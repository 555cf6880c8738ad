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
	u := c.After
	if u == nil {
		u = c.Before
	}
	cluster, key := clusterName{namespaceOf(u), resource.Text(u.Object, "spec", "clusterName")}, keyOf(u)
	keys := slices.DeleteFunc(m.checks[cluster], func(known kubeapi.Key) bool { return known == key })
	if c.After != nil {
		keys = append(keys, key)
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
