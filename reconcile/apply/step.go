package apply

import (
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// A step is one goal on its way: the action that starts it, if there is one, and
// where it stands.
type step struct {
	goal   plan.Goal
	action *plan.Action // nil when there is nothing to do
	state  state
	// movedAt is when the resource last changed.
	movedAt time.Time
	// retryAt is when a transient failure is tried again.
	retryAt  time.Time
	attempts int
}

type state int

const (
	gated   state = iota // its action is not taken yet
	waiting              // for the goal
	reached
	blocked // stood still for too long; may move again
	failed  // its action was refused, or will not be taken
)

// settled says that a step will not come further by itself.
func (s state) settled() bool { return s >= reached }

// adopt makes the steps of a plan the run's own.
func (r *run) adopt(p *plan.Plan) {
	now := r.World.Now()
	r.steps, r.closed = map[resource.Addr]*step{}, map[string][]*step{}
	r.order, r.retries = nil, nil
	r.reached, r.unsettled, r.polled = 0, len(p.Goals), 0
	r.nextStall = now.Add(r.StallAfter)
	actions := map[resource.Addr]*plan.Action{}
	for i := range p.Actions {
		actions[p.Actions[i].Addr] = &p.Actions[i]
	}
	for _, g := range p.Goals {
		s := &step{goal: g, action: actions[g.Addr], movedAt: now}
		r.steps[g.Addr] = s
		if unwatched(g.Addr) {
			r.polled++
		}
		if s.action == nil || s.action.Verb == plan.None {
			s.state = waiting
		}
	}
	for i := range p.Actions {
		if s := r.steps[p.Actions[i].Addr]; s != nil {
			r.order = append(r.order, s)
			r.closed[namespaceOf(s.goal.Addr)] = append(r.closed[namespaceOf(s.goal.Addr)], s)
		}
	}
	for _, g := range p.Goals {
		r.check(r.steps[g.Addr])
	}
}

// unwatched says whether a resource lives in vCenter, which is polled.
func unwatched(a resource.Addr) bool { return a.Kind == resource.KindVSphereNamespace }

// namespaceOf is the vSphere Namespace that a resource is in, or is.
func namespaceOf(a resource.Addr) string {
	if unwatched(a) || a.Kind == "Namespace" {
		return a.Name
	}
	return a.Namespace
}

// look takes note of a resource that changed, and of the gates that it may open.
func (r *run) look(a resource.Addr) {
	if s := r.steps[a]; s != nil {
		s.movedAt = r.World.Now()
		if s.state == blocked {
			s.state = waiting
			r.unsettled++
		}
		r.check(s)
	}
	if unwatched(a) || a.Kind == "Namespace" || r.gone(a) {
		for _, s := range r.closed[namespaceOf(a)] {
			if s.state == gated && s.retryAt.IsZero() {
				r.order = append(r.order, s)
			}
		}
	}
}

// check sees whether a step has reached its goal.
func (r *run) check(s *step) {
	if s.state != waiting {
		return
	}
	o, exists := r.Client.Get(s.goal.Addr)
	done := !exists
	if s.goal.Verb != plan.Delete {
		done = false
		if exists {
			done, _ = phase.Reached(o)
		}
	}
	if done {
		r.settle(s, reached)
	}
}

func (r *run) settle(s *step, as state) {
	if !s.state.settled() {
		r.unsettled--
	}
	s.state = as
	if as == reached {
		r.reached++
	}
	if unwatched(s.goal.Addr) && (as == reached || as == failed) {
		r.polled--
	}
}

// gone says that a resource that was to be deleted is no more.
func (r *run) gone(a resource.Addr) bool {
	s := r.steps[a]
	return s != nil && s.goal.Verb == plan.Delete && s.state == reached
}

// open says whether the action of a step may be taken now: a cluster needs its
// namespace to run, and a namespace goes only when its clusters are gone.
func (r *run) open(s *step) bool {
	namespace := namespaceOf(s.goal.Addr)
	switch {
	case unwatched(s.goal.Addr) && s.action.Verb == plan.Delete:
		for _, other := range r.closed[namespace] {
			if other != s && other.state != reached {
				return false
			}
		}
		return true
	case unwatched(s.goal.Addr) || s.action.Verb == plan.Delete:
		return true
	}
	if _, exists := r.Client.Get(resource.Addr{Kind: "Namespace", Name: namespace, Supervisor: s.goal.Addr.Supervisor}); !exists {
		return false
	}
	for _, other := range r.closed[namespace] {
		if unwatched(other.goal.Addr) && other.state != reached {
			return false
		}
	}
	return true
}

// stalled calls blocked what has stood still for too long. The scan is put off
// until the first that can be meant: movement only makes it later.
func (r *run) stalled() {
	now := r.World.Now()
	if now.Before(r.nextStall) {
		return
	}
	r.nextStall = now.Add(r.StallAfter)
	for _, s := range r.sorted() {
		if s.state.settled() {
			continue
		}
		if at := s.movedAt.Add(r.StallAfter); at.After(now) {
			if at.Before(r.nextStall) {
				r.nextStall = at
			}
			continue
		}
		r.block(s)
	}
}

func (r *run) block(s *step) {
	chain, at := r.Journal.Why(s.goal.Addr)
	r.settle(s, blocked)
	r.Journal.Record(r.World.Now(), journal.Event{Blocked: &journal.Blocked{
		Addr: s.goal.Addr, Phase: at, Chain: chain, Cause: phase.Cause(chain),
	}})
}
