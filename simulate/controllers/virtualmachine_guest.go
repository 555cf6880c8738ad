package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// awaitAddress waits until the guest reports the address its interface was given.
func (m *Manager) awaitAddress(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	if d.isTrue(conditionGuestNetwork) {
		return true, 0, nil
	}
	if wait := due(m, d, conditionPower, StepGuestAddress, u); wait > 0 {
		m.probe(d, u)
		return false, wait, nil
	}
	ip := m.addressOf(u)
	id := resource.Text(d.root, "status", "uniqueID")
	if err := m.vsphere.SetGuest(id, ip, nameOf(u)); err != nil {
		return false, 0, err
	}
	d.set(ip, "status", "network", "primaryIP4")
	d.set(nameOf(u), "status", "network", "hostName")
	d.condition(conditionGuestNetwork, "True", "Synced", "IPv4=\""+ip+"\", IPv6=\"\"")
	m.onVM(VMEvent{Op: "guest.ipAddress", VM: u, Spot: m.vsphere.Spot(id), IP: ip})
	return m.awaitTools(d, u) // which report the address: one write
}

// awaitTools waits until VMware Tools run, which nobody upstream waits for.
func (m *Manager) awaitTools(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	if d.isTrue(conditionTools) || !m.happens(StepTools) {
		return true, 0, nil
	}
	if wait := due(m, d, conditionGuestNetwork, StepTools, u); wait > 0 {
		return false, wait, nil
	}
	d.condition(conditionTools, "True", "VirtualMachineToolsRunning", "")
	return true, 0, nil
}

// probed says whether a VirtualMachine has a readiness probe.
func probed(u *unstructured.Unstructured) bool {
	return resource.Field(u.Object, "spec", "readinessProbe") != nil
}

// probeVM plays the readiness probe of a control-plane VM that is up, which asks
// its API server (domain.md 1.12).
func (m *Manager) probeVM(d *draft, u *unstructured.Unstructured) (bool, time.Duration, error) {
	again := m.probe(d, u)
	return again == 0, again, nil
}

// probe writes what the readiness probe finds. It returns when the answer will be
// another, 0 where nothing is known to change it.
func (m *Manager) probe(d *draft, u *unstructured.Unstructured) time.Duration {
	if !probed(u) {
		return 0
	}
	var message string
	var wait time.Duration
	switch {
	case resource.Text(d.root, "status", "powerState") != poweredOn:
		message = "virtual machine is not powered on"
	case resource.Text(d.root, "status", "network", "primaryIP4") == "":
		message = "VM " + namespaceOf(u) + "/" + nameOf(u) + " doesn't have an IP assigned"
	default:
		var answers bool
		if answers, wait = m.apiServerAnswers(u); answers {
			d.condition("Ready", "True", "True", "")
			return 0
		}
		message = "dial tcp " + resource.Text(d.root, "status", "network", "primaryIP4") + ":6443: connect: connection refused"
	}
	d.condition("Ready", "False", "NotReady", message)
	return wait
}

// apiServerAnswers says whether the API server on a VM answers, and if not, when
// it will; 0 where that is not known.
func (m *Manager) apiServerAnswers(u *unstructured.Unstructured) (bool, time.Duration) {
	machine := m.get(kindMachine, namespaceOf(u), nameOf(u))
	if machine == nil || !m.happens(StepProbe) {
		return false, 0
	}
	at, known := m.joinedAt(machine)
	if !known {
		return false, 0
	}
	wait := at.Add(m.takes(StepProbe, namespaceOf(u), nameOf(u))).Sub(m.now())
	return wait <= 0, max(wait, 0)
}
