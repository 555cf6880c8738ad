package controllers

import (
	"cmp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// A vmReport is what CAPV looks at of a VirtualMachine. The zero value is of one
// that is not there.
type vmReport struct {
	exists, created bool
	missing         resource.Condition // the first prerequisite that is not met, before it is created
	power           string
	ip, bios        string
	zone, host      string
	probed, leaving bool
}

func (m *Manager) reportOf(vm *unstructured.Unstructured) vmReport {
	if vm == nil {
		return vmReport{}
	}
	v := m.view(vm)
	r := vmReport{
		exists: true, created: v.isTrue(conditionCreated),
		power: resource.Text(v.status, "powerState"),
		ip:    resource.Text(v.status, "network", "primaryIP4"), bios: resource.Text(v.status, "biosUUID"),
		zone: resource.Text(v.status, "zone"), host: resource.Text(v.status, "nodeName"),
		probed: v.spec["readinessProbe"] != nil, leaving: v.deleting,
	}
	if !r.created {
		r.missing = v.firstFalse(vmPrerequisites)
	}
	return r
}

// firstFalse is the first of some conditions that is False; its Type is "" where
// none is.
func (v *view) firstFalse(kinds []string) resource.Condition {
	for _, kind := range kinds {
		if c := v.condition(kind); c.Status == "False" {
			return c
		}
	}
	return resource.Condition{}
}

// vmFollowed is what a pass of a VSphereMachine took in: as long as it stays, another
// has nothing to do.
type vmFollowed struct {
	vm *unstructured.Unstructured
	vmReport
	probing bool
}

// followVM maps the state of the VirtualMachine to phase, condition and reason, in
// the order of domain.md 1.10. It goes back when the VM does: one that is powered
// off is PoweringOn again, one that is gone Provisioning.
func followVM(d *draft, vm vmReport) {
	switch {
	case !vm.created && vm.missing.Type != "":
		d.set("Pending", "status", "phase")
		unprovisioned(d, vm.missing.Reason, vm.missing.Message)
	case !vm.created:
		d.set("Pending", "status", "phase")
		unprovisioned(d, "Provisioning", "")
	case vm.power != poweredOn:
		d.set("Created", "status", "phase")
		unprovisioned(d, "PoweringOn", "")
	case vm.ip == "":
		d.set("PoweredOn", "status", "phase")
		unprovisioned(d, "WaitingForNetworkAddress", "")
	case vm.bios == "":
		d.set("PoweredOn", "status", "phase")
		unprovisioned(d, "WaitingForBIOSUUID", "")
	default:
		d.set("Ready", "status", "phase")
		d.set("vsphere://"+vm.bios, "spec", "providerID")
		d.set(vm.bios, "status", "biosUUID")
		d.set(vm.zone, "status", "failureDomain")
		if known := resource.Items(d.root, "status", "addresses"); len(known) != 1 || resource.Text(known[0], "address") != vm.ip {
			d.replace([]any{map[string]any{"type": "InternalIP", "address": vm.ip}}, "status", "addresses")
		}
		d.initialize("provisioned")
		d.condition(conditionProvisioned, "True", "Provisioned", "")
		d.condition("Ready", "True", "Ready", "")
	}
}

// labelHost puts the ESXi host on the Machine, as CAPV does once it is known.
func (m *Manager) labelHost(machine *unstructured.Unstructured, vm vmReport) error {
	if vm.ip == "" || vm.host == "" || labelOf(machine, labelHost) == labelValue(vm.host) {
		return nil
	}
	d := edit(machine, m.now())
	d.label(labelHost, labelValue(vm.host))
	return m.commit(actorProvider, d)
}

func unprovisioned(d *draft, reason, message string) {
	d.condition(conditionProvisioned, "False", reason, message)
	d.condition("Ready", "False", "NotReady", bullet(conditionProvisioned, cmp.Or(message, reason)))
}
