package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/vcenter"
)

// The annotations in which vm-operator keeps its books (observed.md 5).
const (
	annotationVMPaused       = "vmoperator.vmware.com/paused"
	annotationCreatedBuild   = "vmoperator.vmware.com/created-at-build-version"
	annotationCreatedSchema  = "vmoperator.vmware.com/created-at-schema-version"
	annotationManagerID      = "vmoperator.vmware.com/manager-id"
	annotationUpgradedBuild  = "vmoperator.vmware.com/upgraded-to-build-version"
	annotationUpgradedSchema = "vmoperator.vmware.com/upgraded-to-schema-version"
	annotationUpgradedWhat   = "vmoperator.vmware.com/upgraded-to-feature-version"
	annotationBootstrapHash  = "vmoperator.vmware.com/bootstrap-hash-configspec"
	annotationModuleUUID     = "vsphere-cluster-module-group-uuid"
	annotationFirstBoot      = "virtualmachine.vmoperator.vmware.com/first-boot-done"

	vmOperatorBuild = "v1.9.1"
)

// placeVM asks for a host and a datastore and starts the creation there.
func (m *Manager) placeVM(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	if resource.Text(d.root, "status", "uniqueID") != "" {
		return true, 0, nil
	}
	if wait := due(m, d, conditionNetwork, StepPlacement, u); wait > 0 {
		return false, wait, nil
	}
	class, _ := m.inventory.VMClass(resource.Text(u.Object, "spec", "className"))
	spot, err := m.vsphere.Place(vcenter.PlaceRequest{
		Namespace: namespaceOf(u), Zone: labelOf(u, labelZone),
		CPUs: class.CPUs, MemoryMiB: class.MemoryMiB, DiskGiB: m.diskMiB(u) / 1024,
		Reserved: class.Reserved, StoragePolicy: resource.Text(u.Object, "spec", "storageClass"),
	})
	if err != nil {
		d.condition(conditionPlacement, "False", placementReason(err), err.Error())
		return false, 3 * vmRetry, nil
	}
	vm, err := m.vsphere.CreateVM(vcenter.VMSpec{
		Namespace: namespaceOf(u), Cluster: labelOf(u, labelVMCluster), Name: nameOf(u), Spot: spot,
		CPUs: class.CPUs, MemoryMiB: class.MemoryMiB, DiskGiB: m.diskMiB(u) / 1024, Reserved: class.Reserved,
		InstanceUUID: resource.Text(u.Object, "spec", "instanceUUID"), BiosUUID: resource.Text(u.Object, "spec", "biosUUID"),
	})
	if err != nil {
		return false, 0, err
	}
	d.again(conditionPlacement, "True", "True", "")
	d.label(labelZone, spot.Zone)
	d.set(vm.MoID, "status", "uniqueID")
	d.set(spot.Zone, "status", "zone")
	d.set(spot.Host, "status", "nodeName")
	m.onVM(VMEvent{Op: "CreateVM_Task", Task: vm.Task, VM: u, Spot: spot})
	return true, 0, nil
}

// finishCreate waits until the disks are there.
func (m *Manager) finishCreate(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	if isMade(d) {
		return true, 0, nil
	}
	if wait := due(m, d, conditionPlacement, StepCreate, u); wait > 0 {
		return false, wait, nil
	}
	d.again(conditionCreated, "True", "True", "")
	return false, pace, nil
}

// reportVM is the first look at a VM that has been created, which is off.
func (m *Manager) reportVM(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	if d.has(conditionPower) && !d.since(conditionPower).Before(d.since(conditionCreated)) {
		return true, 0, nil
	}
	d.condition(conditionCustomization, "Unknown", "NoGuestInfo", "")
	d.condition(conditionGuestNetwork, "False", "NotSynced", "Neither IPv4 nor IPv6 address reported by guest")
	d.condition(conditionLocation, "True", "True", "")
	d.again(conditionPower, "False", "NotSynced", "spec.powerState="+m.view(u).wantedPower()+" != status.powerState="+poweredOff)
	d.condition(conditionReconciled, "True", "True", "")
	d.condition(conditionTools, "False", "VirtualMachineToolsNotRunning", "VMware Tools is not running")
	if probed(u) {
		d.condition("Ready", "False", "NotReady", "virtual machine is not powered on")
	}
	d.set(poweredOff, "status", "powerState")
	d.set(resource.Text(u.Object, "spec", "biosUUID"), "status", "biosUUID")
	d.set(resource.Text(u.Object, "spec", "instanceUUID"), "status", "instanceUUID")
	annotations := map[string]string{
		annotationUpgradedBuild:  vmOperatorBuild,
		annotationUpgradedSchema: kindVM.version(),
		annotationUpgradedWhat:   "1",
		annotationBootstrapHash:  decimalHash(resource.Text(u.Object, "spec", "bootstrap", "cloudInit", "rawCloudConfig", "name")),
	}
	if module := m.moduleOf(u); module != "" {
		annotations[annotationModuleUUID] = module
	}
	for key, value := range annotations {
		d.set(value, "metadata", "annotations", key)
	}
	return true, 0, nil
}

// moduleOf is the cluster module, in the VM's zone, of the group that its
// annotation names; "" when its resource policy has none.
func (m *Manager) moduleOf(u *unstructured.Unstructured) string {
	v := m.view(u)
	group, zone := resource.Text(v.annotations, annotationModule), resource.Text(v.status, "zone")
	policy := m.view(m.policyOf(v, resource.Text(v.spec, "reserved", "resourcePolicyName")))
	for _, module := range resource.Items(policy.status, "clustermodules") {
		if resource.Text(module, "groupName") == group && resource.Text(module, "clusterMoID") == zone {
			return resource.Text(module, "moduleUUID")
		}
	}
	return ""
}

// syncPower gives the VM the power state that is asked for.
func (m *Manager) syncPower(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	wanted := m.view(u).wantedPower()
	if d.isTrue(conditionPower) {
		return wanted == poweredOn, 0, nil // without power there is nothing more to wait for
	}
	step, op, run := StepPowerOn, "PowerOnVM_Task", m.vsphere.PowerOn
	if wanted != poweredOn {
		step, op, run = StepPowerOff, "PowerOffVM_Task", m.vsphere.PowerOff
	}
	if wait := due(m, d, conditionPower, step, u); wait > 0 {
		return false, wait, nil
	}
	id := resource.Text(d.root, "status", "uniqueID")
	if vm, _ := m.vsphere.VM(id); powerOf(vm) != wanted {
		task, err := run(id)
		if err != nil {
			d.condition(conditionPower, "False", "NotSynced", err.Error())
			return false, vmRetry, nil
		}
		m.onVM(VMEvent{Op: op, Task: task, VM: u, Spot: m.vsphere.Spot(id)})
	}
	d.set(wanted, "status", "powerState")
	d.condition(conditionPower, "True", "Synced", wanted)
	d.condition(conditionGuestNetwork, "False", "NotSynced", "Neither IPv4 nor IPv6 address reported by guest")
	if wanted == poweredOn {
		d.set("true", "metadata", "annotations", annotationFirstBoot)
	}
	return wanted == poweredOn, 0, nil
}

// due is how long step still takes, counted from when condition took its status.
func due(m *Manager, d *draft, condition string, step Step, u *unstructured.Unstructured) time.Duration {
	return d.since(condition).Add(m.takes(step, namespaceOf(u), nameOf(u))).Sub(m.now())
}
