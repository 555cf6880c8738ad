package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// deleteControlPlane deletes all machines at once; nobody leaves etcd in order
// any more (domain.md 3.6). It waits until no worker is left that needs the API.
func (m *Manager) deleteControlPlane(p *controlPlane) (time.Duration, error) {
	if len(p.machines) == 0 {
		p.d.condition("Deleting", "True", "DeletionCompleted", "Deletion completed")
		summarizeControlPlane(p)
		if err := m.commit(actorKCP, p.d); err != nil {
			return 0, err
		}
		d := edit(m.store.Get(keyOf(p.u)), m.now())
		d.removeFinalizers(finalizerControlPlane)
		return 0, m.commit(actorKCP, d)
	}
	if err := m.inspectMachines(p); err != nil {
		return 0, err
	}
	if workers := m.workersOf(p.namespace, p.home.name); len(workers) > 0 {
		p.d.condition("Deleting", "True", "WaitingForWorkersDeletion", remaining(workers))
	} else {
		p.d.condition("Deleting", "True", "WaitingForMachineDeletion", deletingMachines(p.machines))
		for _, machine := range p.machines {
			if err := m.deleteWithoutHook(machine.machine); err != nil {
				return 0, err
			}
		}
	}
	summarizeControlPlane(p)
	return machineDeletionRetry, m.commit(actorKCP, p.d)
}

func (m *Manager) deleteWithoutHook(machine *unstructured.Unstructured) error {
	d := edit(machine, m.now())
	d.unset("metadata", "annotations", annotationPreTerminate)
	if err := m.commit(actorKCP, d); err != nil {
		return err
	}
	return m.remove(actorKCP, m.store.Get(keyOf(machine)))
}
