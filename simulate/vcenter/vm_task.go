package vcenter

import (
	"fmt"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

// A vmTask is something that vCenter does to a VM.
type vmTask struct {
	doing string // in words
	start func(*VCenter, *simulator.Context, *simulator.VirtualMachine) (task types.ManagedObjectReference)
	// numbers is how many of vcsim's numbers it takes, with those of the tasks that
	// it starts.
	numbers int64
}

var (
	poweringOn = vmTask{"powering on", func(v *VCenter, ctx *simulator.Context, vm *simulator.VirtualMachine) types.ManagedObjectReference {
		return simulator.CreateTask(vm, "powerOn", v.switching(ctx, vm, true)).Run(ctx)
	}, 1}
	poweringOff = vmTask{"powering off", func(v *VCenter, ctx *simulator.Context, vm *simulator.VirtualMachine) types.ManagedObjectReference {
		return simulator.CreateTask(vm, "powerOff", v.switching(ctx, vm, false)).Run(ctx)
	}, 1}
	// destroying a VM deletes its one disk, and its folder.
	destroying = vmTask{"destroying", func(_ *VCenter, ctx *simulator.Context, vm *simulator.VirtualMachine) types.ManagedObjectReference {
		return vm.DestroyTask(ctx, &types.Destroy_Task{This: vm.Self}).(*methods.Destroy_TaskBody).Res.Returnval
	}, 3}
)

func powering(on bool) vmTask {
	if on {
		return poweringOn
	}
	return poweringOff
}

// runTask starts a task on a VM and waits for its end.
func (v *VCenter) runTask(t vmTask, moid string) (task string, err error) {
	vm, err := find[*simulator.VirtualMachine](v, vmRef(moid))
	if err != nil {
		return "", fmt.Errorf("%s: %w", t.doing, err)
	}
	ctx := v.context()
	var ref types.ManagedObjectReference
	v.registry.WithLock(ctx, vm.Self, func() { ref = t.start(v, ctx, vm) })
	if _, err = v.tasks.wait(ref); err == nil {
		err = v.tasks.waitCleanups()
	}
	if err != nil {
		return ref.Value, fmt.Errorf("%s %s: %w", t.doing, moid, err)
	}
	return ref.Value, nil
}
