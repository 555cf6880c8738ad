package vcenter

import (
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// switching is the work of a task that powers a VM of the Supervisor on or off. It
// is what vcsim's own does, but copies the one device that changes, not all of them
// by way of XML.
func (v *VCenter) switching(vm *simulator.VirtualMachine, state types.VirtualMachinePowerState) work {
	on := state == types.VirtualMachinePowerStatePoweredOn
	return func(ctx *simulator.Context) (types.AnyType, types.BaseMethodFault) {
		if has := vm.Runtime.PowerState; has == state {
			return nil, &types.InvalidPowerState{RequestedState: state, ExistingState: has}
		}
		at, err := v.homeNow(vm)
		if err != nil || on && at.host.Runtime.InMaintenanceMode {
			return nil, new(types.InvalidState)
		}
		event := v.vmEvent(vm, at)
		var booted any
		if on {
			booted = now()
			v.note(ctx, &types.VmStartingEvent{VmEvent: event}, &types.VmPoweredOnEvent{VmEvent: event})
		} else {
			v.note(ctx, &types.VmStoppingEvent{VmEvent: event}, &types.VmPoweredOffEvent{VmEvent: event})
		}
		v.registry.Update(ctx, vm, []types.PropertyChange{
			{Name: "runtime.powerState", Val: state},
			{Name: "summary.runtime.powerState", Val: state},
			{Name: "summary.runtime.bootTime", Val: booted},
			{Name: "config.hardware.device", Val: connected(vm.Config.Hardware.Device, on)},
		})
		return nil, nil
	}
}

// connected is devices with the network adapters plugged in, or pulled out. Others
// may be reading what is there.
func connected(devices []types.BaseVirtualDevice, on bool) []types.BaseVirtualDevice {
	devices = slices.Clone(devices)
	for i, d := range devices {
		if card, ok := d.(*types.VirtualVmxnet3); ok && card.Connectable != nil {
			changed, plug := *card, *card.Connectable
			plug.Connected = on && plug.StartConnected
			changed.Connectable = &plug
			devices[i] = &changed
		}
	}
	return devices
}
