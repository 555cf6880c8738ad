package controllers

import (
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// A guest is what runs on the VM of a control-plane machine, as it follows from
// the machine's parts.
type guest struct {
	of parts
	// stays says that there is a VM that is not to go.
	stays bool
	// reports says that the VM has an address and tells so now.
	reports bool
	// running says that the guest can be reached.
	running bool
	// joined is when kubeadm is through; zero is not known.
	joined time.Time
	// votes is from when on its etcd member is no learner; zero is at once.
	votes time.Time
}

// guest is read again when a part of the machine has changed.
func (m *Manager) guest(r *replica) *guest {
	if g := &r.kept.guest; g.of != r.parts {
		*g = m.guestOf(r)
	}
	return &r.kept.guest
}

func (m *Manager) guestOf(r *replica) guest {
	g := guest{of: r.parts}
	if r.vm == nil {
		return g
	}
	vm := m.view(r.vm)
	addressed := vm.primaryIP() != ""
	g.stays = !vm.deleting
	g.reports = addressed && vm.isTrue(conditionGuestNetwork)
	g.running = addressed && g.stays && resource.Text(vm.status, "powerState") == poweredOn
	if joined, known := m.joinedAt(r.machine); known {
		g.joined, g.votes = joined, m.votesFrom(r, joined)
	}
	return g
}

// votesFrom is when the etcd member of a machine that joined is no learner any more.
// On the machine that ran kubeadm init there was nothing to learn, and one that was
// a voter remains it when its VM boots again.
func (m *Manager) votesFrom(r *replica, joined time.Time) time.Time {
	if initialises(r.config) || m.bootedAgain(r) {
		return time.Time{}
	}
	return joined.Add(m.takes(StepEtcd, r.namespace, r.name))
}

// bootedAgain says whether the VM of a machine booted after it had become a node.
func (m *Manager) bootedAgain(r *replica) bool {
	if r.node() == "" {
		return false
	}
	became := parseStamp(resource.Text(r.status, "lastUpdated"))
	return m.view(r.vm).since(conditionGuestNetwork).After(became)
}

// hasNode says whether the Node of a machine exists. One that was seen goes with
// its VirtualMachine only.
func (m *Manager) hasNode(r *replica) bool {
	g := m.guest(r)
	return g.stays && (r.node() != "" || g.reports && m.hasJoined(r))
}

// hasJoined says whether kubeadm is through on a machine.
func (m *Manager) hasJoined(r *replica) bool {
	joined := m.guest(r).joined
	return !joined.IsZero() && !joined.After(m.now())
}

// catchingUp says whether the etcd member of a machine that joined is a learner still.
func (m *Manager) catchingUp(r *replica) bool { return m.guest(r).votes.After(m.now()) }

// componentsHealthy says whether the static pods and the etcd member of a machine
// are up.
func (m *Manager) componentsHealthy(r *replica) bool {
	g := m.guest(r)
	return !g.joined.IsZero() && g.running && !m.catchingUp(r)
}
