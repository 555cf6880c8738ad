package controllers

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// sameSpec says whether two versions of an object have the same specification; before
// may be nil.
func sameSpec(u, before *unstructured.Unstructured) bool {
	return u == before || before != nil && resource.SameMap(specOf(u), specOf(before))
}

// sameKeys says whether two versions of an object have the same labels and annotations;
// before may be nil.
func sameKeys(u, before *unstructured.Unstructured) bool {
	if u == before || before == nil {
		return u == before
	}
	is, was := resource.Fields(u.Object, "metadata"), resource.Fields(before.Object, "metadata")
	return resource.SameMap(is, was) ||
		resource.SameMap(resource.Fields(is, "labels"), resource.Fields(was, "labels")) &&
			resource.SameMap(resource.Fields(is, "annotations"), resource.Fields(was, "annotations"))
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
			if u == nil {
				continue
			}
			specs, keys := isMachine && !sameSpec(u, part.was), !going && !sameKeys(u, part.was)
			if !specs && !keys {
				continue
			}
			d := edit(u, m.now())
			if specs {
				copyInPlace(d, resource.Fields(template, "spec"), "spec")
			}
			if keys {
				if labels == nil {
					labels, annotations = workerLabels(set), resource.Fields(template, "metadata", "annotations")
				}
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

// whole says whether all machines that stay have their two objects: a set does not get
// as far as scaling while it cannot bring these up to date.
func (m *Manager) whole(members []parts) bool {
	return !slices.ContainsFunc(members, func(p parts) bool {
		lacks := p.infrastructure == nil || p.config == nil && resource.Field(p.machine.Object, "spec", "bootstrap", "configRef") != nil
		return lacks && !m.view(p.machine).deleting
	})
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
