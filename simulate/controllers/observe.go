package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
	"github.com/vksync/vksync/simulate/vcenter"
)

// Observe takes note of a committed change and schedules whoever depends on it.
// It may be called with the store locked.
func (m *Manager) Observe(c kubeapi.Change) {
	v := m.outdate(c)
	s := m.running
	if !s.is(c.Before) {
		s = m.subjectOf(c.Key)
	}
	if s != nil {
		s.object, s.place, s.view = c.After, c.Place, v
		if !summaryOnly(c) {
			m.enqueueAll(s, hop)
		}
	}
	for _, owner := range m.ownersOf(s, c) {
		m.notifyOwner(c, owner)
	}
	m.account(c)
	m.roster.note(c)
	m.noteSet(c)
	m.noteKin(c)
	m.unsettle(c)
	if s != nil && s.of.notify != nil {
		s.of.notify(m, c)
	}
}

// subjectIn is the object that changed, as it is or last was.
func subjectIn(c kubeapi.Change) *unstructured.Unstructured {
	if c.After == nil {
		return c.Before
	}
	return c.After
}

// ObserveVM takes note of what somebody did in vCenter to a VM of the Supervisor,
// which VM Service watches there.
func (m *Manager) ObserveVM(c vcenter.Change) {
	m.enqueueKey(kindVM.key(c.VM.Namespace, c.VM.Name), hop)
}

// notifyOwner schedules the controllers of an owner. A Cluster takes its time for a
// change that hardly matters to it.
func (m *Manager) notifyOwner(c kubeapi.Change, owner *subject) {
	if owner.of.kind != kindCluster {
		m.enqueueAll(owner, hop)
		return
	}
	delay := m.summaryDelay(c)
	for i := range owner.turns {
		// The topology controller watches what it makes, which is no Machine.
		if owner.turns[i].controller.name != actorTopology || c.Key.Kind != kindMachine.Kind {
			m.enqueue(&owner.turns[i], delay)
		}
	}
}

// notifyMachine wakes who follows a Machine without owning it.
func (m *Manager) notifyMachine(c kubeapi.Change) {
	v := m.view(subjectIn(c))
	m.notifyHealthChecks(v)
	if c.After != nil && !resource.SameMap(m.view(c.Before).spec, v.spec) && bootstrapSecret(c.Before) != bootstrapSecret(c.After) {
		m.enqueueKey(kindVSphereMachine.key(v.namespace, v.name), hop)
	}
	if v.controlPlane {
		m.enqueueKey(kindCluster.key(v.namespace, v.cluster), m.summaryDelay(c))
	}
}

// bootstrapSecret is the Secret with a Machine's bootstrap data, or "".
func bootstrapSecret(machine *unstructured.Unstructured) string {
	return resource.Text(contentOf(machine), "spec", "bootstrap", "dataSecretName")
}

// notifyCluster wakes everything that waits for one of the two barriers of a
// cluster (infrastructure provisioned, control plane initialized) or for the end
// of a pause.
func (m *Manager) notifyCluster(c kubeapi.Change) {
	passed := func(u *unstructured.Unstructured, barrier string) bool {
		return u != nil && resource.Flag(u.Object, "status", "initialization", barrier)
	}
	rises := func(barrier string) bool { return !passed(c.Before, barrier) && passed(c.After, barrier) }
	if c.Before == nil || c.After == nil || !rises("infrastructureProvisioned") && !rises("controlPlaneInitialized") && !pauseChanged(c) {
		return
	}
	// Listing needs the store, which is locked now.
	m.clock.AfterFunc(0, func() {
		for _, k := range []kind{kindVSphereCluster, kindControlPlane, kindMachineDeployment, kindMachineSet, kindMachine, kindMachineHealthCheck, kindKubeadmConfig, kindVSphereMachine, kindVM} {
			for _, u := range m.ofCluster(k, c.Key.Namespace, c.Key.Name) {
				m.enqueueKey(keyOf(u), hop)
			}
		}
	})
}

// summaryOnly says whether all that changed in a Cluster is the summary that its
// own controller has just written, which gives nobody anything to do.
func summaryOnly(c kubeapi.Change) bool {
	if c.Key.Kind != kindCluster.Kind || c.Actor != actorCore || c.Before == nil || c.After == nil {
		return false
	}
	same := func(path ...string) bool {
		return resource.Field(c.Before.Object, path...) == resource.Field(c.After.Object, path...)
	}
	return hasCondition(c.Before, "Paused") && deleting(c.Before) == deleting(c.After) &&
		same("metadata", "generation") && same("status", "phase") &&
		same("status", "initialization", "infrastructureProvisioned") && same("status", "initialization", "controlPlaneInitialized")
}

// summaryDelay is how soon a Cluster takes in a change of what it owns: at once
// where a condition took another status or reason, or a phase or count changed;
// else with others of its kind. Messages on the way change far more often, and a
// Cluster is written, and sent to who watches it, each time.
func (m *Manager) summaryDelay(c kubeapi.Change) time.Duration {
	if c.Before == nil || c.After == nil || !sameSummary(m.view(c.Before), m.view(c.After)) {
		return hop
	}
	return messageDelay
}

// countedFields are the fields of a status that a Cluster sums up.
var countedFields = []string{"phase", "version", "replicas", "readyReplicas", "availableReplicas", "upToDateReplicas"}

// sameSummary says whether two versions of an object differ in nothing that a
// Cluster takes in at once.
func sameSummary(was, is *view) bool {
	if was.generation != is.generation || was.deleting != is.deleting || len(was.owners) != len(is.owners) {
		return false
	}
	if resource.SameMap(was.status, is.status) {
		return true
	}
	for _, field := range countedFields {
		if was.status[field] != is.status[field] {
			return false
		}
	}
	return was.initialized("provisioned") == is.initialized("provisioned") &&
		was.initialized("controlPlaneInitialized") == is.initialized("controlPlaneInitialized") &&
		sameReasons(resource.Items(was.status, "conditions"), resource.Items(is.status, "conditions"))
}

// sameReasons says whether two lists of conditions differ in messages and times at most.
func sameReasons(before, after []any) bool {
	if len(before) != len(after) {
		return false
	}
	for i := range before {
		was, is := resource.Fields(before[i]), resource.Fields(after[i])
		if resource.SameMap(was, is) {
			continue
		}
		for _, field := range []string{"type", "status", "reason"} {
			if resource.Text(was, field) != resource.Text(is, field) {
				return false
			}
		}
	}
	return true
}
