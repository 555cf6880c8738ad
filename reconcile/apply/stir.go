package apply

import (
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/plan"
)

// stirTime is how long a Cluster may look as if a change of it were done before its
// controllers have begun with it: the topology is recomputed, the control plane and
// the pools look at their machines, and what they say is gathered, a second or more
// for each hand-over (observed.md 6.2). In between nothing tells.
const stirTime = 15 * time.Second

// stirs says whether an action makes machines come or go, so that its Cluster is not
// as desired for a while.
func stirs(a *plan.Action) bool {
	return a != nil && a.Verb == plan.Update && slices.ContainsFunc(a.Parts, func(c plan.PartChange) bool {
		return c.Going+c.Comes > 0 && c.NotBefore == "" && !c.OnDelete
	})
}

// calm says whether a step that looks done is: it has been seen not to be since its
// action was taken, or has had the time for it. Otherwise it is looked at again.
func (r *run) calm(s *step) bool {
	if s.stirred || !r.World.Now().Before(s.calmAt) {
		return true
	}
	if !slices.Contains(r.stirring, s) {
		r.stirring = append(r.stirring, s)
	}
	return false
}

// lookAtCalm checks the steps that have had the time to stir.
func (r *run) lookAtCalm() {
	now := r.World.Now()
	var due []*step
	r.stirring = slices.DeleteFunc(r.stirring, func(s *step) bool {
		over := !now.Before(s.calmAt)
		if over {
			due = append(due, s)
		}
		return over || s.stirred || s.state.settled()
	})
	for _, s := range due {
		r.check(s)
	}
}
