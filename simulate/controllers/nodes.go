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
	if resource.Text(machine.Object, "status", "nodeRef", "name") == "" {
		return m.joiningNode(machine)
	}
	return m.joinedNode(machine, vm)
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
func (m *Manager) joinedNode(machine, vm *unstructured.Unstructured) node {
	seen := resource.ConditionOf(machine.Object, "NodeReady")
	last := node{exists: true, ready: seen.Status, since: since(machine.Object, "NodeReady")}
	if last.ready != "Unknown" && last.ready != "False" {
		last.ready = "True"
	}
	if primaryIP(vm) == "" {
		silent := since(vm.Object, conditionGuestNetwork)
		if silent.IsZero() { // the VM is gone: VM Service has forgotten all of it
			silent = since(contentOf(m.get(kindVSphereMachine, namespaceOf(machine), nameOf(machine))), conditionProvisioned)
		}
		lost := silent.Add(nodeGrace)
		switch {
		case last.ready == "Unknown":
		case lost.After(m.now()):
			last.next = lost
		default:
			return node{exists: true, ready: "Unknown", since: lost}
		}
		return last
	}
	up := since(vm.Object, conditionGuestNetwork)
	first := resource.Text(machine.Object, "status", "lastUpdated")
	ready, _ := m.nodeReadyAt(machine)
	if parseStamp(first).Before(up) { // it was a node before this boot: kubelet only starts again
		ready = up.Add(m.takes(StepNodeReady, namespaceOf(machine), nameOf(machine)))
	}
	if ready.After(m.now()) {
		last.next = ready
		return last
	}
	if last.ready == "True" {
		return last
	}
	return node{exists: true, ready: "True", since: ready}
}
