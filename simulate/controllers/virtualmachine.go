package controllers

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
	"github.com/vksync/vksync/simulate/vcenter"
)

const (
	conditionClass        = "VirtualMachineClassReady"
	conditionImage        = "VirtualMachineImageReady"
	conditionPolicy       = "VirtualMachineConditionVMSetResourcePolicyReady"
	conditionBootstrap    = "VirtualMachineBootstrapReady"
	conditionStorage      = "VirtualMachineStorageReady"
	conditionNetwork      = "VirtualMachineNetworkReady"
	conditionPlacement    = "VirtualMachineConditionPlacementReady"
	conditionCreated      = "VirtualMachineCreated"
	conditionPower        = "VirtualMachinePowerStateSynced"
	conditionGuestNetwork = "VirtualMachineGuestNetworkConfigSynced"
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

// driveVM takes a VirtualMachine through vm-operator's steps: prerequisites,
// network, placement, creation, power on, address (domain.md E27-E34). What it
// waits for it computes from when the step before became true.
func (m *Manager) driveVM(u *unstructured.Unstructured) (time.Duration, error) {
	d := edit(u, m.now())
	if deleting(u) {
		return m.deleteVM(d, u)
	}
	if !d.hasFinalizer(finalizerVM) {
		d.addFinalizer(finalizerVM)
	}
	if !hasCondition(u, conditionNetwork) {
		return m.beginVM(d, u)
	}
	if err := m.lookAtVM(d, u); err != nil {
		return 0, err
	}
	steps := []func(*draft, *unstructured.Unstructured) (done bool, again time.Duration, err error){
		m.checkPrerequisites, m.connectNetwork, m.placeVM, m.finishCreate, m.syncPower, m.awaitAddress,
	}
	for _, step := range steps {
		done, again, err := step(d, u)
		if err != nil {
			return 0, err
		}
		if !done {
			return again, m.commit(actorVMService, d)
		}
	}
	if hasLabel(u, labelVMRole) && labelOf(u, labelVMRole) == "controlplane" {
		d.condition("VirtualMachineTools", "True", "VirtualMachineToolsRunning", "")
	}
	return 0, m.commit(actorVMService, d)
}

// beginVM reports the prerequisites and, once they are met, asks for the network.
func (m *Manager) beginVM(d *draft, u *unstructured.Unstructured) (time.Duration, error) {
	met, again, err := m.checkPrerequisites(d, u)
	if err != nil {
		return 0, err
	}
	if met {
		d.condition(conditionNetwork, "False", "NotReady", "network interface is not ready")
	}
	if err := m.commit(actorVMService, d); err != nil || !met {
		return again, err
	}
	_, err = m.createNIC(u)
	return vmRetry, err
}

// checkPrerequisites looks for class, image, resource policy, bootstrap data and
// storage. All are reported, not only the first that is missing.
func (m *Manager) checkPrerequisites(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	if d.isTrue(conditionCreated) {
		return true, 0, nil
	}
	namespace := namespaceOf(u)
	spec := resource.Fields(u.Object, "spec")
	met := true
	check := func(condition string, found bool, reason, message string) {
		if found {
			d.condition(condition, "True", "True", "")
			return
		}
		met = false
		d.condition(condition, "False", reason, message)
	}
	class := resource.Text(spec, "className")
	check(conditionClass, m.get(kindVMClass, namespace, class) != nil, "NotFound",
		fmt.Sprintf("virtualmachineclasses.vmoperator.vmware.com %q not found", class))
	image := resource.Text(spec, "imageName")
	check(conditionImage, m.imageVisible(namespace, image), "NotFound",
		fmt.Sprintf("clustervirtualmachineimages.vmoperator.vmware.com %q not found", image))
	policy := resource.Text(spec, "reserved", "resourcePolicyName")
	if p := m.get(kindResourcePolicy, namespace, policy); p == nil {
		check(conditionPolicy, false, "NotFound", fmt.Sprintf("virtualmachinesetresourcepolicies.vmoperator.vmware.com %q not found", policy))
	} else {
		check(conditionPolicy, resource.Items(p.Object, "status", "resourcePools") != nil, "NotReady", "resource policy "+policy+" is not ready")
	}
	secret := resource.Text(spec, "bootstrap", "cloudInit", "rawCloudConfig", "name")
	check(conditionBootstrap, m.get(kindSecret, namespace, secret) != nil, "NotFound", fmt.Sprintf("secrets %q not found", secret))
	storage := resource.Text(spec, "storageClass")
	check(conditionStorage, m.get(kindStorageClass, "", storage) != nil, "NotFound", fmt.Sprintf("storageclasses.storage.k8s.io %q not found", storage))
	return met, vmRetry, nil
}

// connectNetwork waits until the VM's interface has an address.
func (m *Manager) connectNetwork(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	if d.isTrue(conditionCreated) {
		return true, 0, nil
	}
	nic, err := m.createNIC(u)
	if err != nil {
		return false, 0, err
	}
	if !isTrue(nic.Object, "Ready") {
		message := "network interface is not ready"
		if c := resource.ConditionOf(nic.Object, "Ready"); c.Message != "" {
			message += ": " + c.Message
		}
		d.condition(conditionNetwork, "False", "NotReady", message)
		return false, vmRetry, nil
	}
	d.condition(conditionNetwork, "True", "True", "")
	return true, 0, nil
}

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
	d.condition(conditionPlacement, "True", "True", "")
	d.label(labelZone, spot.Zone)
	d.set(vm.MoID, "status", "uniqueID")
	d.set(spot.Zone, "status", "zone")
	d.set(spot.Host, "status", "nodeName")
	m.onVM(VMEvent{Op: "CreateVM_Task", Task: vm.Task, VM: u, Spot: spot})
	return true, 0, nil
}

