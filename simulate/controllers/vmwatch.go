package controllers

import (
	"cmp"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/vcenter"
)

// The power states of a VirtualMachine.
const (
	poweredOn  = "PoweredOn"
	poweredOff = "PoweredOff"
)

// uniqueID is what vCenter calls the VM; "" where it was not made yet.
func (v *view) uniqueID() string { return resource.Text(v.status, "uniqueID") }

// wantedPower is the power state that is asked for; on is the default of the webhook.
func (v *view) wantedPower() string { return cmp.Or(resource.Text(v.spec, "powerState"), poweredOn) }

func powerOf(vm vcenter.VMState) string {
	if vm.On {
		return poweredOn
	}
	return poweredOff
}

// A vmSight is what vm-operator sees of a VM in vCenter. The zero value is of one
// that was not made yet.
type vmSight struct {
	id                string
	exists            bool
	host, zone, power string
}

func (m *Manager) see(id string) vmSight {
	if id == "" {
		return vmSight{}
	}
	vm, exists := m.vsphere.VM(id)
	return vmSight{id, exists, vm.Spot.Host, vm.Spot.Zone, powerOf(vm)}
}

// sightIn is what the status of a VirtualMachine says of it. Whoever did something
// to the VM meanwhile made it another.
func sightIn(status map[string]any) vmSight {
	id := resource.Text(status, "uniqueID")
	if id == "" {
		return vmSight{}
	}
	return vmSight{
		id: id, exists: true, host: resource.Text(status, "nodeName"), zone: resource.Text(status, "zone"),
		power: cmp.Or(resource.Text(status, "powerState"), poweredOff),
	}
}

// lookAtVM takes in what became of the VM in vCenter. A VM that lost the power
// state that is asked for is given it again, one that is gone is made again with
// the same name and UUIDs, and where one was moved to is only reported. That its
// size is not that of its class is reported by nothing: vm-operator compares the
// class that the VirtualMachine names.
func (m *Manager) lookAtVM(d *draft, v *view, vm vmSight) error {
	switch {
	case vm.id == "":
		return nil
	case !vm.exists:
		loseVM(d, v)
		return nil
	}
	d.set(vm.host, "status", "nodeName")
	d.set(vm.zone, "status", "zone")
	if !d.isTrue(conditionPower) {
		return nil
	}
	wanted := v.wantedPower()
	if vm.power == wanted && vm.power == resource.Text(v.status, "powerState") {
		return nil
	}
	d.set(vm.power, "status", "powerState")
	if vm.power != wanted {
		d.condition(conditionPower, "False", "NotSynced", "spec.powerState="+wanted+" != status.powerState="+vm.power)
	}
	if vm.power == poweredOn {
		return nil
	}
	silenceGuest(d)
	return m.vsphere.SetGuest(vm.id, "", "") // Tools do not run any more
}

// silenceGuest is the status of a VirtualMachine whose guest reports nothing any more.
func silenceGuest(d *draft) {
	d.condition(conditionGuestNetwork, "False", "NotSynced", "Neither IPv4 nor IPv6 address reported by guest")
	d.condition(conditionTools, "False", "VirtualMachineToolsNotRunning", "VMware Tools is not running")
	d.unset("status", "network")
}

// loseVM forgets which VM a VirtualMachine had. vm-operator takes back nothing of what
// it said of it but that it was on, as one that can be destroyed is not; it says all of
// it again of the next one.
func loseVM(d *draft, v *view) {
	d.unset("status", "uniqueID")
	d.unset("status", "nodeName")
	if !d.has(conditionPower) {
		return // it was being made
	}
	d.set(poweredOff, "status", "powerState")
	if wanted := v.wantedPower(); wanted != poweredOff {
		d.condition(conditionPower, "False", "NotSynced", "spec.powerState="+wanted+" != status.powerState="+poweredOff)
	}
	silenceGuest(d)
	if d.has("Ready") {
		d.condition("Ready", "False", "NotReady", "virtual machine is not powered on")
	}
}

// isMade says that the VM is there that was placed last.
func isMade(d *draft) bool {
	return d.isTrue(conditionCreated) && !d.since(conditionCreated).Before(d.since(conditionPlacement))
}

// again is condition of another VM than that of which it was said before.
func (d *draft) again(kind, status, reason, message string) {
	if d.has(kind) {
		d.dropConditions(kind)
	}
	d.condition(kind, status, reason, message)
}
