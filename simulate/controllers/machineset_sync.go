package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// syncMachines brings what changes in place from the set to its Machines, and the
// labels and annotations to their KubeadmConfigs and VSphereMachines too. A Machine
// that goes takes in only what its end depends on.
func (m *Manager) syncMachines(set *unstructured.Unstructured, machines []*unstructured.Unstructured) error {
	template := resource.Fields(set.Object, "spec", "template")
	labels, annotations := workerLabels(set), resource.Fields(template, "metadata", "annotations")
	for i, machine := range machines {
		d := edit(machine, m.now())
		copyInPlace(d, resource.Fields(template, "spec"), "spec")
		if !deleting(machine) {
			d.carryKeys(labels, nil, "metadata", "labels")
			d.carryKeys(annotations, nil, "metadata", "annotations")
		}
		if err := m.commit(actorCore, d); err != nil {
			return err
		}
		if d.changed() {
			machines[i] = m.store.Get(keyOf(machine))
		}
		if deleting(machine) {
			continue
		}
		for _, k := range []kind{kindVSphereMachine, kindKubeadmConfig} {
			part := m.get(k, namespaceOf(machine), nameOf(machine))
			if part == nil {
				continue
			}
			d := edit(part, m.now())
			d.carryKeys(labels, nil, "metadata", "labels")
			d.carryKeys(annotations, nil, "metadata", "annotations")
			if err := m.commit(actorCore, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// forget removes labels and annotations from the machines of a set that its
// template had before and has no more.
func (m *Manager) forget(set *unstructured.Unstructured, before, after map[string]any) error {
	gone := func(field string) map[string]any {
		left := map[string]any{}
		now := resource.Fields(after, field)
		for key := range resource.Fields(before, field) {
			if _, still := now[key]; !still {
				left[key] = nil
			}
		}
		return left
	}
	labels, annotations := gone("labels"), gone("annotations")
	if len(labels) == 0 && len(annotations) == 0 {
		return nil
	}
	for _, machine := range m.machinesOf(set) {
		for _, k := range []kind{kindMachine, kindVSphereMachine, kindKubeadmConfig} {
			u := m.get(k, namespaceOf(machine), nameOf(machine))
			if u == nil {
				continue
			}
			d := edit(u, m.now())
			d.carryKeys(nil, labels, "metadata", "labels")
			d.carryKeys(nil, annotations, "metadata", "annotations")
			if err := m.commit(actorCore, d); err != nil {
				return err
			}
		}
	}
	return nil
}
