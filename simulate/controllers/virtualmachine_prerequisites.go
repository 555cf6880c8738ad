package controllers

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// vmChecks say whether a prerequisite is met: what is missing is the reason.
var vmChecks = []struct {
	condition string
	look      func(*Manager, *view) (reason, message string)
}{
	{conditionClass, (*Manager).lookForClass}, {conditionImage, (*Manager).lookForImage}, {conditionPolicy, (*Manager).lookForPolicy},
	{conditionBootstrap, (*Manager).lookForBootstrap}, {conditionStorage, (*Manager).lookForStorage},
}

// checkPrerequisites looks for class, image, resource policy, bootstrap data and
// storage. All are reported, not only the first that is missing; the network is
// asked for when none is (domain.md 1.12, E28).
func (m *Manager) checkPrerequisites(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	v := m.view(u)
	if v.uniqueID() != "" {
		return true, 0, nil // they are looked at before a creation, not during it
	}
	if v.annotations[annotationManagerID] == nil {
		d.set(m.chance.UUID("manager"), "metadata", "annotations", annotationManagerID)
	}
	met := true
	for _, check := range vmChecks {
		if reason, message := check.look(m, v); reason != "" {
			met = false
			d.condition(check.condition, "False", reason, message)
		} else {
			d.condition(check.condition, "True", "True", "")
		}
	}
	if !met {
		return false, vmRetry, nil
	}
	return m.connectNetwork(d, u)
}

func notFound(resources, name string) (reason, message string) {
	return "NotFound", fmt.Sprintf("%s %q not found", resources, name)
}

func (m *Manager) lookForClass(vm *view) (reason, message string) {
	class := resource.Text(vm.spec, "className")
	if m.get(kindVMClass, vm.namespace, class) == nil {
		return notFound("virtualmachineclasses.vmoperator.vmware.com", class)
	}
	return "", ""
}

func (m *Manager) lookForImage(vm *view) (reason, message string) {
	name := resource.Text(vm.spec, "imageName")
	switch image := m.image(name); {
	case image == nil:
		return notFound("clustervirtualmachineimages.vmoperator.vmware.com", name)
	case !isTrue(image.Object, "Ready"):
		return "NotReady", "VirtualMachineImage is not ready"
	}
	return "", ""
}

// imageNamePrefix begins the names of images; anything else is what a person calls one.
const imageNamePrefix = "vmi-"

// image is the image of a name or of a display name; nil when there is none.
func (m *Manager) image(name string) *unstructured.Unstructured {
	if image := m.get(kindClusterImage, "", name); image != nil || strings.HasPrefix(name, imageNamePrefix) || name == "" {
		return image
	}
	for _, image := range m.store.List(kindClusterImage.GroupKind, "", nil) {
		if resource.Text(image.Object, "status", "name") == name {
			return image
		}
	}
	return nil
}

// policyOf is the resource policy of a name that a VirtualMachine asks for, mostly that of
// its Cluster; nil when there is none.
func (m *Manager) policyOf(vm *view, name string) *unstructured.Unstructured {
	home := m.view(m.follow(&vm.home, kindCluster, vm.namespace, vm.cluster))
	if home.absent() || home.name != name {
		return m.get(kindResourcePolicy, vm.namespace, name)
	}
	return m.follow(&home.share().reserved, kindResourcePolicy, vm.namespace, name)
}

func (m *Manager) lookForPolicy(vm *view) (reason, message string) {
	name := resource.Text(vm.spec, "reserved", "resourcePolicyName")
	if name == "" {
		return "", ""
	}
	switch p := m.policyOf(vm, name); {
	case p == nil:
		return notFound("virtualmachinesetresourcepolicies.vmoperator.vmware.com", name)
	case m.view(p).deleting:
		return "NotReady", "resource policy " + name + " is being deleted"
	case resource.Items(m.view(p).status, "resourcePools") == nil:
		return "NotReady", "resource policy " + name + " is not ready"
	}
	return "", ""
}

func (m *Manager) lookForBootstrap(vm *view) (reason, message string) {
	secret := resource.Text(vm.spec, "bootstrap", "cloudInit", "rawCloudConfig", "name")
	if secret != "" && m.get(kindSecret, vm.namespace, secret) == nil {
		return notFound("secrets", secret)
	}
	return "", ""
}

func (m *Manager) lookForStorage(vm *view) (reason, message string) {
	class := resource.Text(vm.spec, "storageClass")
	switch {
	case class == "":
		return "StorageClassRequired", "StorageClass is required but not specified"
	case m.get(kindStorageClass, "", class) == nil:
		return notFound("storageclasses.storage.k8s.io", class)
	}
	return "", ""
}

// connectNetwork asks for the VM's interface and waits until it has an address.
func (m *Manager) connectNetwork(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	if d.isTrue(conditionNetwork) {
		return true, 0, nil
	}
	fresh := !d.has(conditionNetwork)
	nic, err := m.createNIC(u)
	if err != nil {
		return false, 0, err
	}
	// The first look is too early: the interface has just been asked for.
	if fresh || !isTrue(nic.Object, "Ready") {
		message := "error getting device for interface " + interfaceName + ": network interface is not ready"
		if c := resource.ConditionOf(nic.Object, "Ready"); c.Message != "" {
			message += ": " + c.Message
		}
		d.condition(conditionNetwork, "False", "NotReady", message)
		return false, vmRetry, nil
	}
	d.condition(conditionNetwork, "True", "True", "")
	return true, 0, nil
}
