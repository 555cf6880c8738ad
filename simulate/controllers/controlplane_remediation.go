package controllers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

const (
	annotationRemediationInProgress = "controlplane.cluster.x-k8s.io/remediation-in-progress"
	annotationRemediationFor        = "controlplane.cluster.x-k8s.io/remediation-for"

	// healthyPeriod is after how long a machine that fails again begins a new
	// series of retries, where the control plane does not say.
	healthyPeriod = time.Hour
)

// A remediation is what is kept of one in the annotations: of the control plane
// from when a machine is deleted until its replacement is made, of the replacement
// from then on.
type remediation struct {
	Machine    string    `json:"machine"`
	Timestamp  time.Time `json:"timestamp"`
	RetryCount int64     `json:"retryCount"`
}

func remediationOf(content map[string]any, annotation string) (remediation, bool) {
	var r remediation
	text := resource.Text(content, "metadata", "annotations", annotation)
	return r, text != "" && json.Unmarshal([]byte(text), &r) == nil
}

func (r remediation) text() string {
	text, err := json.Marshal(r)
	if err != nil {
		return "" // strings, a time and a number always marshal
	}
	return string(text)
}

// toRemediate says whether a health check has left it to the owner to replace a
// machine.
func toRemediate(machine *unstructured.Unstructured) bool {
	return resource.ConditionOf(machine.Object, conditionHealthCheck).Status == "False" &&
		resource.ConditionOf(machine.Object, conditionOwnerRemediated).Status == "False"
}

// remediateControlPlane deletes one machine that a health check has found to be
// unhealthy, if that is safe; its replacement is then a matter of scaling
// (domain.md 3.5).
func (m *Manager) remediateControlPlane(p *controlPlane) (step, error) {
	if err := m.forgetRecovered(p); err != nil {
		return step{}, err
	}
	machine := p.nextToRemediate()
	if machine == nil || deleting(machine) {
		return step{}, nil
	}
	r, reason, message := m.mayRemediate(p, machine)
	if reason != "" {
		return step{again: syncPeriod}, m.ownerRemediated(machine, reason, message)
	}
	if err := m.ownerRemediated(machine, "MachineDeleting", "Machine is deleting"); err != nil {
		return step{}, err
	}
	if err := m.remove(actorKCP, m.store.Get(keyOf(machine))); err != nil {
		return step{}, err
	}
	p.d.set(r.text(), "metadata", "annotations", annotationRemediationInProgress)
	return step{taken: true, again: machineDeletionRetry}, nil
}

// forgetRecovered takes the wish for a remediation off machines that are healthy
// again.
func (m *Manager) forgetRecovered(p *controlPlane) error {
	for i, machine := range p.machines {
		if deleting(machine) || !isTrue(machine.Object, conditionHealthCheck) ||
			resource.ConditionOf(machine.Object, conditionOwnerRemediated).Status != "False" {
			continue
		}
		d := edit(machine, m.now())
		d.dropConditions(conditionOwnerRemediated)
		if err := m.commit(actorKCP, d); err != nil {
			return err
		}
		p.machines[i] = m.store.Get(keyOf(machine))
	}
	return nil
}

// nextToRemediate is the oldest of those that never came to have a Node, else the
// oldest of all that are to be remediated.
func (p *controlPlane) nextToRemediate() *unstructured.Unstructured {
	candidates := which(p.machines, toRemediate)
	if len(candidates) == 0 {
		return nil
	}
	return slices.MinFunc(candidates, func(a, b *unstructured.Unstructured) int {
		return cmp.Compare(provisioned(a), provisioned(b)) // the first of equals: the oldest
	})
}

func provisioned(machine *unstructured.Unstructured) int {
	if nodeNameOf(machine) == "" {
		return 0
	}
	return 1
}

// mayRemediate says whether machine may be deleted now; reason is empty if so.
func (m *Manager) mayRemediate(p *controlPlane, machine *unstructured.Unstructured) (r remediation, reason, message string) {
	const (
		deferred = "RemediationDeferred"
		refused  = "CannotBeRemediated"
		cannot   = "KubeadmControlPlane can't remediate this Machine because "
	)
	if running, known := remediationOf(p.d.root, annotationRemediationInProgress); known {
		if !p.madeAfter(running.Timestamp) {
			return r, deferred, cannot + "another remediation is in progress"
		}
		p.d.unset("metadata", "annotations", annotationRemediationInProgress)
	}
	r, reason, message = m.nextTry(p, machine)
	if reason != "" || !initialized(p.u, "controlPlaneInitialized") {
		return r, reason, message
	}
	switch {
	case len(p.machines) <= 1:
		return r, refused, cannot + "current replicas are less or equal to 1"
	case slices.ContainsFunc(p.machines, healthyAndProvisioning):
		return r, deferred, "KubeadmControlPlane waiting for control plane Machine provisioning to complete before triggering remediation"
	case slices.ContainsFunc(p.machines, deleting):
		return r, deferred, "KubeadmControlPlane waiting for control plane Machine deletion to complete before triggering remediation"
	case !m.quorumWithout(p, machine):
		return r, refused, cannot + "this could result in etcd losing quorum"
	case !p.componentsWithout(machine):
		return r, refused, cannot + "there are no other Machines with healthy control plane components"
	}
	return r, "", ""
}

