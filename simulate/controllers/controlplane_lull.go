package controllers

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// A lull is when a control plane is left with nothing to do: the next reconcile would
// come to the same end, as long as nothing changes and no time comes that was waited
// for. The roster ends it when it hears of a change of a machine or a Secret.
type lull struct {
	controlPlane *unstructured.Unstructured // as it was left
	cluster      outlook
	// again and rest are what the reconcile asked for, of which again may have been
	// the time until next.
	again, rest time.Duration
	next        time.Time
	// end is when time alone makes a difference; zero is never.
	end time.Time
}

// An outlook is what of its Cluster a control plane looks at.
type outlook struct {
	spec, annotations   map[string]any
	domains             []any
	provisioned         bool
	infrastructureReady string // since when
}

func outlookOf(cluster *view) outlook {
	return outlook{
		cluster.spec, cluster.annotations, resource.Items(cluster.status, "failureDomains"),
		cluster.initialized("infrastructureProvisioned"), cluster.conditionOf("InfrastructureReady").since,
	}
}

func (o outlook) same(other outlook) bool {
	return resource.SameMap(o.spec, other.spec) && resource.SameMap(o.annotations, other.annotations) && resource.SameList(o.domains, other.domains) &&
		o.provisioned == other.provisioned && o.infrastructureReady == other.infrastructureReady
}

// lasts says whether a control plane is as it was left in a lull.
func (l *lull) lasts(u *unstructured.Unstructured, cluster *view, now time.Time) bool {
	return l != nil && l.controlPlane == u && !over(l.end, now) && l.cluster.same(outlookOf(cluster))
}

// waits is how long until the next reconcile, from now on.
func (l *lull) waits(now time.Time) time.Duration {
	if !l.next.IsZero() {
		return soonest(l.again, l.next.Sub(now))
	}
	return l.again
}

// settleControlPlane commits what a reconcile wrote, and notes the lull that it leaves
// if it does.
func (m *Manager) settleControlPlane(p *controlPlane, l *lull) error {
	l.controlPlane = p.u
	if p.d.changed() {
		var err error
		if l.controlPlane, err = m.write(actorKCP, p.d); err != nil {
			return err
		}
	}
	if v := m.view(l.controlPlane); v.generation == p.generation {
		v.taken = p.headcount
	}
	c := m.roster.census(clusterName{p.namespace, p.home.name})
	if p.busy || !p.sawAll(c.machines) {
		return nil
	}
	for _, machine := range p.machines {
		g := m.guest(machine)
		p.await(g.joined)
		p.await(g.votes)
	}
	l.cluster, l.end = outlookOf(p.home), p.due
	c.lull = l
	return nil
}

// sawAll says whether a reconcile has seen the machines as they are now.
func (p *controlPlane) sawAll(now []*enrolled) bool {
	return len(p.machines) == len(now) && !slices.ContainsFunc(p.machines, func(r *replica) bool { return r.parts != r.kept.parts })
}
