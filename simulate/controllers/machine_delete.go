package controllers

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

const (
	prefixPreDrain = "pre-drain.delete.hook.machine.cluster.x-k8s.io"
	// prefixPreTerminate begins every annotation that keeps a drained Machine from
	// losing its VM.
	prefixPreTerminate = "pre-terminate.delete.hook.machine.cluster.x-k8s.io"

	annotationNoDrain  = "machine.cluster.x-k8s.io/exclude-node-draining"
	annotationNoDetach = "machine.cluster.x-k8s.io/exclude-wait-for-node-volume-detach"
)

// A deletionStage is how far a Machine's deletion has come: the reason and message
// of its condition Deleting.
type deletionStage struct {
	reason, message string
	again           time.Duration
	done            bool
}

// deleteMachine goes through hooks, drain, volumes, infrastructure and bootstrap,
// one after the other, and reports where it is (domain.md 3.6, observed.md 6.6).
// What needs no time is not seen.
func (m *Manager) deleteMachine(d *draft, u, cluster *unstructured.Unstructured, again time.Duration) (time.Duration, error) {
	stage, err := m.tearDown(d, u, cluster)
	if err != nil {
		return 0, err
	}
	d.condition("Deleting", "True", stage.reason, stage.message)
	summarizeMachine(d, m.view(u))
	if stage.done {
		return 0, m.letGo(actorCore, d, finalizerMachine)
	}
	return soonest(stage.again, again), m.commit(actorCore, d)
}

// letGo writes the last status of an object and, apart from that, takes off the
// finalizer, so that the status is seen before the object is gone.
func (m *Manager) letGo(actor string, d *draft, finalizer string) error {
	if err := m.commit(actor, d); err != nil {
		return err
	}
	d = edit(m.store.Get(keyOf(d.base)), m.now())
	d.removeFinalizers(finalizer)
	return m.commit(actor, d)
}

func (m *Manager) tearDown(d *draft, u, cluster *unstructured.Unstructured) (deletionStage, error) {
	if m.nodeIsDeleted(u, cluster) {
		if stage, waits := m.emptyNode(d, u); waits {
			return stage, nil
		}
	}
	if hooks := hooksOf(u, prefixPreTerminate); hooks != "" {
		m.startOf(d, "waitForPreTerminateHookStartTime")
		return deletionStage{reason: "WaitingForPreTerminateHook", message: "Waiting for pre-terminate hooks to succeed (hooks: " + hooks + ")"}, nil
	}
	for _, part := range []struct {
		kind
		reason string
	}{{kindVSphereMachine, "WaitingForInfrastructureDeletion"}, {kindKubeadmConfig, "WaitingForBootstrapDeletion"}} {
		if found := m.get(part.kind, namespaceOf(u), nameOf(u)); found != nil {
			return deletionStage{reason: part.reason, message: "Waiting for " + part.Kind + " to be deleted"}, m.remove(actorCore, found)
		}
	}
	return deletionStage{reason: "DeletionCompleted", message: "Deletion completed", done: true}, nil
}

// nodeIsDeleted says whether the machine's Node is drained and deleted with it. It
// is not where all goes, or the last machine of the control plane: nothing would be
// left to move its pods to.
func (m *Manager) nodeIsDeleted(u, cluster *unstructured.Unstructured) bool {
	if nodeNameOf(u) == "" || cluster == nil || deleting(cluster) || m.view(m.controlPlaneOf(cluster)).deleting {
		return false
	}
	home := m.view(cluster)
	return slices.ContainsFunc(m.roster.census(clusterName{home.namespace, home.name}).machines, func(e *enrolled) bool {
		return !m.view(e.machine).deleting
	})
}

// emptyNode waits for pre-drain hooks, the drain and the volumes. A Node whose
// kubelet is silent is not waited for longer: its pods cannot end. Nor is one of a
// machine that is past that: a pre-terminate hook had its turn, or the VM goes.
func (m *Manager) emptyNode(d *draft, u *unstructured.Unstructured) (deletionStage, bool) {
	if hooks := hooksOf(u, prefixPreDrain); hooks != "" {
		m.startOf(d, "waitForPreDrainHookStartTime")
		return deletionStage{reason: "WaitingForPreDrainHook", message: "Waiting for pre-drain hooks to succeed (hooks: " + hooks + ")"}, true
	}
	infrastructure := m.kitOf(m.view(u)).infrastructure
	if resource.Text(u.Object, "status", "deletion", "waitForPreTerminateHookStartTime") != "" ||
		infrastructure == nil || deleting(infrastructure) || !m.nodeOf(u).exists {
		return deletionStage{}, false
	}
	annotations := resource.Fields(u.Object, "metadata", "annotations")
	if annotations[annotationNoDrain] == nil {
		if wait := m.stageLeft(d, u, "nodeDrainStartTime", StepDrain, "nodeDrainTimeoutSeconds"); wait > 0 {
			return deletionStage{reason: "DrainingNode", message: "Drain not completed yet (started at " + resource.Text(d.root, "status", "deletion", "nodeDrainStartTime") + "):", again: wait}, true
		}
	}
	if annotations[annotationNoDetach] == nil && m.nodeOf(u).ready != "Unknown" {
		if wait := m.stageLeft(d, u, "waitForNodeVolumeDetachStartTime", StepVolumeDetach, "nodeVolumeDetachTimeoutSeconds"); wait > 0 {
			return deletionStage{reason: "WaitingForVolumeDetach", message: "Waiting for Node volumes to be detached (started at " + resource.Text(d.root, "status", "deletion", "waitForNodeVolumeDetachStartTime") + ")", again: wait}, true
		}
	}
	return deletionStage{}, false
}

// stageLeft is how long a step of the deletion still takes, no longer than its timeout
// allows; 0 is for ever. The step begins when it is first asked about.
func (m *Manager) stageLeft(d *draft, u *unstructured.Unstructured, started string, step Step, timeout string) time.Duration {
	begun := m.startOf(d, started)
	takes := m.takes(step, namespaceOf(u), nameOf(u))
	if limit := time.Duration(resource.Int(d.root, "spec", "deletion", timeout)) * time.Second; limit > 0 {
		takes = min(takes, limit)
	}
	return begun.Add(takes).Sub(m.now())
}

// startOf is when a stage of the deletion began, which is now unless it is noted.
func (m *Manager) startOf(d *draft, stage string) time.Time {
	if at := parseStamp(resource.Text(d.root, "status", "deletion", stage)); !at.IsZero() {
		return at
	}
	d.set(stamp(m.now()), "status", "deletion", stage)
	return m.now()
}

// hooksOf lists the lifecycle hooks of a kind that somebody has put on a machine.
func hooksOf(u *unstructured.Unstructured, prefix string) string {
	var hooks []string
	for key := range resource.Fields(u.Object, "metadata", "annotations") {
		if strings.HasPrefix(key, prefix) {
			hooks = append(hooks, key)
		}
	}
	slices.Sort(hooks)
	return strings.Join(hooks, ",")
}
