package phase

import "time"

// advance reduces what is remembered to steps, after a change at a time.
func (c *cluster) advance(at time.Duration) {
	before := c.measure()
	switch c.goal.Verb {
	case "none":
		return
	case "delete":
		c.advanceRemoval(at)
	default:
		c.advanceCreation(at)
	}
	if c.measure() != before {
		c.blocked = "" // it got nearer to its goal, or farther from it
	}
	c.extend(at)
}

// measure is what progress is measured by.
func (c *cluster) measure() [len(order)][2]int64 {
	var out [len(order)][2]int64
	for i, s := range c.steps {
		out[i][1] = s.Done
		if s.State == Done {
			out[i][0] = 1
		}
	}
	return out
}

// advanceCreation is for a cluster that is to be, new or changed. The
// completion predicates are those of domain.md 8.1.
func (c *cluster) advanceCreation(at time.Duration) {
	self := c.self
	cp, wk := c.goal.ControlPlane, c.goal.Workers
	old := c.existed()
	count := func(p *pool, known, wanted int64) (int64, bool) {
		done := p.at(known, wanted, old && !c.whole)
		return done, done >= wanted
	}
	exists := self != nil || old

	c.set(Prerequisites, at, c.start != NotYet, exists, 0, 0)
	c.set(Topology, at, exists && c.start != NotYet, exists && c.topologyStands(), 0, 0)

	infra := self.holds(infrastructureReady) || c.infra.holds(ready) || self == nil && old
	c.set(Infrastructure, at, c.infra != nil || c.step(Infrastructure).Start != NotYet, exists && infra, 0, 0)

	done, all := count(&c.controlPlane, c.controlPlane.bootstrapped, cp)
	c.set(Bootstrap, at, c.controlPlane.made > 0 || !all && old && c.stirred, exists && all, done, cp)
	bootstrap := all
	done, all = count(&c.controlPlane, c.controlPlane.provisioned, cp)
	c.set(Machine, at, c.controlPlane.bootstrapped > 0, exists && all, done, cp)
	done, all = count(&c.controlPlane, c.controlPlane.up, cp)
	all = all && c.initialized()
	c.set(Node, at, c.controlPlane.provisioned > 0, exists && all, done, cp)
	nodes := all

	done, all = count(&c.workers, c.workers.up, wk)
	begun := c.initialized() && (!old || c.stirred) && (c.workers.live > 0 || nodes || wk == 0)
	complete := exists && all && bootstrap && nodes && infra && c.topologyStands() && c.complete()
	c.set(Workers, at, begun && c.start != NotYet, complete, done, wk)

	switch {
	case complete && c.end == NotYet:
		c.end = at
	case !complete:
		c.end = NotYet
	}
}

// topologyStands reports phase 1 as over: every object of the topology exists
// and the topology is not refused. TopologyReconciled is False for as long as a
// control plane is created or upgraded, which is not a lack of topology.
func (c *cluster) topologyStands() bool {
	if reason, is := c.self.condition("TopologyReconciled"); is {
		switch reason.Reason {
		case "ReconcileFailed", "ClusterClassNotReconciled", "LifecycleHookBlocking":
			return false
		}
	}
	if c.existed() {
		return true
	}
	pools := c.goal.Workers == 0 || c.deployments > 0 && c.sets >= c.deployments
	return c.infra != nil && c.kcp != nil && pools
}

// initialized reports that the first control-plane node runs.
func (c *cluster) initialized() bool {
	return c.self.holds(initialized) || c.kcp.holds(initialized) || c.self == nil && c.existed()
}

// activities are the conditions of a Cluster that show controllers at work on it.
var activities = []string{"TopologyReconciled", "RollingOut", "ScalingUp", "ScalingDown"}

// complete reports that the cluster is Available and nothing is under way.
func (c *cluster) complete() bool {
	self := c.self
	if c.existed() && !c.stirred {
		return false
	}
	for _, activity := range activities {
		if _, is := self.condition(activity); is {
			return false
		}
	}
	if self == nil && c.existed() {
		return c.controlPlane.settled() && c.workers.settled()
	}
	return self.holds(available) && c.controlPlane.settled() && c.workers.settled()
}

// set moves a step to what was found. A step that is complete ends now unless
// it ended before; one that is no longer complete is open again.
func (c *cluster) set(id ID, at time.Duration, begun, complete bool, done, wanted int64) {
	s := c.step(id)
	s.Done, s.Wanted = done, wanted
	if begun && s.Start == NotYet && (!complete || !c.existed()) {
		s.Start = at
		if complete && s.State == Done { // its end was heard of before its beginning
			s.Start = s.End
		}
	}
	switch {
	case complete:
		if s.State != Done {
			s.End = at
		}
		s.State = Done
		if c.whole && c.existed() && s.Start == at { // it only looked like it while its objects were told
			s.Start = NotYet
		}
	case s.Start != NotYet:
		s.State, s.End = Running, NotYet
	default:
		s.State, s.End = Pending, NotYet
	}
}

func (c *cluster) step(id ID) *Step {
	for i := range c.steps {
		if c.steps[i].ID == id {
			return &c.steps[i]
		}
	}
	panic("phase: no step " + string(id))
}

// leading is the phase that the cluster is in before all others. Of what goes on
// side by side once the control plane is initialized, workers come first,
// except in a change of a cluster that exists, where they come last.
func (c *cluster) leading() ID {
	if c.goal.Verb == "delete" {
		return c.leadingRemoval()
	}
	for _, id := range []ID{Prerequisites, Topology, Infrastructure} {
		if c.step(id).State != Done {
			return id
		}
	}
	if c.existed() && !c.stirred {
		return Topology // the change is accepted and has had no consequences yet
	}
	workersOpen := c.step(Workers).Done < c.goal.Workers
	if workersOpen && c.initialized() && !c.existed() {
		return Workers
	}
	// The machine in flight is where its stages differ; they come one at a time.
	a, b, n := c.step(Bootstrap), c.step(Machine), c.step(Node)
	switch {
	case b.Done > n.Done:
		return Node
	case a.Done > b.Done:
		return Machine
	case a.State != Done:
		return Bootstrap
	case n.State != Done:
		return Node
	}
	return Workers
}

// spanCap bounds what a cluster that comes and goes costs.
const spanCap = 96

// extend continues the bar of the cluster to a time.
func (c *cluster) extend(at time.Duration) {
	if c.start == NotYet {
		return
	}
	open := len(c.spans) > 0 && c.spans[len(c.spans)-1].End == NotYet
	if c.end != NotYet {
		if open {
			c.spans[len(c.spans)-1].End = at
		}
		return
	}
	id := c.leading()
	if open {
		last := &c.spans[len(c.spans)-1]
		switch {
		case last.ID == id || len(c.spans) >= spanCap:
			return
		case last.Start == at: // nothing was to be seen of it
			c.spans = c.spans[:len(c.spans)-1]
			if n := len(c.spans); n > 0 && c.spans[n-1].ID == id {
				c.spans[n-1].End = NotYet
				return
			}
		default:
			last.End = at
		}
	}
	c.spans = append(c.spans, Span{ID: id, Start: at, End: NotYet})
}
