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
	s := m.subjectOf(c.Key)
	if s != nil {
		s.object = c.After
		if !summaryOnly(c) {
			m.enqueueAll(s, hop)
		}
	}
	for _, owner := range m.ownersOf(s, c) {
		m.notifyOwner(c, owner)
	}
	m.account(c)
	m.outdate(c)
	m.roster.note(c)
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
	delay := summaryDelay(c)
	for i := range owner.turns {
		// The topology controller watches what it makes, which is no Machine.
		if owner.turns[i].controller.name != actorTopology || c.Key.Kind != kindMachine.Kind {
			m.enqueue(&owner.turns[i], delay)
		}
	}
}

// notifyMachine wakes who follows a Machine without owning it.
func (m *Manager) notifyMachine(c kubeapi.Change) {
	u := subjectIn(c)
	m.notifyHealthChecks(u)
	if c.After != nil && bootstrapSecret(c.Before) != bootstrapSecret(c.After) {
		m.enqueueKey(kindVSphereMachine.key(c.Key.Namespace, c.Key.Name), hop)
	}
	if hasLabel(u, labelControlPlane) {
		m.enqueueKey(kindCluster.key(c.Key.Namespace, labelOf(u, labelCluster)), summaryDelay(c))
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
func summaryDelay(c kubeapi.Change) time.Duration {
	if c.Before == nil || c.After == nil || !sameSummary(c.Before.Object, c.After.Object) {
		return hop
	}
	return messageDelay
}

// countedFields are the fields of a status that a Cluster sums up.
var countedFields = []string{"phase", "version", "replicas", "readyReplicas", "availableReplicas", "upToDateReplicas"}

// sameSummary says whether two versions of an object differ in nothing that a
// Cluster takes in at once.
func sameSummary(before, after map[string]any) bool {
	was, is := resource.Fields(before, "metadata"), resource.Fields(after, "metadata")
	if was["generation"] != is["generation"] || was["deletionTimestamp"] != is["deletionTimestamp"] ||
		len(resource.Items(was, "ownerReferences")) != len(resource.Items(is, "ownerReferences")) {
		return false
	}
	was, is = resource.Fields(before, "status"), resource.Fields(after, "status")
	for _, field := range countedFields {
		if was[field] != is[field] {
			return false
		}
	}
	for _, field := range []string{"provisioned", "controlPlaneInitialized"} {
		if resource.Field(was, "initialization", field) != resource.Field(is, "initialization", field) {
			return false
		}
	}
	return sameReasons(resource.Items(was, "conditions"), resource.Items(is, "conditions"))
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
