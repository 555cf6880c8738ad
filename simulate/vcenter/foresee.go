package vcenter

import (
	"fmt"

	"github.com/vmware/govmomi/simulator"
)

// The three things that are done to every VM of a fleet are left to the backlog
// where their outcome is known. Where it is not, they return nothing, and the
// caller does them at once.

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

// foreseePowerOn powers a VM on later.
func (v *VCenter) foreseePowerOn(moid string) (task string, err error) {
	known, err := v.foresee()
	defer v.direct.Unlock()
	vm, there := v.VM(moid)
	if err != nil || !known || !there || vm.On || v.ledger.resting(vm.Spot.Host) {
		return "", err
	}
	task = fmt.Sprintf("task-%d", v.next)
	v.next++
	v.machines.change(moid, func(m *machine) { m.On = true })
	v.direct.add(func() error {
		ran, err := v.runTask("powering on", moid, powerOn)
		if err == nil && ran != task {
			err = fmt.Errorf("powering on %s is %s, not %s", moid, ran, task)
		}
		return err
	})
	return task, nil
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

// freeName lets another VM have the name of one that is gone.
func (v *VCenter) freeName(vm VMState) {
	v.direct.Lock()
	defer v.direct.Unlock()
	if g := v.groups[groupKey{vm.Namespace, vm.Cluster}]; g != nil {
		delete(g.names, vm.Name)
	}
}
