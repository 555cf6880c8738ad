package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// notifyDeployment wakes the sets and machines of a deployment that changed: the
// sets compare their revision with its, the machines their template.
func (m *Manager) notifyDeployment(c kubeapi.Change) {
	if c.Before == nil || c.After == nil || resource.Int(c.Before.Object, "metadata", "generation") == resource.Int(c.After.Object, "metadata", "generation") {
		return
	}
	// Listing needs the store, which is locked now.
	m.clock.AfterFunc(0, func() {
		sets := m.setsOf(viewOf(c.After.Object, nil))
		for _, owned := range [][]*unstructured.Unstructured{sets, m.machinesOfSets(sets)} {
			for _, u := range owned {
				m.enqueueKey(keyOf(u), hop)
			}
		}
	})
}
