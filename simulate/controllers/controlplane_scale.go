package controllers

import (
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

const annotationUpgradeStep = "topology.internal.cluster.x-k8s.io/upgrade-step"

// scaleControlPlane goes one machine at a time, up or down, and only while all
// machines are healthy (observed.md 6.3, domain.md 3.1).
func (m *Manager) scaleControlPlane(p *controlPlane) (step, error) {
	switch have, want := len(p.machines), p.desired(); {
	case have == 0 && want > 0:
		return step{taken: true}, m.createControlPlaneMachine(p)
	case have < want:
		return m.scaleUpControlPlane(p)
	case have > want:
		return m.scaleDownControlPlane(p, m.controlPlaneVictim(p, nil))
	}
	return step{}, nil
}

func (m *Manager) scaleUpControlPlane(p *controlPlane) (step, error) {
	if s := m.preflightControlPlane(p, nil); s.taken {
		return s, nil
	}
	return step{taken: true}, m.createControlPlaneMachine(p)
}

// scaleDownControlPlane marks a Machine. Its etcd member leaves once it is
// drained, so that etcd never has a voter more than it can do without.
func (m *Manager) scaleDownControlPlane(p *controlPlane, victim *replica) (step, error) {
	if s := m.preflightControlPlane(p, victim); s.taken {
		return s, nil
	}
	return step{taken: true}, m.remove(actorKCP, victim.machine)
}

// preflightControlPlane says whether a machine may come, or where except is not nil,
// whether that one, which then need not be healthy, may go. What speaks against it is
// kept for the conditions.
func (m *Manager) preflightControlPlane(p *controlPlane, except *replica) step {
	refused := step{taken: true, again: preflightRetry}
	if version := p.versionToCome(); version != "" {
		p.blocked = append(p.blocked, "waiting for a version upgrade to "+version+" to be propagated")
		return refused
	}
	if except == nil && !p.d.isTrue("CertificatesAvailable") {
		p.blocked = append(p.blocked, "cluster certificates are missing or unknown")
		return refused
	}
	for _, machine := range p.machines {
		if machine.deleting {
			p.blocked = append(p.blocked, "waiting for a control plane Machine to complete deletion")
			return step{taken: true, again: machineDeletionRetry}
		}
	}
	components, etcd := p.allHealthy(except)
	if except == nil && !(components && etcd) && p.remediating() {
		components, etcd = p.componentsWithout(nil), p.etcd.answers && m.quorumWith(p, nil, true)
	}
	if components && etcd {
		return step{}
	}
	if !components {
		p.blocked = append(p.blocked, "waiting for control plane components to become healthy")
	}
	if !etcd {
		p.blocked = append(p.blocked, "waiting for etcd cluster to become healthy")
	}
	m.holdOff(preflightRest)
	return refused
}

// allHealthy says whether the components and the etcd members of all machines but one
// are.
func (p *controlPlane) allHealthy(except *replica) (components, etcd bool) {
	components, etcd = true, true
	for _, machine := range p.machines {
		if except != nil && machine.name == except.name {
			continue
		}
		known := machine.node() != ""
		components = components && known && machine.passes(podGates)
		etcd = etcd && known && machine.isTrue(conditionEtcdMember)
	}
	return components, etcd
}

// versionToCome is the version that the topology has still to ask for; "" if none.
func (p *controlPlane) versionToCome() string {
	if version := topologyVersion(p.home); version != p.version() {
		return version
	}
	return ""
}

// topologyVersion is the version that the control plane of a Cluster with a
// topology should have by now: in an upgrade over several minor versions that of
// the present step.
func topologyVersion(cluster *view) string {
	if v := resource.Text(cluster.annotations, annotationUpgradeStep); v != "" {
		return v
	}
	return resource.Text(cluster.spec, "topology", "version")
}

// controlPlaneVictim picks who goes first: who is marked so, outdated ones before
// others; then outdated and not healthy; then outdated; then any. Among equals it
// is the oldest in the failure domain that has most of them.
func (m *Manager) controlPlaneVictim(p *controlPlane, outdated []*replica) *replica {
	marked := func(r *replica) bool { return r.annotations[annotationDeleteMachine] != nil }
	unhealthy := func(r *replica) bool { return slices.ContainsFunc(healthGates, r.isFalse) }
	for _, eligible := range [][]*replica{
		which(outdated, marked), which(p.machines, marked), which(outdated, unhealthy), outdated,
	} {
		if len(eligible) > 0 {
			return p.oldestInFullestDomain(eligible)
		}
	}
	return p.oldestInFullestDomain(p.machines)
}
