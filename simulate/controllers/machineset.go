package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// reconcileSet keeps as many Machines as the set asks for: all missing ones are
// made in one pass, the surplus is deleted in one pass (observed.md 6.3). What
// changes in place goes to those that are there, and those that failed their
// health check are replaced. Its status is of the Machines as they were found.
func (m *Manager) reconcileSet(u *unstructured.Unstructured) (time.Duration, error) {
	cluster := m.clusterFor(u)
	if cluster == nil {
		return 0, nil
	}
	d := edit(u, m.now())
	if !deleting(u) && !d.hasFinalizer(finalizerSet) {
		claim(d, finalizerSet, finalizerSetTopology)
		return 0, m.commit(actorCore, d)
	}
	if halts(d, cluster) {
		return 0, m.commit(actorCore, d)
	}
	machines := m.machinesOf(u)
	if deleting(u) {
		return m.deleteSet(d, machines)
	}
	again, err := m.remediate(u, cluster, machines)
	if err != nil {
		return 0, err
	}
	if err := m.syncMachines(u, machines); err != nil {
		return 0, err
	}
	scale, blocked, err := m.scaleMachines(u, cluster, machines)
	if err != nil {
		return 0, err
	}
	summarizeSet(d, machines, blocked)
	return soonest(again, scale), m.commit(actorCore, d)
}

// machinesOf lists the Machines of a set, those that are going included.
func (m *Manager) machinesOf(set *unstructured.Unstructured) []*unstructured.Unstructured {
	return m.store.List(kindMachine.GroupKind, namespaceOf(set), map[string]string{
		labelCluster: labelOf(set, labelCluster), labelSet: labelValue(nameOf(set)),
	})
}

func summarizeSet(d *draft, machines []*unstructured.Unstructured, blocked string) {
	desired := resource.Int(d.root, "spec", "replicas")
	if deleting(d.base) {
		desired = 0
	}
	t := countMachines(machines)
	t.write(d)
	t.scaling(d, desired, blocked)
	t.conditions(d, machines)
	summarizeRemediation(d, machines)
	if !deleting(d.base) {
		d.condition("Deleting", "False", "NotDeleting", "")
	}
}

// deleteSet deletes all Machines at once and waits until they are gone.
func (m *Manager) deleteSet(d *draft, machines []*unstructured.Unstructured) (time.Duration, error) {
	summarizeSet(d, machines, "")
	if len(machines) == 0 {
		d.condition("Deleting", "True", "Deleting", "Deletion completed")
		return 0, m.letGo(d, finalizerSet)
	}
	d.condition("Deleting", "True", "Deleting", deletingMachines(machines))
	for _, machine := range machines {
		if err := m.remove(actorCore, machine); err != nil {
			return 0, err
		}
	}
	return 0, m.commit(actorCore, d)
}
