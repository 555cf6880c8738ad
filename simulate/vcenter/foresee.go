package vcenter

import (
	"fmt"

	"github.com/vmware/govmomi/simulator"
)

// What is done to every VM of a fleet is left to the backlog where its outcome is
// known. Where it is not, a function here returns nothing, and the caller does it
// at once.

// foresee enters and says whether outcomes are known; then next is the number of
// the next object. The caller leaves by direct.Unlock in any case.
func (v *VCenter) foresee() (bool, error) {
	if err := v.direct.enter(); err != nil {
		return false, err
	}
	if v.direct.idle() {
		v.next = v.newest() + 1
	}
	return !v.shared, nil
}

// foreseeCreate creates a VM later. In vcsim a VM has the number after its task's.
func (v *VCenter) foreseeCreate(spec VMSpec) (ref VMRef, err error) {
	known, err := v.foresee()
	defer v.direct.Unlock()
	g := v.groups[groupKey{spec.Namespace, spec.Cluster}]
	if err != nil || !known || g == nil {
		return VMRef{}, err
	}
	vm, err := newMachine(spec)
	if err != nil {
		return VMRef{}, err
	}
	if g.names[spec.Name] {
		return VMRef{}, nameTaken(g, spec.Name)
	}
	if err := v.ledger.take(vm.need(), spec.Spot, false); err != nil {
		return VMRef{}, err
	}
	ref = VMRef{Task: fmt.Sprintf("task-%d", v.next), MoID: fmt.Sprintf("vm-%d", v.next+1)}
	v.next += 2
	g.names[spec.Name] = true
	vm.MoID = ref.MoID
	v.machines.add(vm)
	v.direct.add(func() error {
		made, err := v.makeVM(g, spec)
		if err == nil && made != ref {
			err = fmt.Errorf("VM %s is %v, not %v", spec.Name, made, ref)
		}
		return err
	})
	return ref, nil
}

// foreseePower powers a VM on or off later.
func (v *VCenter) foreseePower(moid string, on bool) (task string, err error) {
	known, err := v.foresee()
	defer v.direct.Unlock()
	vm, there := v.VM(moid)
	if err != nil || !known || !there || vm.On == on || on && v.ledger.resting(vm.Spot.Host) {
		return "", err
	}
	v.machines.setPower(moid, on)
	return v.later(powering(on), moid), nil
}

// foreseeDestroy destroys a VM later.
func (v *VCenter) foreseeDestroy(moid string) (task string, err error) {
	known, err := v.foresee()
	defer v.direct.Unlock()
	if vm, there := v.VM(moid); err != nil || !known || !there || vm.On {
		return "", err
	}
	v.forget(moid)
	return v.later(destroying, moid), nil
}

// later leaves a task to the backlog, and returns its name. The caller has entered.
func (v *VCenter) later(t vmTask, moid string) (task string) {
	task = fmt.Sprintf("task-%d", v.next)
	v.next += t.numbers
	v.direct.add(func() error {
		ran, err := v.runTask(t, moid)
		if err == nil && ran != task {
			err = fmt.Errorf("%s %s is %s, not %s", t.doing, moid, ran, task)
		}
		return err
	})
	return task
}

// foreseeGuest sets guest information later, and reports whether it will.
func (v *VCenter) foreseeGuest(moid, ip, hostname string) (bool, error) {
	known, err := v.foresee()
	defer v.direct.Unlock()
	if _, there := v.VM(moid); err != nil || !known || !there {
		return false, err
	}
	v.machines.setGuest(moid, ip, hostname)
	v.direct.add(func() error {
		vm, err := find[*simulator.VirtualMachine](v, vmRef(moid))
		if err == nil {
			v.setGuest(v.context(), vm, ip, hostname)
		}
		return err
	})
	return true, nil
}
