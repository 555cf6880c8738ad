package vcenter

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/units"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// Change is what a client has done to a VM of the Supervisor, behind its back.
type Change struct {
	// VM is as it is now; a destroyed one, as it was.
	VM VMState
	// Op is the name of the task, as vCenter shows it: PowerOff, Destroy,
	// ReconfigVm, RelocateVm and so on.
	Op string
	// User is who did it, DOMAIN\name.
	User string
}

// settled keeps ledger and machines in step with what a client did. What we do
// ourselves, where user is "", is in our books before or after.
func (v *VCenter) settled(task types.TaskInfo, user string) {
	if user == "" || task.State != types.TaskInfoStateSuccess || task.Entity == nil {
		return
	}
	moid := task.Entity.Value
	changed := func(m *machine) {
		if !m.foreign && v.onChange != nil {
			v.onChange(Change{VM: m.VMState, Op: task.Name, User: user})
		}
	}
	switch task.Name {
	case "CreateVm":
		if ref, ok := task.Result.(types.ManagedObjectReference); ok {
			v.adopt(ref)
		}
	case "PowerOn", "PowerOff", "Suspend", "ShutdownGuest", "StandbyGuest", "Reset":
		on := task.Name == "PowerOn" || task.Name == "Reset"
		v.machines.change(moid, func(m *machine) { m.On = on; changed(m) })
	case "ReconfigVm", "RelocateVm":
		v.machines.change(moid, func(m *machine) { v.rebook(m); changed(m) })
	case "Destroy":
		if vm := v.forget(moid); vm != nil {
			changed(vm)
		}
	case "EnterMaintenanceMode", "ExitMaintenanceMode":
		v.ledger.setMaintenance(entityName(v.registry, *task.Entity), task.Name == "EnterMaintenanceMode")
	}
}

// rebook books a VM as it is now, in place of how it was. It always fits: vCenter
// lets its hosts be filled beyond what a planner would.
func (v *VCenter) rebook(m *machine) {
	vm, ok := v.registry.Get(vmRef(m.MoID)).(*simulator.VirtualMachine)
	if !ok {
		return
	}
	var now *machine
	v.registry.WithLock(&simulator.Context{Map: v.registry}, vm.Self, func() { now = v.machineOf(&vm.VirtualMachine) })
	v.ledger.give(m.need(), m.Spot)
	m.CPUs, m.MemoryMiB, m.Spot = now.CPUs, now.MemoryMiB, now.Spot
	_ = v.ledger.take(m.need(), m.Spot, true) // fails only for a host that is in no zone
}

// adopt books a VM that a client made over SOAP.
func (v *VCenter) adopt(ref types.ManagedObjectReference) {
	vm, ok := v.registry.Get(ref).(*simulator.VirtualMachine)
	if !ok {
		return
	}
	var m *machine
	v.registry.WithLock(&simulator.Context{Map: v.registry}, vm.Self, func() { m = v.machineOf(&vm.VirtualMachine) })
	if v.ledger.take(m.need(), m.Spot, true) == nil {
		v.machines.add(m)
	}
}

func (v *VCenter) machineOf(vm *mo.VirtualMachine) *machine {
	m := &machine{foreign: true}
	m.Name, m.MoID, m.InstanceUUID = vm.Name, vm.Self.Value, vm.Config.InstanceUuid
	m.CPUs, m.MemoryMiB = int(vm.Config.Hardware.NumCPU), int64(vm.Config.Hardware.MemoryMB)
	m.DiskGiB = diskGiB(vm.Config.Hardware.Device)
	if len(vm.Datastore) > 0 && vm.Runtime.Host != nil {
		m.Spot = v.ledger.spotOf(entityName(v.registry, *vm.Runtime.Host), entityName(v.registry, vm.Datastore[0]))
	}
	return m
}

func diskGiB(list []types.BaseVirtualDevice) (sum int64) {
	for _, d := range list {
		if disk, ok := d.(*types.VirtualDisk); ok {
			sum += max(disk.CapacityInBytes/units.GB, disk.CapacityInKB/units.MB)
		}
	}
	return sum
}
