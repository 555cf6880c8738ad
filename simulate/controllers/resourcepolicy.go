package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// reconcileResourcePolicy makes the folder and the pools of a cluster. It goes
// only when no VM refers to it any more (domain.md 1.16).
func (m *Manager) reconcileResourcePolicy(u *unstructured.Unstructured) (time.Duration, error) {
	namespace, name := namespaceOf(u), nameOf(u)
	d := edit(u, m.now())
	if deleting(u) {
		if len(m.ofCluster(kindVM, namespace, name)) > 0 {
			return deletePoll, nil
		}
		if err := m.vsphere.RemoveClusterFolder(namespace, name); err != nil {
			return 0, err
		}
		d.removeFinalizers(finalizerResourcePolicy)
		return 0, m.commit(actorVMService, d)
	}
	if !d.hasFinalizer(finalizerResourcePolicy) {
		d.addFinalizer(finalizerResourcePolicy)
	}
	if resource.Items(u.Object, "status", "resourcePools") == nil {
		made, err := m.vsphere.MakeClusterFolder(namespace, name)
		if err != nil {
			return 0, err
		}
		pools := []any{}
		modules := []any{}
		for _, zone := range m.inventory.ZoneNames() {
			pools = append(pools, map[string]any{"clusterMoID": zone, "childResourcePoolMoID": made.PoolMoIDs[zone]})
			for _, group := range resource.Items(u.Object, "spec", "clusterModuleGroups") {
				text, _ := group.(string)
				modules = append(modules, map[string]any{"groupName": text, "moduleUUID": m.chance.UUID("module", zone, namespace, text), "clusterMoID": zone})
			}
		}
		d.replace(pools, "status", "resourcePools")
		d.replace(modules, "status", "clustermodules")
	}
	return 0, m.commit(actorVMService, d)
}
