package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// carriesSame says whether all that a set carries over is in an object what it was in
// another version of it.
func carriesSame(a, b *unstructured.Unstructured) bool {
	if a == b || a == nil || b == nil {
		return a == b
	}
	metadataA, metadataB := resource.Fields(a.Object, "metadata"), resource.Fields(b.Object, "metadata")
	return resource.SameMap(resource.Fields(a.Object, "spec"), resource.Fields(b.Object, "spec")) &&
		resource.SameMap(resource.Fields(metadataA, "labels"), resource.Fields(metadataB, "labels")) &&
		resource.SameMap(resource.Fields(metadataA, "annotations"), resource.Fields(metadataB, "annotations"))
}

// syncMachines brings what changes in place from the set to its Machines, and the
// labels and annotations to their KubeadmConfigs and VSphereMachines too. A Machine
// that goes takes in only what its end depends on. machines are those of members as
// remediation has left them; both are then as they were written. before are the
// members to which the set, as it is, was brought already.
func (m *Manager) syncMachines(set *unstructured.Unstructured, machines []*unstructured.Unstructured, members, before []parts) error {
	template := resource.Fields(set.Object, "spec", "template")
	var labels, annotations map[string]any
	for i := range members {
		is, was := &members[i], parts{}
		is.machine = machines[i]
		if i < len(before) {
			was = before[i]
		}
		going := m.view(is.machine).deleting
		for _, part := range [...]struct {
			is  **unstructured.Unstructured
			was *unstructured.Unstructured
		}{{&is.machine, was.machine}, {&is.infrastructure, was.infrastructure}, {&is.config, was.config}} {
			u, isMachine := *part.is, part.is == &is.machine
			if u == nil || going && !isMachine || carriesSame(u, part.was) {
				continue
			}
			if labels == nil {
				labels, annotations = workerLabels(set), resource.Fields(template, "metadata", "annotations")
			}
			d := edit(u, m.now())
			if isMachine {
				copyInPlace(d, resource.Fields(template, "spec"), "spec")
			}
			if !going {
				d.carryKeys(labels, nil, "metadata", "labels")
				d.carryKeys(annotations, nil, "metadata", "annotations")
			}
			if !d.changed() {
				continue
			}
			if err := m.commit(actorCore, d); err != nil {
				return err
			}
			*part.is = m.store.Get(keyOf(u))
		}
		machines[i] = is.machine
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
	for _, machine := range m.machinesOf(m.view(set)) {
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
