package phase

import (
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// Aim gives a cluster or a vSphere Namespace a goal, be it another one or its
// first. What is known of its objects stays, and is taken to be all there is from
// now on: whoever aims tells of every object, as present or as it is created.
//
// A goal of another verb, and one after a goal that was reached, begins anew: its
// way starts at the time given. Another number of machines on the way does not.
// With the verb none the way ends there, and stays to be seen until the next one.
func (t *Tracker) Aim(at time.Duration, g Goal) {
	switch g.Addr.Kind {
	case resource.KindCluster:
		p := place{g.Addr.Namespace, g.Addr.Name}
		if t.clusters[p] == nil {
			t.clusters[p] = newCluster(g)
		}
		t.clusters[p].aim(at, g)
	case resource.KindVSphereNamespace:
		if t.namespaces[g.Addr.Name] == nil {
			t.namespaces[g.Addr.Name] = newNamespace(g)
		}
		t.namespaces[g.Addr.Name].aim(at, g)
	}
}

// Forget drops a goal with all that is known of its objects.
func (t *Tracker) Forget(a resource.Addr) {
	switch a.Kind {
	case resource.KindCluster:
		delete(t.clusters, place{a.Namespace, a.Name})
	case resource.KindVSphereNamespace:
		delete(t.namespaces, a.Name)
	}
}

func (c *cluster) aim(at time.Duration, g Goal) {
	onItsWay := c.goal.Verb == g.Verb && c.start != NotYet && c.end == NotYet
	c.goal, c.whole = g, true
	if g.Verb == "none" {
		c.rest(at)
		return
	}
	if !onItsWay {
		c.restart(at)
	}
	c.advance(at)
}

// rest ends the way of the cluster, if it is on one.
func (c *cluster) rest(at time.Duration) {
	if c.start == NotYet || c.end != NotYet {
		return
	}
	c.end, c.blocked, c.failed = at, "", false
	for i := range c.steps {
		if s := &c.steps[i]; s.State != Done {
			s.State, s.End = Done, at
		}
	}
	c.extend(at)
}

// restart begins a way at a time. Controllers may be at work already.
func (c *cluster) restart(at time.Duration) {
	for i, id := range order {
		c.steps[i] = Step{ID: id, State: Pending, Start: NotYet, End: NotYet}
	}
	c.spans, c.start, c.end, c.touched = nil, at, NotYet, at
	c.blocked, c.failed = "", false
	c.controlPlane.gone, c.workers.gone = 0, 0
	c.stirred = c.self != nil && !c.self.holds(available)
	for _, activity := range activities {
		_, is := c.self.condition(activity)
		c.stirred = c.stirred || is
	}
}

func (n *namespace) aim(at time.Duration, g Goal) {
	onItsWay := n.goal.Verb == g.Verb && n.start != NotYet && n.end == NotYet
	n.goal = g
	switch {
	case g.Verb == "none":
		if n.start != NotYet {
			n.reach(at)
		}
	case !onItsWay:
		n.start, n.end, n.blocked, n.failed = at, NotYet, false, false
	}
}
