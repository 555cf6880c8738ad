package controllers

import (
	"fmt"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// rollOutControlPlane replaces machines that are not up to date, before anything
// else is scaled: one more than asked for is made while there may be, then the
// oldest goes, and so on (domain.md 3.3, observed.md 6.3). With maxSurge 0 the
// oldest goes first.
func (m *Manager) rollOutControlPlane(p *controlPlane) (step, error) {
	outdated := which(p.machines, func(r *replica) bool { return len(r.outdated) > 0 })
	switch {
	case len(outdated) == 0:
		return step{}, nil
	case len(p.machines) < p.desired()+p.maxSurge():
		return m.scaleUpControlPlane(p)
	}
	return m.scaleDownControlPlane(p, m.controlPlaneVictim(p, outdated))
}

// maxSurge is how many machines more than asked for a rollout may have: 0 or 1.
func (p *controlPlane) maxSurge() int {
	switch surge := resource.Field(p.spec, "rollout", "strategy", "rollingUpdate", "maxSurge").(type) {
	case int64:
		return int(min(max(surge, 0), 1))
	case string:
		if surge == "0" || surge == "0%" {
			return 0
		}
	}
	return 1
}

// writeUpToDate says why a machine is to be replaced, if it is.
func writeUpToDate(d *draft, machine *replica) {
	if len(machine.outdated) == 0 {
		d.condition("UpToDate", "True", "UpToDate", "")
		return
	}
	d.condition("UpToDate", "False", "NotUpToDate", bullets(machine.outdated))
}

// differences are those between a machine and what is asked for now that cannot be
// changed in place.
func (p *controlPlane) differences(machine *replica) []string {
	var reasons []string
	if has := resource.Text(machine.spec, "version"); has != p.version() {
		reasons = append(reasons, fmt.Sprintf("Version %s, %s required", has, p.version()))
	}
	if machine.config != nil && !bootstrapMatches(machine.config, resource.Fields(p.spec, "kubeadmConfigSpec")) {
		reasons = append(reasons, "KubeadmConfig is not up-to-date")
	}
	if from := resource.Text(contentOf(machine.infrastructure), "metadata", "annotations", annotationClonedFrom); from != "" && from != resource.Text(p.template("spec"), "infrastructureRef", "name") {
		reasons = append(reasons, "VSphereMachine is not up-to-date")
	}
	return reasons
}

// expired says what of a machine has come to its end though it is as asked for.
func (m *Manager) expired(p *controlPlane, machine *replica) []string {
	var reasons []string
	if after := p.rolloutAfter(); !after.IsZero() && !after.After(m.now()) && machine.createdAt().Before(after) {
		reasons = append(reasons, "KubeadmControlPlane spec.rollout.after expired")
	}
	if days := resource.Int(p.spec, "rollout", "before", "certificatesExpiryDays"); days > 0 {
		expiry := parseStamp(m.expiryOf(machine.config))
		soon := expiry.Add(-time.Duration(days) * 24 * time.Hour)
		p.await(soon.Add(1))
		if !expiry.IsZero() && m.now().After(soon) {
			reasons = append(reasons, "Certificates will expire soon, rollout due to spec.rollout.before.certificatesExpiryDays")
		}
	}
	return reasons
}

func (p *controlPlane) rolloutAfter() time.Time {
	return parseStamp(resource.Text(p.spec, "rollout", "after"))
}

// awaitRollout has the control plane looked at when spec.rollout.after has passed, if
// that is to come.
func (p *controlPlane) awaitRollout() {
	p.await(p.rolloutAfter())
	p.wake(p.rolloutAfter())
}

// bullets makes a list of one line each.
func bullets(texts []string) string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = "* " + text
	}
	return lines(out)
}
