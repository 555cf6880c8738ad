package controllers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

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

func remediationIn(annotations map[string]any, key string) (remediation, bool) {
	text := resource.Text(annotations, key)
	if text == "" {
		return remediation{}, false
	}
	var r remediation
	err := json.Unmarshal([]byte(text), &r)
	return r, err == nil
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
func toRemediate(r *replica) bool {
	return r.isFalse(conditionHealthCheck) && r.isFalse(conditionOwnerRemediated)
}

// remediateControlPlane deletes one machine that a health check has found to be
// unhealthy, if that is safe; its replacement is then a matter of scaling
// (domain.md 3.5). Until that is made nothing is said of others.
func (m *Manager) remediateControlPlane(p *controlPlane) (step, error) {
	if err := m.forgetRecovered(p); err != nil {
		return step{}, err
	}
	p.forgetReplaced()
	machine := p.nextToRemediate()
	if machine == nil || machine.deleting || p.remediating() {
		return step{}, nil
	}
	p.busy = true
	r, reason, message := m.mayRemediate(p, machine)
	if reason != "" {
		return step{again: syncPeriod}, m.ownerRemediated(machine, reason, message)
	}
	if err := m.remove(actorKCP, m.store.Get(keyOf(machine.machine))); err != nil {
		return step{}, err
	}
	if err := m.ownerRemediated(machine, "MachineDeleting", "Machine is deleting"); err != nil {
		return step{}, err
	}
	p.d.set(r.text(), "metadata", "annotations", annotationRemediationInProgress)
	return step{taken: true, again: machineDeletionRetry}, nil
}

// remediating says whether a machine was deleted and its replacement is not made yet.
func (p *controlPlane) remediating() bool {
	return resource.Text(p.d.root, "metadata", "annotations", annotationRemediationInProgress) != ""
}

// forgetReplaced takes down that a remediation is in progress once a machine was made
// since.
func (p *controlPlane) forgetReplaced() {
	running, known := remediationIn(resource.Fields(p.d.root, "metadata", "annotations"), annotationRemediationInProgress)
	if known && slices.ContainsFunc(p.machines, func(r *replica) bool { return r.createdAt().After(running.Timestamp) }) {
		p.d.unset("metadata", "annotations", annotationRemediationInProgress)
	}
}

// forgetRecovered takes the wish for a remediation off machines that are healthy
// again.
func (m *Manager) forgetRecovered(p *controlPlane) error {
	for _, machine := range p.machines {
		if machine.deleting || !machine.isFalse(conditionOwnerRemediated) || !machine.isTrue(conditionHealthCheck) {
			continue
		}
		d := m.edit(machine.machine)
		d.dropConditions(conditionOwnerRemediated)
		if err := m.commit(actorKCP, d); err != nil {
			return err
		}
		m.refresh(machine)
	}
	return nil
}

// nextToRemediate is the machine that is worst off: the one that somebody marked, one
// that never came to have a Node, one whose etcd is ill, then one whose components are;
// among equals the oldest.
func (p *controlPlane) nextToRemediate() *replica {
	candidates := which(p.machines, toRemediate)
	if len(candidates) == 0 {
		return nil
	}
	return slices.MinFunc(candidates, func(a, b *replica) int { return cmp.Compare(b.illness(), a.illness()) })
}

// gatesByWeight are the gates that say how ill a machine is, the gravest last.
var gatesByWeight = []string{
	conditionKubeadmLabels, "SchedulerPodHealthy", "ControllerManagerPodHealthy", "APIServerPodHealthy", "EtcdPodHealthy", conditionEtcdMember,
}

// illness is greater for a machine that is worse off.
func (r *replica) illness() (illness int) {
	for i, gate := range gatesByWeight {
		if !r.isTrue(gate) {
			illness |= 1 << i
		}
	}
	if r.node() == "" {
		illness |= 1 << len(gatesByWeight)
	}
	if r.annotations[annotationRemediate] != nil {
		illness |= 2 << len(gatesByWeight)
	}
	return illness
}

// mayRemediate says whether machine may be deleted now; reason is empty if so.
func (m *Manager) mayRemediate(p *controlPlane, machine *replica) (r remediation, reason, message string) {
	const (
		deferred = "RemediationDeferred"
		refused  = "CannotBeRemediated"
		cannot   = "KubeadmControlPlane can't remediate this Machine because "
	)
	if version := p.versionToCome(); version != "" {
		return r, deferred, "KubeadmControlPlane can't remediate while waiting for a version upgrade to " + version + " to be propagated from Cluster.spec.topology"
	}
	r, reason, message = m.nextTry(p, machine)
	if reason != "" || !p.initialized("controlPlaneInitialized") {
		return r, reason, message
	}
	switch {
	case len(p.machines) <= 1:
		return r, refused, "KubeadmControlPlane can't remediate if current replicas are less or equal to 1"
	case slices.ContainsFunc(p.machines, healthyAndProvisioning):
		return r, deferred, "KubeadmControlPlane waiting for control plane Machine provisioning to complete before triggering remediation"
	case slices.ContainsFunc(p.machines, func(r *replica) bool { return r.deleting }):
		return r, deferred, "KubeadmControlPlane waiting for control plane Machine deletion to complete before triggering remediation"
	case !p.etcd.answers:
		return r, deferred, "Failed to check etcd cluster health before remediation"
	case !p.componentsWithout(machine), m.etcdMember(machine) && !m.quorumWith(p, machine, false):
		return r, refused, cannot + "this could result in loosing Kubernetes control plane components or in etcd quorum loss"
	}
	return r, "", ""
}

func healthyAndProvisioning(r *replica) bool {
	return r.node() == "" && !r.isFalse(conditionHealthCheck)
}

// nextTry counts remediations of what is one machine to the control plane, a
// replacement that fails soon being the same, and holds them to the limits given.
func (m *Manager) nextTry(p *controlPlane, machine *replica) (next remediation, reason, message string) {
	next = remediation{Machine: machine.name, Timestamp: m.now().UTC().Truncate(time.Second)}
	last, known := remediationIn(machine.annotations, annotationRemediationFor)
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

// componentsWithout says whether the API would be served without machine, if that is
// not nil.
func (p *controlPlane) componentsWithout(machine *replica) bool {
	return slices.ContainsFunc(p.machines, func(other *replica) bool {
		return (machine == nil || other.name != machine.name) && other.passes(podGates)
	})
}

// ownerRemediated writes what becomes of the remediation of a machine, which may be
// gone by now.
func (m *Manager) ownerRemediated(machine *replica, reason, message string) error {
	u := m.store.Get(keyOf(machine.machine))
	if u == nil {
		return nil
	}
	d := edit(u, m.now())
	d.condition(conditionOwnerRemediated, "False", reason, message)
	return m.commit(actorKCP, d)
}

// finishRemediation notes in the annotations of a new machine what it is the
// replacement of, if of any.
func (p *controlPlane) finishRemediation(annotations map[string]any) {
	if r, known := remediationIn(resource.Fields(p.d.root, "metadata", "annotations"), annotationRemediationInProgress); known {
		annotations[annotationRemediationFor] = r.text()
		p.d.unset("metadata", "annotations", annotationRemediationInProgress)
	}
}

// noteLastRemediation writes status.lastRemediation: the one in progress, else the
// last of those that the machines are replacements of.
func (p *controlPlane) noteLastRemediation() {
	last, known := remediationIn(resource.Fields(p.d.root, "metadata", "annotations"), annotationRemediationInProgress)
	if !known {
		for _, machine := range p.machines {
			if r, is := remediationIn(machine.annotations, annotationRemediationFor); is && (!known || last.Timestamp.Before(r.Timestamp)) {
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
