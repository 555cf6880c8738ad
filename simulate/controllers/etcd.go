package controllers

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// The etcd of a workload cluster is derived from its control-plane Machines and
// their VMs, as the rest of the workload cluster is: kubeadm join adds a learner,
// which becomes a voter when it has caught up; a member leaves when the control
// plane runs its pre-terminate hook, or when its Machine is gone without it. What
// is derived is always the same for the same store.

// EtcdMember is one member of a cluster's stacked etcd.
type EtcdMember struct {
	// Machine is the name of the control-plane Machine, and of the Node, it is on.
	Machine string
	// Learner is a member that has joined and does not vote yet.
	Learner bool
	// Healthy says whether it answers: its VM runs and etcd in it is up.
	Healthy bool
	// Leader is the one voter that leads. There is none without quorum.
	Leader bool
}

// EtcdMembers are the members of a cluster's etcd, oldest Machine first; none
// before kubeadm init is through on the first.
func (m *Manager) EtcdMembers(namespace, cluster string) []EtcdMember {
	u := m.get(kindCluster, namespace, cluster)
	if u == nil {
		return nil
	}
	return m.etcdMembers(m.replicas(m.roster.census(clusterName{namespace, cluster})))
}

func (m *Manager) etcdMembers(machines []*replica) []EtcdMember {
	var members []EtcdMember
	leader := -1
	for _, machine := range machines {
		if !m.etcdMember(machine) {
			continue
		}
		voter := !m.catchingUp(machine)
		member := EtcdMember{Machine: machine.name, Learner: !voter, Healthy: m.guest(machine).running}
		// Leadership is moved away from a member that is to go.
		if voter && member.Healthy && (leader < 0 || !machine.deleting) {
			leader = len(members)
		}
		members = append(members, member)
	}
	if leader >= 0 && HasQuorum(members) {
		members[leader].Leader = true
	}
	return members
}

// quorumOf is how many of so many voters have to agree.
func quorumOf(voters int) int { return voters/2 + 1 }

// HasQuorum says whether more than half of the voting members are healthy, which
// etcd needs to take a write. An etcd without members has nothing to lose.
func HasQuorum(members []EtcdMember) bool {
	voters, healthy := Voters(members)
	return voters == 0 || healthy >= quorumOf(voters)
}

// Voters counts the members that vote, and the healthy ones among them.
func Voters(members []EtcdMember) (voters, healthy int) {
	for _, member := range members {
		if member.Learner {
			continue
		}
		voters++
		if member.Healthy {
			healthy++
		}
	}
	return voters, healthy
}

// etcdMember says whether the etcd of a cluster has a member on a machine: from
// when kubeadm is through there, until the pre-terminate hook was run. A control
// plane that goes altogether takes no member out (domain.md 3.6), but then none
// is asked for any more.
func (m *Manager) etcdMember(machine *replica) bool {
	if machine.deleting && machine.annotations[annotationPreTerminate] == nil {
		return false
	}
	return machine.node() != "" || m.hasJoined(machine)
}

// An etcdView is what a control plane gets to know of etcd, at the beginning of a pass.
type etcdView struct {
	// answers says that there is a member that can be asked for the others, one of a
	// Machine that stays, and that etcd has the quorum to do so.
	answers         bool
	voters, running int // voters that run
}

func (m *Manager) askEtcd(p *controlPlane) etcdView {
	var v etcdView
	reached := false
	for _, machine := range p.machines {
		running := m.guest(machine).running
		reached = reached || running && !machine.deleting && machine.node() != ""
		if !m.etcdMember(machine) || m.catchingUp(machine) {
			continue
		}
		v.voters++
		if running {
			v.running++
		}
	}
	v.answers = p.inspected && reached && v.running >= quorumOf(v.voters)
	return v
}

// quorumWith says whether etcd would have quorum without the member on removed, if
// that is not nil, and with one more if it is added, which is taken for one that
// never comes up. Nothing is moved while a member is learning.
func (m *Manager) quorumWith(p *controlPlane, removed *replica, added bool) bool {
	voters, unhealthy, all := 0, 0, 0
	for _, member := range p.machines {
		if !m.etcdMember(member) {
			continue
		}
		all++
		switch {
		case removed != nil && member.name == removed.name:
		case m.catchingUp(member):
			return false
		default:
			voters++
			if member.node() != "" && !member.isTrue(conditionEtcdMember) {
				unhealthy++
			}
		}
	}
	if added {
		voters++
		if all > 1 {
			unhealthy++
		}
	}
	return voters-unhealthy >= quorumOf(voters)
}

// mayLeave says whether a Machine that goes may take its etcd member with it.
func (m *Manager) mayLeave(p *controlPlane, machine *replica) bool {
	switch {
	case len(p.machines) <= 1:
		return true
	case !p.componentsWithout(machine) || !p.etcd.answers:
		return false
	case !m.etcdMember(machine):
		return true
	}
	return m.quorumWith(p, machine, false) && m.etcdLetsGo(p, machine)
}

// etcdLetsGo says whether etcd itself takes a member out: not one that runs if there
// are too few others that do.
func (m *Manager) etcdLetsGo(p *controlPlane, machine *replica) bool {
	return m.catchingUp(machine) || !m.guest(machine).running || p.etcd.running-1 >= quorumOf(p.etcd.voters-1)
}

// runPreTerminateHook takes the etcd member of a Machine that was drained out of
// etcd, then lets the Machine go: one at a time, the one first that was marked
// first. While a Machine goes nothing else is done.
func (m *Manager) runPreTerminateHook(p *controlPlane) (step, error) {
	var next *replica
	wait := step{taken: true, again: machineDeletionRetry}
	for _, machine := range p.machines {
		switch {
		case !machine.deleting:
		case machine.annotations[annotationPreTerminate] == nil:
			return wait, nil
		case next == nil || markedAt(machine.machine) < markedAt(next.machine):
			next = machine
		}
	}
	if next == nil {
		return step{}, nil
	}
	if otherPreTerminateHooks(next) || next.condition("Deleting").Reason != "WaitingForPreTerminateHook" || !m.mayLeave(p, next) {
		return wait, nil
	}
	d := edit(next.machine, m.now())
	d.unset("metadata", "annotations", annotationPreTerminate)
	return wait, m.commit(actorKCP, d)
}

func markedAt(machine *unstructured.Unstructured) string {
	return resource.Text(machine.Object, "metadata", "deletionTimestamp")
}

// otherPreTerminateHooks says whether others want to act before the VM goes; the
// control plane is the last, as the kubelet has to run for them.
func otherPreTerminateHooks(machine *replica) bool {
	for key := range machine.annotations {
		if strings.HasPrefix(key, prefixPreTerminate) && key != annotationPreTerminate {
			return true
		}
	}
	return false
}
