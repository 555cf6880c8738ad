package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// How long KubeadmControlPlane waits before it looks again (domain.md 2.3).
const (
	// preflightRetry follows a failed preflight, of a MachineSet too.
	preflightRetry = 15 * time.Second
	// preflightRest is how long nothing wakes a control plane whose components
	// were found unhealthy.
	preflightRest = 5 * time.Second
	// unhealthyRetry is how often the components are looked at while they are not
	// all healthy and nothing is to be scaled.
	unhealthyRetry = 20 * time.Second
	// certificateRetry is how long it waits for the CA that is to sign the kubeconfig.
	certificateRetry = 30 * time.Second
	// machineDeletionRetry is how often a Machine that goes is looked at.
	machineDeletionRetry = 30 * time.Second
	// syncPeriod is how often a control plane is looked at of which nothing is
	// heard.
	syncPeriod = 10 * time.Minute
)

// A controlPlane is what one reconcile of a KubeadmControlPlane works on.
type controlPlane struct {
	*view     // of u
	u         *unstructured.Unstructured
	d         *draft // of u
	cluster   *unstructured.Unstructured
	home      *view      // of cluster
	asked     asked      // of machines
	census    *census    // of cluster
	machines  []*replica // oldest first
	headcount headcount  // of machines
	// blocked is why nothing may be scaled now.
	blocked []string
	// inspected says that the workload cluster was looked into, and obstacle why it could
	// not be, where that was tried.
	inspected bool
	obstacle  string
	etcd      etcdView
	// busy says that the next reconcile has more to do.
	busy bool
	// due is when what was found changes by itself, and next when to look again
	// for that; zero is never.
	due, next time.Time
}

func (m *Manager) newControlPlane(u, cluster *unstructured.Unstructured, census *census) *controlPlane {
	v, home := m.view(u), m.view(cluster)
	p := &controlPlane{
		view: v, u: u, d: m.edit(u), cluster: cluster, home: home, asked: askedBy(v, home.name),
		census: census, machines: m.replicas(census),
	}
	for _, machine := range p.machines {
		m.recall(p, machine)
	}
	return p
}

// desired is the number of replicas asked for: one where nothing is said, none
// once the control plane goes.
func (p *controlPlane) desired() int {
	switch {
	case p.deleting:
		return 0
	case p.spec["replicas"] == nil:
		return 1
	}
	return int(resource.Int(p.spec, "replicas"))
}

// version is what its Machines should run.
func (p *controlPlane) version() string { return resource.Text(p.spec, "version") }

// template is a field of spec.machineTemplate.
func (p *controlPlane) template(path ...string) any {
	return resource.Field(p.spec["machineTemplate"], path...)
}

// reconcileControlPlane makes the PKI, and keeps as many Machines as asked for,
// of the kind asked for, changing one at a time (domain.md E20-E22, E40, E44-E45,
// E51, 3.1-3.6).
func (m *Manager) reconcileControlPlane(u *unstructured.Unstructured) (time.Duration, error) {
	v := m.view(u)
	cluster := m.clusterFor(u)
	if cluster == nil || !v.ownedBy(m.view(cluster)) {
		return 0, nil
	}
	census := m.roster.census(clusterName{v.namespace, v.cluster})
	if l := census.lull; l.lasts(u, m.view(cluster), m.now()) {
		m.rest = l.rest
		return l.waits(m.now()), nil
	}
	p := m.newControlPlane(u, cluster, census)
	if !p.deleting && !v.hasFinalizer(finalizerControlPlane) {
		p.d.addFinalizer(finalizerControlPlane) // in a pause too
		return 0, m.commit(actorKCP, p.d)
	}
	if m.halts(p.d, v, cluster) {
		return 0, m.commit(actorKCP, p.d)
	}
	if p.deleting {
		return m.deleteControlPlane(p)
	}
	again, err := m.advanceControlPlane(p)
	if err != nil {
		return 0, err
	}
	again = soonest(again, m.observeInitialized(p))
	p.awaitRollout()
	summarizeControlPlane(p)
	if again == 0 && p.next.IsZero() && (p.d.isFalse("ControlPlaneComponentsHealthy") || !p.nodesReady()) {
		again = unhealthyRetry
	}
	l := &lull{again: again, rest: m.rest, next: p.next}
	return l.waits(m.now()), m.settleControlPlane(p, l)
}

// endpointKnown says whether it is known where the API will be served.
func (p *controlPlane) endpointKnown() bool {
	return resource.Text(p.home.spec, "controlPlaneEndpoint", "host") != ""
}

// advanceControlPlane goes as far as what it depends on allows. Of the operations
// on Machines at most one is done.
func (m *Manager) advanceControlPlane(p *controlPlane) (time.Duration, error) {
	if !p.home.initialized("infrastructureProvisioned") {
		return 0, nil
	}
	if err := m.createCertificates(p); err != nil {
		return 0, err
	}
	if !p.endpointKnown() {
		return 0, nil
	}
	if s, err := m.createKubeconfig(p); err != nil || s.taken {
		return s.again, err
	}
	if err := m.syncControlPlaneMachines(p); err != nil {
		return 0, err
	}
	if err := m.inspectMachines(p); err != nil {
		return 0, err
	}
	if p.obstacle == notConnected {
		return faultRetry, nil
	}
	var again time.Duration
	for _, operation := range []func(*Manager, *controlPlane) (step, error){
		(*Manager).runPreTerminateHook,
		(*Manager).remediateControlPlane,
		(*Manager).rollOutControlPlane,
		(*Manager).scaleControlPlane,
	} {
		s, err := operation(m, p)
		again = soonest(again, s.again)
		if err != nil || s.taken {
			return again, err
		}
	}
	return again, m.noteCertificates(p)
}

// A step is what came of an operation: whether it was the one to be done now,
// and when to look again.
type step struct {
	taken bool
	again time.Duration
}

// observeInitialized finds out whether kubeadm init is through, which can be seen
// from when the workload cluster answers (domain.md E40). What is in the cluster
// is looked at from the next reconcile on.
func (m *Manager) observeInitialized(p *controlPlane) time.Duration {
	if p.initialized("controlPlaneInitialized") || len(p.machines) == 1 && (p.machines[0].deleting || toRemediate(p.machines[0])) {
		return 0 // of a first machine that is to go nothing is taken over
	}
	at, known := m.connectionTime(p.cluster)
	switch {
	case !known:
	case at.After(m.now()):
		p.await(at)
		p.wake(at.Add(2 * hop)) // the Machine is Running first
	default:
		p.busy = true
		p.d.condition("Initialized", "True", "Initialized", "")
		p.d.set(true, "status", "initialization", "controlPlaneInitialized")
		return pace
	}
	return 0
}

// await notes a time that makes a difference, if it is to come.
func (p *controlPlane) await(t time.Time) { p.due = sooner(p.due, t, p.d.now) }

// wake has the control plane looked at again at a time to come.
func (p *controlPlane) wake(t time.Time) { p.next = sooner(p.next, t, p.d.now) }

// sooner is the earlier of two times, of which the zero time and one that is not
// after now do not count.
func sooner(a, b, now time.Time) time.Time {
	if !b.After(now) || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

// soonest is the shorter of two waits, where zero is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