// madeAfter says whether a machine was made since t: then the remediation of that
// time is through.
func (p *controlPlane) madeAfter(t time.Time) bool {
	return slices.ContainsFunc(p.machines, func(u *unstructured.Unstructured) bool { return createdAt(u).After(t) })
}

func healthyAndProvisioning(machine *unstructured.Unstructured) bool {
	return nodeNameOf(machine) == "" && resource.ConditionOf(machine.Object, conditionHealthCheck).Status != "False"
}

// nextTry counts remediations of what is one machine to the control plane, a
// replacement that fails soon being the same, and holds them to the limits given.
func (m *Manager) nextTry(p *controlPlane, machine *unstructured.Unstructured) (next remediation, reason, message string) {
	next = remediation{Machine: nameOf(machine), Timestamp: m.now().UTC().Truncate(time.Second)}
	last, known := remediationOf(machine.Object, annotationRemediationFor)
	limits := resource.Fields(p.u.Object, "spec", "remediation")
	series := healthyPeriod
	if limits["minHealthyPeriodSeconds"] != nil {
		series = time.Duration(resource.Int(limits, "minHealthyPeriodSeconds")) * time.Second
	}
	if !known || !last.Timestamp.Add(series).After(m.now()) {
		return next, "", ""
	}
	pause := time.Duration(resource.Int(limits, "retryPeriodSeconds")) * time.Second
	switch {
	case last.Timestamp.Add(pause).After(m.now()):
		return next, "RemediationDeferred", fmt.Sprintf("KubeadmControlPlane can't remediate this Machine because the operation already failed in the latest %s (RetryPeriod)", pause)
	case limits["maxRetry"] != nil && last.RetryCount >= resource.Int(limits, "maxRetry"):
		return next, "CannotBeRemediated", fmt.Sprintf("KubeadmControlPlane can't remediate this Machine because the operation already failed %d times (MaxRetry)", last.RetryCount)
	}
	next.RetryCount = last.RetryCount + 1
	return next, "", ""
}

// quorumWithout says whether etcd would have quorum without the member on machine.
func (m *Manager) quorumWithout(p *controlPlane, machine *unstructured.Unstructured) bool {
	total, healthy := 0, 0
	for _, other := range p.machines {
		if nameOf(other) == nameOf(machine) || !m.etcdMember(other) {
			continue
		}
		total++
		if isTrue(other.Object, conditionEtcdMember) {
			healthy++
		}
	}
	return healthy >= total/2+1
}

// componentsWithout says whether the API would be served without machine.
func (p *controlPlane) componentsWithout(machine *unstructured.Unstructured) bool {
	return slices.ContainsFunc(p.machines, func(other *unstructured.Unstructured) bool {
		return nameOf(other) != nameOf(machine) && serves(other)
	})
}

func (m *Manager) ownerRemediated(machine *unstructured.Unstructured, reason, message string) error {
	d := edit(m.store.Get(keyOf(machine)), m.now())
	d.condition(conditionOwnerRemediated, "False", reason, message)
	return m.commit(actorKCP, d)
}

// finishRemediation notes in the annotations of a new machine what it is the
// replacement of, if of any.
func (p *controlPlane) finishRemediation(annotations map[string]any) {
	if r, known := remediationOf(p.d.root, annotationRemediationInProgress); known {
		annotations[annotationRemediationFor] = r.text()
		p.d.unset("metadata", "annotations", annotationRemediationInProgress)
	}
}

// noteLastRemediation writes status.lastRemediation: the one in progress, else the
// last of those that the machines are replacements of.
func (p *controlPlane) noteLastRemediation() {
	last, known := remediationOf(p.d.root, annotationRemediationInProgress)
	if !known {
		for _, machine := range p.machines {
			if r, is := remediationOf(machine.Object, annotationRemediationFor); is && (!known || last.Timestamp.Before(r.Timestamp)) {
				last, known = r, true
			}
		}
	}
	noted := resource.Fields(p.d.root, "status", "lastRemediation")
	if !known || last.Machine == resource.Text(noted, "machine") && last.Timestamp.Equal(parseStamp(resource.Text(noted, "time"))) {
		return
	}
	p.d.replace(map[string]any{
		"machine": last.Machine, "time": last.Timestamp.Format(time.RFC3339), "retryCount": last.RetryCount,
	}, "status", "lastRemediation")
}
