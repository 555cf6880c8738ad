package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// nodeGrace is how long a kubelet may be silent until its Node's condition Ready
// is Unknown (kube-controller-manager's node-monitor-grace-period).
const nodeGrace = 40 * time.Second

// A node is the Node of a machine in its workload cluster. The zero value is one
// that does not exist.
type node struct {
	exists bool
	// ready is the status of its condition Ready, since when.
	ready string
	since time.Time
	// next is when that will change unless something happens; zero is never.
	next time.Time
}

// nodeOf follows the Node of a machine from its VM: it joins after the guest has
// an address, goes silent when the VM loses power or is gone, comes back when the
// VM does, and goes with the VirtualMachine (observed.md 6.6).
func (m *Manager) nodeOf(machine *unstructured.Unstructured) node {
	vm := m.get(kindVM, namespaceOf(machine), nameOf(machine))
	if vm == nil || deleting(vm) {
		return node{}
	}
	running := isTrue(vm.Object, conditionGuestNetwork) && primaryIP(vm) != ""
	switch joined := resource.Text(machine.Object, "status", "nodeRef", "name") != ""; {
	case joined:
		return m.joinedNode(machine, vm, running)
	case running:
		return m.joiningNode(machine)
	}
	return node{}
}

// joiningNode is a Node that the management side has not seen yet.
func (m *Manager) joiningNode(machine *unstructured.Unstructured) node {
	joined, known := m.joinedAt(machine)
	if !known {
		return node{}
	}
	if joined.After(m.now()) {
		return node{next: joined}
	}
	ready, _ := m.nodeReadyAt(machine)
	if ready.After(m.now()) {
		return node{exists: true, ready: "False", since: joined, next: ready}
	}
	return node{exists: true, ready: "True", since: ready}
}

// joinedNode is a Node that was seen: whether its kubelet speaks depends on the VM.
func (m *Manager) joinedNode(machine, vm *unstructured.Unstructured, running bool) node {
	seen := resource.ConditionOf(machine.Object, "NodeReady")
	last := node{exists: true, ready: seen.Status, since: since(machine.Object, "NodeReady")}
	if last.ready != "Unknown" && last.ready != "False" {
		last.ready = "True"
	}
	silent, back := m.silence(machine, vm, running)
	lost := silent.Add(nodeGrace)
	switch spoken := running && !back.After(m.now()); {
	case spoken && last.ready == "True":
		return last
	case spoken:
		return node{exists: true, ready: "True", since: back}
	case running:
		last.next = back
	}
	switch {
	case silent.IsZero(), last.ready == "Unknown":
	case !lost.After(m.now()):
		return node{exists: true, ready: "Unknown", since: lost, next: last.next}
	case last.next.IsZero() || lost.Before(last.next):
		last.next = lost
	}
	return last
}

// silence is since when the kubelet of a Node that was seen says nothing, zero for
// one that never stopped, and from when on it speaks, where its VM runs. After a
// boot it only starts again; on a VM that was made again kubeadm joins anew.
func (m *Manager) silence(machine, vm *unstructured.Unstructured, running bool) (silent, back time.Time) {
	namespace, name := namespaceOf(machine), nameOf(machine)
	became := parseStamp(resource.Text(machine.Object, "status", "lastUpdated"))
	placed, up := since(vm.Object, conditionPlacement), since(vm.Object, conditionGuestNetwork)
	ready, _ := m.nodeReadyAt(machine)
	switch {
	case placed.After(became): // made again
		return placed, ready
	case running && up.After(became): // booted again
		return since(vm.Object, conditionPower).Add(-m.takes(StepPowerOn, namespace, name)), up.Add(m.takes(StepNodeReady, namespace, name))
	case running:
		return time.Time{}, ready
	case up.IsZero(): // the VM is gone: VM Service has forgotten all of it
		return since(contentOf(m.get(kindVSphereMachine, namespace, name)), conditionProvisioned), time.Time{}
	}
	return up, time.Time{}
}
