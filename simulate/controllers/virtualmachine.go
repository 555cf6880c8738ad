package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/vcenter"
)

// The conditions of a VirtualMachine, in the groups in which vm-operator writes
// them first (observed.md 6.4).
const (
	conditionClass     = "VirtualMachineClassReady"
	conditionImage     = "VirtualMachineImageReady"
	conditionPolicy    = "VirtualMachineConditionVMSetResourcePolicyReady"
	conditionBootstrap = "VirtualMachineBootstrapReady"
	conditionStorage   = "VirtualMachineStorageReady"
	conditionNetwork   = "VirtualMachineNetworkReady"

	conditionPlacement = "VirtualMachineConditionPlacementReady"
	conditionCreated   = "VirtualMachineCreated"

	conditionCustomization = "GuestCustomization"
	conditionGuestNetwork  = "VirtualMachineGuestNetworkConfigSynced"
	conditionLocation      = "VirtualMachineInValidLocation"
	conditionPower         = "VirtualMachinePowerStateSynced"
	conditionReconciled    = "VirtualMachineReconcileReady"
	conditionTools         = "VirtualMachineTools"
)

// vmPrerequisites are the conditions that come before a VM is created, in the
// order in which vm-operator and CAPV look at them (domain.md E28, 1.10).
var vmPrerequisites = []string{
	conditionClass, conditionImage, conditionPolicy, conditionBootstrap,
	conditionStorage, conditionNetwork, conditionPlacement,
}

// vmRetry is vm-operator's requeue where something is missing (domain.md 2.3).
const vmRetry = 10 * time.Second

// A VMEvent is something that happened to a virtual machine in vCenter.
type VMEvent struct {
	Op, Task string
	VM       *unstructured.Unstructured
	Spot     vcenter.Spot
	IP       string
}

// reconcileVM reconciles a VirtualMachine, once more if the VM goes meanwhile.
func (m *Manager) reconcileVM(u *unstructured.Unstructured) (time.Duration, error) {
	again, err := m.driveVM(u)
	if err == nil {
		return again, nil
	}
	if id := resource.Text(u.Object, "status", "uniqueID"); id != "" {
		if _, exists := m.vsphere.VM(id); !exists {
			return pace, nil
		}
	}
	return 0, err
}

// A vmTaken is what a pass of a VirtualMachine took in that left it with nothing to
// do before a time.
type vmTaken struct {
	seen vmSight
	due  time.Time // zero is never
}

// A vmStep is one of vm-operator's on the way to a VM that runs. It reports
// whether the next one may begin, and otherwise when to look again.
type vmStep func(*Manager, *draft, *unstructured.Unstructured) (done bool, again time.Duration, err error)

var vmSteps = []vmStep{
	(*Manager).checkPrerequisites, (*Manager).placeVM, (*Manager).finishCreate, (*Manager).reportVM,
	(*Manager).syncPower, (*Manager).awaitAddress, (*Manager).awaitTools, (*Manager).probeVM,
}

// driveVM takes a VirtualMachine through vm-operator's steps: prerequisites,
// network, placement, creation, power on, address, probe (domain.md E27-E34). What
// it waits for it computes from when the step before became true.
func (m *Manager) driveVM(u *unstructured.Unstructured) (time.Duration, error) {
	v := m.view(u)
	last, _ := v.taken.(*vmTaken)
	if last != nil && last.seen == m.see(last.seen.id) && !over(last.due, m.now()) {
		return until(last.due, m.now()), nil
	}
	seen := m.see(v.uniqueID())
	d := m.edit(u)
	if v.vmPaused {
		return 0, nil // nor does it say so: that is of a pause by the administrator of vSphere
	}
	if v.deleting {
		return m.deleteVM(d, u)
	}
	d.addFinalizer(finalizerVM)
	if err := m.lookAtVM(d, v, seen); err != nil {
		return 0, err
	}
	d, again, err := m.stepVM(d)
	if err != nil {
		return 0, err
	}
	var taken *vmTaken
	if said := sightIn(resource.Fields(d.root, "status")); said.exists && !retries(again) && !probed(u) {
		taken = &vmTaken{seen: said, due: at(again, d.now)}
	}
	return again, m.settle(actorVMService, d, taken)
}

// stepVM takes a draft as far as it goes now. Each step is written before the next
// begins, so that everybody sees it; the last one is in the draft that it returns.
func (m *Manager) stepVM(d *draft) (*draft, time.Duration, error) {
	for _, step := range vmSteps {
		if d.changed() {
			u, err := m.write(actorVMService, d)
			if err != nil {
				return nil, 0, err
			}
			d = m.edit(u)
		}
		if done, again, err := step(m, d, d.base); err != nil || !done {
			return d, again, err
		}
	}
	return d, 0, nil
}

// retries says whether a wait is one for what nobody tells of. Who wakes the
// VirtualMachine before it is over has it look too.
func retries(wait time.Duration) bool { return wait > 0 && wait%vmRetry == 0 }
