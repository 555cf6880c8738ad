package apply

import (
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// adopt makes the steps of a plan the run's own.
func (r *run) adopt(p *plan.Plan) {
	now := r.World.Now()
	r.steps, r.groups = map[resource.Addr]*step{}, map[string]*group{}
	r.order, r.ready, r.retries, r.stirring = nil, nil, nil, nil
	r.reached, r.unsettled, r.polled = 0, len(p.Goals), 0
	r.nextStall, r.nextDue = now.Add(r.StallAfter), now.Add(r.shortest())
	for _, g := range p.Goals {
		s := &step{goal: g, state: waiting, movedAt: now, group: r.groupOf(g.Addr)}
		r.steps[g.Addr] = s
		if unwatched(g.Addr) {
			r.polled++
		}
	}
	for i := range p.Actions {
		s := r.steps[p.Actions[i].Addr]
		if s == nil {
			continue
		}
		s.action = &p.Actions[i]
		if unwatched(s.goal.Addr) {
			s.group.namespace = s
		} else {
			s.group.members = append(s.group.members, s)
			s.group.left++
		}
		if s.acts() || s.action.Skip != "" {
			s.state = gated
			r.enqueue(s)
		}
	}
	for _, g := range p.Goals {
		r.check(r.steps[g.Addr])
	}
}

func (r *run) groupOf(a resource.Addr) *group {
	name := namespaceOf(a)
	if r.groups[name] == nil {
		r.groups[name] = &group{}
	}
	return r.groups[name]
}

// unwatched says whether a resource lives in vCenter, which is polled.
func unwatched(a resource.Addr) bool { return a.Kind == resource.KindVSphereNamespace }

// kindNamespace is the Kubernetes side of a vSphere Namespace.
const kindNamespace = "Namespace"

// namespaceOf is the vSphere Namespace that a resource is in, or is.
func namespaceOf(a resource.Addr) string {
	if unwatched(a) || a.Kind == kindNamespace {
		return a.Name
	}
	return a.Namespace
}

// look takes note of a resource that changed, and of the gates that it may open.
func (r *run) look(a resource.Addr) {
	if s := r.steps[a]; s != nil {
		s.movedAt = r.World.Now()
		r.resume(s)
		r.check(s)
		r.enqueue(s) // it may have waited for one of its own name to go
	}
	if g := r.groups[a.Name]; a.Kind == kindNamespace && g != nil {
		for _, s := range g.members {
			r.enqueue(s)
		}
	}
}

// resume takes up a step that was called blocked.
func (r *run) resume(s *step) {
	if s.state != blocked {
		return
	}
	s.state = waiting
	if s.acts() && !s.taken {
		s.state = gated
	}
	r.unsettled++
}

// check sees whether a step has reached its goal.
func (r *run) check(s *step) {
	if s.state != waiting {
		return
	}
	o, exists := r.Client.Get(s.goal.Addr)
	if s.stirred && exists && s.goal.Verb != plan.Delete && phase.Short(o) {
		return // as most often; what else it lacks does not matter any more
	}
	done, lack := !exists, phase.Link{}
	if s.goal.Verb != plan.Delete {
		done = false
		if exists {
			done, lack = phase.Reached(o)
		}
	}
	s.stirred = s.stirred || s.taken && !done && lack.Reason != phase.NotObserved
	if done && r.calm(s) {
		r.settle(s, reached)
		r.opened(s)
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

// opened looks at the gates that a step opens by having reached its goal.
func (r *run) opened(s *step) {
	g := s.group
	if s == g.namespace {
		for _, member := range g.members {
			r.enqueue(member)
		}
		return
	}
	if s.action == nil {
		return // not among the members
	}
	if g.left--; g.left == 0 && g.namespace != nil {
		r.enqueue(g.namespace)
	}
}

// open says whether the action of a step may be taken now: a cluster needs its
// namespace to run, a namespace goes only when its clusters are gone, and what
// is to be made anew has to be gone first.
func (r *run) open(s *step) bool {
	home := s.group.namespace
	switch {
	case s.action.Verb == plan.Delete:
		return s != home || s.group.left == 0
	case s.action.Verb == plan.Create && r.leaving(s.goal.Addr):
		return false
	case s == home:
		return true
	}
	_, exists := r.Client.Get(resource.Addr{Kind: kindNamespace, Name: s.goal.Addr.Namespace, Supervisor: s.goal.Addr.Supervisor})
	return exists && (home == nil || home.state == reached)
}

// leaving says whether what has an address is there and on its way out.
func (r *run) leaving(a resource.Addr) bool {
	o, exists := r.Client.Get(a)
	return exists && (o.GetDeletionTimestamp() != nil || resource.Text(o.Object, "status", "configStatus") == "REMOVING")
}
