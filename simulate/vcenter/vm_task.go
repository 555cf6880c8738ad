package vcenter

import (
	"fmt"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// A vmTask is something that vCenter does to a VM.
type vmTask struct {
	doing string // in words
	run   func(*VCenter, *simulator.VirtualMachine) (task string, err error)
	// numbers is how many of vcsim's numbers it takes, with those of the tasks that
	// it starts.
	numbers int64
}

var (
	poweringOn = vmTask{"powering on", func(v *VCenter, vm *simulator.VirtualMachine) (string, error) {
		return v.perform(vm, "powerOn", v.switching(vm, types.VirtualMachinePowerStatePoweredOn))
	}, 1}
	poweringOff = vmTask{"powering off", func(v *VCenter, vm *simulator.VirtualMachine) (string, error) {
		return v.perform(vm, "powerOff", v.switching(vm, types.VirtualMachinePowerStatePoweredOff))
	}, 1}
	// destroying a VM deletes its one disk, and its folder.
	destroying = vmTask{"destroying", (*VCenter).destroy, 3}
)

func powering(on bool) vmTask {
	if on {
		return poweringOn
	}
	return poweringOff
}

// runTask does a task to a VM, from its begin to its end.
func (v *VCenter) runTask(t vmTask, moid string) (task string, err error) {
	vm, err := find[*simulator.VirtualMachine](v, vmRef(moid))
	if err != nil {
		return "", fmt.Errorf("%s: %w", t.doing, err)
	}
	if task, err = t.run(v, vm); err != nil {
		return task, fmt.Errorf("%s %s: %w", t.doing, moid, err)
	}
	return task, nil
}

// destroy has vcsim destroy a VM.
func (v *VCenter) destroy(vm *simulator.VirtualMachine) (task string, err error) {
	ctx := v.context()
	var ref types.ManagedObjectReference
	v.registry.WithLock(ctx, vm.Self, func() {
		ref = vm.DestroyTask(ctx, &types.Destroy_Task{This: vm.Self}).(*methods.Destroy_TaskBody).Res.Returnval
	})
	if _, err = v.tasks.wait(ref); err != nil {
		return ref.Value, err
	}
	return ref.Value, v.tasks.waitCleanups()
}

// A work is what a task does to the object that it is of, which is locked.
type work func(*simulator.Context) (result types.AnyType, fault types.BaseMethodFault)

// perform does the work of a task, and puts the task into vcsim as one that is over:
// vcsim's own way has a goroutine for each, and all wait for it.
func (v *VCenter) perform(entity mo.Reference, name string, do work) (task string, err error) {
	t := simulator.CreateTask(entity, name, nil)
	t.Self = types.ManagedObjectReference{Type: "Task", Value: fmt.Sprintf("task-%d", v.number())}
	t.Info.Key, t.Info.Task = t.Self.Value, t.Self
	t.Info.StartTime = types.NewTime(now())
	ctx := v.context()
	v.registry.WithLock(ctx, *t.Info.Entity, func() {
		var fault types.BaseMethodFault
		t.Info.Result, fault = do(ctx)
		t.Info.State = types.TaskInfoStateSuccess
		if fault != nil {
			t.Info.State = types.TaskInfoStateError
			t.Info.Error = &types.LocalizedMethodFault{Fault: fault, LocalizedMessage: fmt.Sprintf("%T", fault)}
			err = &TaskError{Task: t.Self.Value, Fault: fault}
		}
		t.Info.CompleteTime = types.NewTime(now())
		v.registry.Put(t)
	})
	v.tasks.sweep()
	return t.Self.Value, err
}