// finishCreate waits until the disks are there.
func (m *Manager) finishCreate(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	if d.isTrue(conditionCreated) {
		return true, 0, nil
	}
	if wait := due(m, d, conditionPlacement, StepCreate, u); wait > 0 {
		return false, wait, nil
	}
	d.condition(conditionCreated, "True", "True", "")
	d.condition(conditionPower, "False", "NotSynced", "")
	return true, 0, nil
}

// syncPower gives the VM the power state that is asked for.
func (m *Manager) syncPower(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	wanted := wantedPower(u)
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
	d.condition(conditionPower, "True", "Synced", "")
	d.condition(conditionGuestNetwork, "False", "NotSynced", "")
	return wanted == poweredOn, 0, nil
}

// awaitAddress waits until the guest reports the address its port was given.
func (m *Manager) awaitAddress(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	if d.isTrue(conditionGuestNetwork) {
		return true, 0, nil
	}
	if wait := due(m, d, conditionPower, StepGuestAddress, u); wait > 0 {
		return false, wait, nil
	}
	ip := m.addressOf(u)
	id := resource.Text(d.root, "status", "uniqueID")
	if err := m.vsphere.SetGuest(id, ip, nameOf(u)); err != nil {
		return false, 0, err
	}
	d.set(ip, "status", "network", "primaryIP4")
	d.set(nameOf(u), "status", "network", "hostName")
	d.condition(conditionGuestNetwork, "True", "Synced", "")
	m.onVM(VMEvent{Op: "guest.ipAddress", VM: u, Spot: m.vsphere.Spot(id), IP: ip})
	return true, 0, nil
}

// due is how long step still takes, counted from when condition became true.
func due(m *Manager, d *draft, condition string, step Step, u *unstructured.Unstructured) time.Duration {
	return since(d.root, condition).Add(m.takes(step, namespaceOf(u), nameOf(u))).Sub(m.now())
}

