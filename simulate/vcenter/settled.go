package vcenter

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/units"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// settled keeps ledger and machines in step with what vcsim did, whoever asked for it.
func (v *VCenter) settled(task types.TaskInfo) {
	if task.State != types.TaskInfoStateSuccess || task.Entity == nil {
		return
	}
	moid := task.Entity.Value
	switch task.Name {
	case "CreateVm":
		if ref, ok := task.Result.(types.ManagedObjectReference); ok {
			v.adopt(ref)
		}
	case "PowerOn", "PowerOff":
		on := task.Name == "PowerOn"
		v.machines.change(moid, func(m *machine) { m.On = on })
	case "Destroy":
		if vm := v.machines.take(moid); vm != nil {
			v.ledger.give(vm.need(), vm.Spot)
		}
	case "EnterMaintenanceMode", "ExitMaintenanceMode":
		v.ledger.setMaintenance(entityName(v.registry, *task.Entity), task.Name == "EnterMaintenanceMode")
	}
}

// adopt books a VM that a client made over SOAP.
func (v *VCenter) adopt(ref types.ManagedObjectReference) {
	vm, ok := v.registry.Get(ref).(*simulator.VirtualMachine)
	if !ok {
		return
	}
	var m *machine
	v.registry.WithLock(&simulator.Context{Map: v.registry}, vm, func() { m = v.machineOf(&vm.VirtualMachine) })
	if v.machines.expects(m.InstanceUUID) {
		return
	}
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
