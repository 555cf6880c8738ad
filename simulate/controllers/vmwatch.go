package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/vcenter"
)

// The power states of a VirtualMachine.
const (
	poweredOn  = "PoweredOn"
	poweredOff = "PoweredOff"
)

// wantedPower is the power state that is asked for; on is the default of the webhook.
func wantedPower(u *unstructured.Unstructured) string {
	if state := resource.Text(u.Object, "spec", "powerState"); state != "" {
		return state
	}
	return poweredOn
}

func powerOf(vm vcenter.VMState) string {
	if vm.On {
		return poweredOn
	}
	return poweredOff
}

// lookAtVM takes in what became of the VM in vCenter. A VM that lost the power
// state that is asked for is given it again, one that is gone is made again with
// the same name and UUIDs, and where one was moved to is only reported. That its
// size is not that of its class is reported by nothing: vm-operator compares the
// class that the VirtualMachine names.
func (m *Manager) lookAtVM(d *draft, u *unstructured.Unstructured) error {
	id := resource.Text(u.Object, "status", "uniqueID")
	if id == "" {
		return nil
	}
	vm, exists := m.vsphere.VM(id)
	if !exists {
		loseVM(d)
		return nil
	}
	d.set(vm.Spot.Host, "status", "nodeName")
	d.set(vm.Spot.Zone, "status", "zone")
	if !d.isTrue(conditionPower) || powerOf(vm) == wantedPower(u) && powerOf(vm) == resource.Text(u.Object, "status", "powerState") {
		return nil
	}
	d.set(powerOf(vm), "status", "powerState")
	if powerOf(vm) != wantedPower(u) {
		d.condition(conditionPower, "False", "NotSynced", "spec.powerState="+wantedPower(u)+" != status.powerState="+powerOf(vm))
	}
	if vm.On {
		return nil
	}
	d.condition(conditionGuestNetwork, "False", "NotSynced", "Neither IPv4 nor IPv6 address reported by guest")
	d.condition(conditionTools, "False", "VirtualMachineToolsNotRunning", "VMware Tools is not running")
	d.unset("status", "network")
	return m.vsphere.SetGuest(id, "", "") // Tools do not run any more
}

// loseVM is the status of a VirtualMachine whose VM is gone: that of one which was
// never placed.
func loseVM(d *draft) {
	for _, field := range []string{"uniqueID", "nodeName", "powerState", "network"} {
		d.unset("status", field)
	}
	d.dropConditions(conditionPlacement, conditionCreated, conditionPower, conditionGuestNetwork,
		conditionTools, conditionCustomization, conditionLocation, conditionReconciled, "Ready")
}
