package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// deleteVM powers the VM off, destroys it and lets go, and says nothing of it meanwhile.
// A creation that is under way has to end first: a VM that is being made cannot be
// deleted (domain.md 3.6).
func (m *Manager) deleteVM(d *draft, u *unstructured.Unstructured) (time.Duration, error) {
	id := resource.Text(u.Object, "status", "uniqueID")
	if id == "" {
		d.removeFinalizers(finalizerVM)
		return 0, m.commit(actorVMService, d)
	}
	vm, exists := m.vsphere.VM(id)
	asked := parseStamp(resource.Text(u.Object, "metadata", "deletionTimestamp"))
	if exists && !isMade(d) {
		made := d.since(conditionPlacement).Add(m.takes(StepCreate, namespaceOf(u), nameOf(u)))
		if made.After(asked) {
			asked = made
		}
	}
	off := asked.Add(m.takes(StepPowerOff, namespaceOf(u), nameOf(u)))
	if wait := off.Sub(m.now()); wait > 0 {
		return wait, m.commit(actorVMService, d)
	}
	if exists && vm.On {
		task, err := m.vsphere.PowerOff(id)
		if err != nil {
			return 0, err
		}
		m.onVM(VMEvent{Op: "PowerOffVM_Task", Task: task, VM: u, Spot: vm.Spot})
	}
	if wait := off.Add(m.takes(StepDestroy, namespaceOf(u), nameOf(u))).Sub(m.now()); wait > 0 {
		return wait, m.commit(actorVMService, d)
	}
	if exists {
		task, err := m.vsphere.Destroy(id)
		if err != nil {
			return 0, err
		}
		m.onVM(VMEvent{Op: "Destroy_Task", Task: task, VM: u, Spot: vm.Spot})
	}
	d.removeFinalizers(finalizerVM)
	return 0, m.commit(actorVMService, d)
}
