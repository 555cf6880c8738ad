package phase

import "time"

// The stages of a removal in order: workers, then the control plane, then the
// infrastructure, then the Cluster itself (domain.md 3.6).
var stages = [...]ID{Workers, Node, Infrastructure, Topology}

// advanceRemoval is for a cluster that is to be gone. Its steps are those of
// its way into being, taken back: a step is done when what it made is gone.
func (c *cluster) advanceRemoval(at time.Duration) {
	stage := c.stage()
	for i, id := range stages {
		c.unmake(id, at, i < stage, i == stage)
	}
	for _, id := range []ID{Machine, Bootstrap} { // they go with the node
		c.unmake(id, at, stage > 1, stage == 1)
	}
	c.unmake(Prerequisites, at, true, false)

	c.step(Workers).Done, c.step(Workers).Wanted = c.workers.gone, max(c.workers.gone+c.workers.live, c.workers.gone)
	for _, id := range []ID{Bootstrap, Machine, Node} {
		s := c.step(id)
		s.Done, s.Wanted = c.controlPlane.gone, c.controlPlane.gone+c.controlPlane.live
	}
	if stage == len(stages) && c.end == NotYet {
		c.end = at
	}
}

// stage is how many stages of a removal are over. The Cluster says where it is;
// objects that are marked or gone say it where it does not.
func (c *cluster) stage() int {
	if c.gone {
		return len(stages)
	}
	deleting, _ := c.self.condition("Deleting")
	switch {
	case deleting.Reason == "DeletionCompleted", c.infraGone:
		return 3
	case deleting.Reason == "WaitingForInfrastructureDeletion", c.infra != nil && c.infra.deleting:
		return 2
	case deleting.Reason == "WaitingForControlPlaneDeletion", c.kcp != nil && c.kcp.deleting:
		return 1
	}
	return 0
}

func (c *cluster) unmake(id ID, at time.Duration, gone, going bool) {
	s := c.step(id)
	begun := going && c.start != NotYet
	if (begun || gone) && s.Start == NotYet && id != Prerequisites {
		s.Start = at
	}
	switch {
	case gone:
		if s.State != Done {
			s.End = at
		}
		s.State = Done
	case begun:
		s.State = Running
	}
}

func (c *cluster) leadingRemoval() ID {
	return stages[min(c.stage(), len(stages)-1)]
}
