package vcenter

import (
	"fmt"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// A vmTask is something that vCenter does to a VM.
type vmTask struct {
	doing string // in words
	start func(*simulator.Context, *simulator.VirtualMachine) soap.HasFault
	// numbers is how many of vcsim's numbers it takes, with those of the tasks that
	// it starts.
	numbers int64
}

var (
	poweringOn = vmTask{"powering on", func(ctx *simulator.Context, vm *simulator.VirtualMachine) soap.HasFault {
		return vm.PowerOnVMTask(ctx, &types.PowerOnVM_Task{This: vm.Self})
	}, 1}
	poweringOff = vmTask{"powering off", func(ctx *simulator.Context, vm *simulator.VirtualMachine) soap.HasFault {
		return vm.PowerOffVMTask(ctx, &types.PowerOffVM_Task{This: vm.Self})
	}, 1}
	// destroying a VM deletes its one disk, and its folder.
	destroying = vmTask{"destroying", func(ctx *simulator.Context, vm *simulator.VirtualMachine) soap.HasFault {
		return vm.DestroyTask(ctx, &types.Destroy_Task{This: vm.Self})
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
	var body soap.HasFault
	v.registry.WithLock(ctx, vm, func() { body = t.start(ctx, vm) })
	if body.Fault() != nil {
		return "", faultError(t.doing+" "+moid, body)
	}
	ref := taskOf(body)
	if _, err = v.tasks.wait(ref); err == nil {
		err = v.tasks.waitCleanups()
	}
	if err != nil {
		return ref.Value, fmt.Errorf("%s %s: %w", t.doing, moid, err)
	}
	return ref.Value, nil
}

func taskOf(body soap.HasFault) (ref types.ManagedObjectReference) {
	switch b := body.(type) {
	case *methods.PowerOnVM_TaskBody:
		return b.Res.Returnval
	case *methods.PowerOffVM_TaskBody:
		return b.Res.Returnval
	case *methods.Destroy_TaskBody:
		return b.Res.Returnval
	}
	return ref
}
