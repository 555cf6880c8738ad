package apply

import (
	"slices"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// stalled calls blocked what has stood still for too long. The scan is put off
// until the first that can be meant: movement only makes it later.
func (r *run) stalled() {
	now := r.World.Now()
	if now.Before(r.nextStall) {
		return
	}
	r.nextStall = now.Add(r.StallAfter)
	// Again, since what waited for one that is blocked is blocked as well.
	for again := true; again; {
		again = false
		for _, s := range r.sorted() {
			if s.state.settled() || s.busy || s.awaits() {
				continue
			}
			if at := s.movedAt.Add(r.StallAfter); at.After(now) {
				if at.Before(r.nextStall) {
					r.nextStall = at
				}
				continue
			}
			r.block(s)
			again = true
		}
	}
}

// awaits says whether a step is held up by another that still moves: its own
// standing still means nothing then.
func (s *step) awaits() bool {
	home := s.group.namespace
	switch {
	case s.state != gated || home == nil:
		return false
	case s != home:
		return !home.state.settled()
	}
	return s.goal.Verb == plan.Delete && slices.ContainsFunc(s.group.members, func(m *step) bool { return !m.state.settled() })
}

func (r *run) block(s *step) {
	chain := r.chain(s)
	_, at := r.Journal.Why(s.goal.Addr)
	r.settle(s, blocked)
	r.Journal.Record(r.World.Now(), Stalled(s.goal.Addr, at, chain))
}

// chain is why a step waits.
func (r *run) chain(s *step) []phase.Link {
	told, _ := r.Journal.Why(s.goal.Addr)
	o, exists := r.Client.Get(s.goal.Addr)
	return Chain(s.goal.Addr, s.goal.Verb == plan.Delete, told, o, exists)
}

// sorted are all steps in the order of their addresses.
func (r *run) sorted() []*step {
	out := make([]*step, 0, len(r.steps))
	for _, s := range r.steps {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *step) int { return resource.Addr.Compare(a.goal.Addr, b.goal.Addr) })
	return out
}
