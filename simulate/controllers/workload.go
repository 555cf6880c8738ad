package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// The workload clusters are a model: what happens in a guest follows from when
// its VM got an address and from how long kubeadm takes. Nothing is stored, so
// a loaded world goes on as if it had never stopped.

// connectionFirst and connectionRetry are when Cluster API's cluster cache tries
// to connect, counted from the creation of the Cluster (observed.md 6.1 step 14).
const (
	connectionFirst = 5 * time.Second
	connectionRetry = 30 * time.Second
)

// connectionTime is when the management side gets its connection to the
// workload API: at the first try after an API server answers. It is unknown
// until the first control-plane VM has an address.
func (m *Manager) connectionTime(cluster *unstructured.Unstructured) (time.Time, bool) {
	if initialized(cluster, "controlPlaneInitialized") {
		return createdAt(cluster), true
	}
	for _, machine := range m.controlPlaneMachines(namespaceOf(cluster), nameOf(cluster)) {
		answers, joined := m.joinedAt(machine)
		if !joined {
			continue
		}
		first := createdAt(cluster).Add(connectionFirst)
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
	namespace, name := namespaceOf(machine), nameOf(machine)
	booted := since(contentOf(m.get(kindVM, namespace, name)), conditionGuestNetwork)
	if booted.IsZero() || primaryIP(m.get(kindVM, namespace, name)) == "" {
		return time.Time{}, false
	}
	step := StepJoinWorker
	if hasLabel(machine, labelControlPlane) {
		step = StepJoinControl
		if config := m.get(kindKubeadmConfig, namespace, name); config != nil && resource.Field(config.Object, "spec", "initConfiguration") != nil {
			step = StepInit
		}
	}
	return booted.Add(m.takes(step, namespace, name)), true
}

// nodeReadyAt is when the Node of a machine that has joined is Ready.
func (m *Manager) nodeReadyAt(machine *unstructured.Unstructured) (time.Time, bool) {
	joined, ok := m.joinedAt(machine)
	return joined.Add(m.takes(StepNodeReady, namespaceOf(machine), nameOf(machine))), ok
}

// componentsHealthyAt is when the static pods and the etcd member of a
// control-plane machine are healthy.
func (m *Manager) componentsHealthyAt(machine *unstructured.Unstructured) (time.Time, bool) {
	joined, ok := m.joinedAt(machine)
	return joined.Add(m.takes(StepEtcd, namespaceOf(machine), nameOf(machine))), ok
}

func contentOf(u *unstructured.Unstructured) map[string]any {
	if u == nil {
		return nil
	}
	return u.Object
}
