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
	v := m.view(machine)
	vm := m.view(m.kitOf(v).vm)
	if vm.absent() || vm.deleting {
		return node{}
	}
	running := vm.isTrue(conditionGuestNetwork) && vm.primaryIP() != ""
	switch joined := resource.Text(v.status, "nodeRef", "name") != ""; {
	case joined:
		return m.joinedNode(machine, v, vm, running)
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
	ready := m.readyAfter(m.view(machine), joined)
	if ready.After(m.now()) {
		return node{exists: true, ready: "False", since: joined, next: ready}
	}
	return node{exists: true, ready: "True", since: ready}
}

// joinedNode is a Node that was seen: whether its kubelet speaks depends on the VM.
func (m *Manager) joinedNode(machine *unstructured.Unstructured, v, vm *view, running bool) node {
	last := node{exists: true, ready: v.condition("NodeReady").Status, since: v.since("NodeReady")}
	switch {
	case v.condition("NodeReady").Reason == "InspectionFailed":
		last.ready = "False" // it was found, and nothing was said of it yet
	case last.ready != "Unknown" && last.ready != "False":
		last.ready = "True"
	}
	silent, back := m.silence(machine, v, vm, running)
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
func (m *Manager) silence(machine *unstructured.Unstructured, v, vm *view, running bool) (silent, back time.Time) {
	namespace, name := v.namespace, v.name
	became := parseStamp(resource.Text(v.status, "lastUpdated"))
	placed, up := vm.since(conditionPlacement), vm.since(conditionGuestNetwork)
	switch {
	case placed.After(became): // made again
		ready, _ := m.nodeReadyAt(machine)
		return placed, ready
	case running && up.After(became): // booted again
		return vm.since(conditionPower).Add(-m.takes(StepPowerOn, namespace, name)), up.Add(m.takes(StepNodeReady, namespace, name))
	case running:
		ready, _ := m.nodeReadyAt(machine)
		return time.Time{}, ready
	case up.IsZero(): // the VirtualMachine is another one, of which nothing is known
		return m.view(m.kitOf(v).infrastructure).since(conditionProvisioned), time.Time{}
	}
	return up, time.Time{}
}
