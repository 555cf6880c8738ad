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
	if id := resource.Text(u.Object, "status", "uniqueID"); err != nil && id != "" {
		if _, exists := m.vsphere.VM(id); !exists {
			return pace, nil
		}
	}
	return again, err
}

// A vmStep is one of vm-operator's on the way to a VM that runs. It reports
// whether the next one may begin, and otherwise when to look again.
type vmStep func(*draft, *unstructured.Unstructured) (done bool, again time.Duration, err error)

// driveVM takes a VirtualMachine through vm-operator's steps: prerequisites,
// network, placement, creation, power on, address, probe (domain.md E27-E34). What
// it waits for it computes from when the step before became true. Each step is
// written before the next begins, so that everybody sees it.
func (m *Manager) driveVM(u *unstructured.Unstructured) (time.Duration, error) {
	d := edit(u, m.now())
	if resource.Field(u.Object, "metadata", "annotations", annotationVMPaused) != nil {
		d.condition(conditionReconciled, "False", "VirtualMachineReconcilePaused", "")
		return 0, m.commit(actorVMService, d)
	}
	if deleting(u) {
		return m.deleteVM(d, u)
	}
	d.addFinalizer(finalizerVM)
	if err := m.lookAtVM(d, u); err != nil {
		return 0, err
	}
	steps := []vmStep{
		m.checkPrerequisites, m.placeVM, m.finishCreate, m.reportVM, m.syncPower, m.awaitAddress, m.awaitTools, m.probeVM,
	}
	for _, step := range steps {
		if d.changed() {
			if err := m.commit(actorVMService, d); err != nil {
				return 0, err
			}
			u = m.store.Get(keyOf(u))
			d = edit(u, m.now())
		}
		done, again, err := step(d, u)
		if err != nil {
			return 0, err
		}
		if !done {
			return again, m.commit(actorVMService, d)
		}
	}
	return 0, m.commit(actorVMService, d)
}

// primaryIP is the address that a VirtualMachine's guest reports, or "".
func primaryIP(u *unstructured.Unstructured) string {
	return resource.Text(contentOf(u), "status", "network", "primaryIP4")
}