// deleteVM powers the VM off, destroys it and lets go.
func (m *Manager) deleteVM(d *draft, u *unstructured.Unstructured) (time.Duration, error) {
	id := resource.Text(u.Object, "status", "uniqueID")
	if id == "" {
		d.removeFinalizers(finalizerVM)
		return 0, m.commit(actorVMService, d)
	}
	asked := parseStamp(resource.Text(u.Object, "metadata", "deletionTimestamp"))
	off := asked.Add(m.takes(StepPowerOff, namespaceOf(u), nameOf(u)))
	if wait := off.Sub(m.now()); wait > 0 {
		return wait, m.commit(actorVMService, d)
	}
	vm, exists := m.vsphere.VM(id)
	if exists && vm.On {
		task, err := m.vsphere.PowerOff(id)
		if err != nil {
			return 0, err
		}
		d.set(poweredOff, "status", "powerState")
		m.onVM(VMEvent{Op: "PowerOffVM_Task", Task: task, VM: u, Spot: vm.Spot})
	}
	if wait := off.Add(m.takes(StepDestroy, namespaceOf(u), nameOf(u))).Sub(m.now()); wait > 0 {
		return wait, m.commit(actorVMService, d)
	}
	if exists {
		task, err := m.vsphere.Destroy(id)
		if err != nil {
			return 0, err
		}
		m.onVM(VMEvent{Op: "Destroy_Task", Task: task, VM: u, Spot: vm.Spot})
	}
	d.removeFinalizers(finalizerVM)
	return 0, m.commit(actorVMService, d)
}

// reconcileResourcePolicy makes the folder and the pools of a cluster. It goes
// only when no VM refers to it any more (domain.md 1.16).
func (m *Manager) reconcileResourcePolicy(u *unstructured.Unstructured) (time.Duration, error) {
	namespace, name := namespaceOf(u), nameOf(u)
	d := edit(u, m.now())
	if deleting(u) {
		if len(m.ofCluster(kindVM, namespace, name)) > 0 {
			return deletePoll, nil
		}
		if err := m.vsphere.RemoveClusterFolder(namespace, name); err != nil {
			return 0, err
		}
		d.removeFinalizers(finalizerResourcePolicy)
		return 0, m.commit(actorVMService, d)
	}
	if !d.hasFinalizer(finalizerResourcePolicy) {
		d.addFinalizer(finalizerResourcePolicy)
	}
	if resource.Items(u.Object, "status", "resourcePools") == nil {
		made, err := m.vsphere.MakeClusterFolder(namespace, name)
		if err != nil {
			return 0, err
		}
		pools := []any{}
		modules := []any{}
		for _, zone := range m.inventory.ZoneNames() {
			pools = append(pools, map[string]any{"clusterMoID": zone, "childResourcePoolMoID": made.PoolMoIDs[zone]})
			for _, group := range resource.Items(u.Object, "spec", "clusterModuleGroups") {
				text, _ := group.(string)
				modules = append(modules, map[string]any{"groupName": text, "moduleUUID": m.chance.UUID("module", zone, namespace, text), "clusterMoID": zone})
			}
		}
		d.replace(pools, "status", "resourcePools")
		d.replace(modules, "status", "clustermodules")
	}
	return 0, m.commit(actorVMService, d)
}

// account keeps sums that would be too dear to compute when they are asked for:
// node disks per storage class, and who has which address.
func (m *Manager) account(c kubeapi.Change) {
	u := c.After
	if u == nil {
		u = c.Before
	}
	if u.GetKind() == kindVM.Kind && (c.Before == nil || c.After == nil) {
		class := storageClass{namespaceOf(u), resource.Text(u.Object, "spec", "storageClass")}
		if c.After == nil {
			m.usage[class] -= m.diskMiB(u)
		} else {
			m.usage[class] += m.diskMiB(u)
		}
	}
	if c.After == nil {
		m.addresses.release(uidOf(u))
	}
}

type storageClass struct{ namespace, name string }

// defaultDiskGiB is the root disk of a node whose image says nothing (domain.md V10).
const defaultDiskGiB = 20

// diskMiB is the size of all disks of a VirtualMachine or VSphereMachine.
func (m *Manager) diskMiB(u *unstructured.Unstructured) int64 {
	image, _ := m.inventory.Image(resource.Text(u.Object, "spec", "imageName"))
	size := image.DiskGiB
	if size == 0 {
		size = defaultDiskGiB
	}
	return size * 1024
}

func primaryIP(u *unstructured.Unstructured) string {
	return resource.Text(contentOf(u), "status", "network", "primaryIP4")
}
