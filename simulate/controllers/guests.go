package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// A guest is what runs on the VM of a control-plane machine, as it follows from
// the machine's parts.
type guest struct {
	of     parts
	became became
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

// became is what a Machine says of when it became a Node; of all that it says, a
// guest follows from this only.
type became struct{ node, updated string }

func (r *replica) became() became {
	return became{r.node(), resource.Text(r.status, "lastUpdated")}
}

// guest is read again when what it follows from has changed.
func (m *Manager) guest(r *replica) *guest {
	g := &r.kept.guest
	switch {
	case g.of == r.parts:
	case g.of.vm == r.vm && g.of.config == r.config && g.became == r.became():
		g.of = r.parts
	default:
		*g = m.guestOf(r)
	}
	return g
}

func (m *Manager) guestOf(r *replica) guest {
	g := guest{of: r.parts, became: r.became()}
	if r.vm == nil {
		return g
	}
	vm := m.view(r.vm)
	addressed := vm.primaryIP() != ""
	g.stays = !vm.deleting
	g.reports = addressed && vm.isTrue(conditionGuestNetwork)
	g.running = addressed && g.stays && resource.Text(vm.status, "powerState") == poweredOn
	if joined, known := m.joinedAt(r.machine); known {
		g.joined = joined
		g.votes = m.votesFrom(r, g)
	}
	return g
}

// votesFrom is when the etcd member of a machine that joined is no learner any more.
// On the machine that ran kubeadm init there was nothing to learn, and one that was
// a voter remains it when its VM boots again.
func (m *Manager) votesFrom(r *replica, g guest) time.Time {
	if initialises(r.config) || m.bootedAgain(r.vm, g.became) {
		return time.Time{}
	}
	return g.joined.Add(m.takes(StepEtcd, r.namespace, r.name))
}

// bootedAgain says whether the VM of a machine booted after it had become a node.
func (m *Manager) bootedAgain(vm *unstructured.Unstructured, b became) bool {
	return b.node != "" && m.view(vm).since(conditionGuestNetwork).After(parseStamp(b.updated))
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
