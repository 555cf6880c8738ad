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
	home := m.view(cluster)
	if home.initialized("controlPlaneInitialized") {
		return home.createdAt(), true
	}
	first := home.since("InfrastructureReady")
	if first.IsZero() {
		return time.Time{}, false
	}
	for _, e := range m.roster.census(clusterName{home.namespace, home.name}).machines {
		answers, joined := m.joinedAt(e.machine)
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
	kit := m.kitOf(v)
	vm := m.view(kit.vm)
	booted := vm.since(conditionGuestNetwork)
	if booted.IsZero() || vm.primaryIP() == "" {
		return time.Time{}, false
	}
	step := StepJoinWorker
	switch {
	case !v.controlPlane:
	case initialises(kit.config):
		step = StepInit
	default:
		step = StepJoinControl
	}
	return booted.Add(m.takes(step, v.namespace, v.name)), true
}

// initialises says whether a control-plane machine with a KubeadmConfig runs kubeadm
// init, not join.
func initialises(config *unstructured.Unstructured) bool {
	return resource.Field(contentOf(config), "spec", "initConfiguration") != nil
}

// nodeReadyAt is when the Node of a machine that has joined is Ready.
func (m *Manager) nodeReadyAt(machine *unstructured.Unstructured) (time.Time, bool) {
	joined, ok := m.joinedAt(machine)
	return m.readyAfter(m.view(machine), joined), ok
}

// readyAfter is when the Node of a machine that joined at a time is Ready.
func (m *Manager) readyAfter(machine *view, joined time.Time) time.Time {
	return joined.Add(m.takes(StepNodeReady, machine.namespace, machine.name))
}

func contentOf(u *unstructured.Unstructured) map[string]any {
	if u == nil {
		return nil
	}
	return u.Object
}
