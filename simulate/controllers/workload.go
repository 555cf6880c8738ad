package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// The workload clusters are a model: what happens in a guest follows from when
// its VM got an address and from how long kubeadm takes. Nothing is stored, so
// a loaded world goes on as if it had never stopped.

// connectionRetry is how often Cluster API's cluster cache tries to connect
// (observed.md 6.1 step 14).
const connectionRetry = 30 * time.Second

// connectionTime is when the management side gets its connection to the
// workload API: at the first try after an API server answers. It tries as soon as
// the infrastructure is there, in vain, and then every 30 s. The time is unknown
// until the first control-plane VM has an address.
func (m *Manager) connectionTime(cluster *unstructured.Unstructured) (time.Time, bool) {
	if initialized(cluster, "controlPlaneInitialized") {
		return createdAt(cluster), true
	}
	first := since(cluster.Object, "InfrastructureReady")
	if first.IsZero() {
		return time.Time{}, false
	}
	for _, machine := range m.controlPlaneMachines(namespaceOf(cluster), nameOf(cluster)) {
		answers, joined := m.joinedAt(machine)
		if !joined {
			continue
		}
		if answers.Before(first) {
			return first, true
		}
		tries := (answers.Sub(first) + connectionRetry - 1) / connectionRetry
		return first.Add(tries * connectionRetry), true
	}
	return time.Time{}, false
}

// joinedAt is when kubeadm is through on the machine's VM and its Node exists.
// It is unknown until the VM has an address.
func (m *Manager) joinedAt(machine *unstructured.Unstructured) (time.Time, bool) {
	v := m.view(machine)
	vm := m.view(m.get(kindVM, v.namespace, v.name))
	booted := vm.since(conditionGuestNetwork)
	if booted.IsZero() || vm.primaryIP() == "" {
		return time.Time{}, false
	}
	step := StepJoinWorker
	switch {
	case !v.controlPlane:
	case m.initialises(machine):
		step = StepInit
	default:
		step = StepJoinControl
	}
	return booted.Add(m.takes(step, v.namespace, v.name)), true
}

// initialises says whether a control-plane machine runs kubeadm init, not join.
func (m *Manager) initialises(machine *unstructured.Unstructured) bool {
	config := m.get(kindKubeadmConfig, namespaceOf(machine), nameOf(machine))
	return config != nil && resource.Field(config.Object, "spec", "initConfiguration") != nil
}

// nodeReadyAt is when the Node of a machine that has joined is Ready.
func (m *Manager) nodeReadyAt(machine *unstructured.Unstructured) (time.Time, bool) {
	v := m.view(machine)
	joined, ok := m.joinedAt(machine)
	return joined.Add(m.takes(StepNodeReady, v.namespace, v.name)), ok
}

// hasNode says whether the Node of a machine exists.
func (m *Manager) hasNode(machine *unstructured.Unstructured) bool { return m.nodeOf(machine).exists }

// running says whether the guest of a machine runs and can be reached.
func (m *Manager) running(machine *unstructured.Unstructured) bool {
	vm := m.get(kindVM, namespaceOf(machine), nameOf(machine))
	return vm != nil && !deleting(vm) && primaryIP(vm) != "" &&
		resource.Text(vm.Object, "status", "powerState") == poweredOn
}

// componentsHealthy says whether the static pods and the etcd member of a
// control-plane machine are up.
func (m *Manager) componentsHealthy(machine *unstructured.Unstructured) bool {
	_, joined := m.joinedAt(machine)
	return joined && m.running(machine) && !m.catchingUp(machine)
}

// catchingUp says whether the etcd member of a machine that joined is a learner
// still. On the machine that ran kubeadm init there was nothing to learn, and one
// that was a voter remains it when its VM boots again.
func (m *Manager) catchingUp(machine *unstructured.Unstructured) bool {
	joined, known := m.joinedAt(machine)
	if !known || m.initialises(machine) || m.bootedAgain(machine) {
		return false
	}
	return joined.Add(m.takes(StepEtcd, namespaceOf(machine), nameOf(machine))).After(m.now())
}

// bootedAgain says whether the VM of a machine booted after it had become a node.
func (m *Manager) bootedAgain(machine *unstructured.Unstructured) bool {
	if nodeNameOf(machine) == "" {
		return false
	}
	became := parseStamp(resource.Text(machine.Object, "status", "lastUpdated"))
	return since(contentOf(m.get(kindVM, namespaceOf(machine), nameOf(machine))), conditionGuestNetwork).After(became)
}

func contentOf(u *unstructured.Unstructured) map[string]any {
	if u == nil {
		return nil
	}
	return u.Object
}
