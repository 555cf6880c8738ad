package phase

import (
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// A namespace is what is remembered of one vSphere Namespace. Its only phase is
// Prerequisites.
type namespace struct {
	goal       Goal
	object     object // the Kubernetes Namespace and the vSphere one, whose conditions do not collide
	start, end time.Duration
	blocked    bool
	failed     bool
}

func newNamespace(g Goal) *namespace {
	return &namespace{goal: g, start: NotYet, end: NotYet, object: object{kind: g.Addr.Kind, name: g.Addr.Name}}
}

// take applies a change of the Namespace or of the vSphere Namespace. vCenter
// says when one runs; vksync labels the Kubernetes one when it saw that.
func (n *namespace) take(at time.Duration, c resource.Change, names *interner) {
	n.touch(at)
	n.object.take(c, names)
	removing := n.goal.Verb == "delete"
	_, labelled := c.Labels[resource.LabelSource]
	switch {
	case c.Verb == resource.Deleted && removing:
		n.reach(at)
	case removing:
	case c.Kind == resource.KindVSphereNamespace && c.Phase == "RUNNING", labelled:
		n.reach(at)
	}
}

// inhabited notes that a cluster lives in the namespace, so that it runs.
func (n *namespace) inhabited(at time.Duration) {
	if n.goal.Verb == "create" {
		n.touch(at)
		n.reach(at)
	}
}

// act notes an action of vksync. vCenter makes a namespace in its own time, and
// changes one at once.
func (n *namespace) act(at time.Duration, kind string, state State) {
	n.touch(at)
	n.failed = state == Failed
	if state == Done && (n.goal.Verb == "update" || kind == "Namespace" && n.goal.Verb == "create") {
		n.reach(at)
	}
}

func (n *namespace) touch(at time.Duration) {
	if n.start == NotYet {
		n.start = at
	}
}

func (n *namespace) reach(at time.Duration) {
	n.blocked, n.failed = false, false
	if n.end == NotYet {
		n.end = at
	}
}

func (n *namespace) block(at time.Duration) {
	n.touch(at)
	n.blocked = true
}

func (n *namespace) finish(at time.Duration, reached, interrupted bool) {
	switch {
	case n.goal.Verb == "none" || n.end != NotYet:
	case reached:
		n.touch(at)
		n.reach(at)
	default:
		n.failed = n.failed || !interrupted && !n.blocked
	}
}

func (n *namespace) progress() Progress {
	step := Step{ID: Prerequisites, Start: n.start, End: n.end, State: n.state()}
	p := Progress{Goal: n.goal, State: step.State, Current: Prerequisites, Steps: []Step{step}, Start: n.start, End: n.end}
	if n.start != NotYet {
		p.Spans = []Span{{ID: Prerequisites, Start: n.start, End: n.end}}
	}
	return p
}

func (n *namespace) state() State {
	switch {
	case n.goal.Verb == "none" || n.end != NotYet:
		return Done
	case n.failed:
		return Failed
	case n.blocked:
		return Blocked
	case n.start != NotYet:
		return Running
	}
	return Pending
}

func (n *namespace) why() []Link {
	if n.state() == Done {
		return nil
	}
	link := Link{Kind: n.goal.Addr.Kind, Name: n.goal.Addr.Name, Reason: n.object.status}
	switch {
	case n.goal.Verb == "delete":
		link.Condition, link.Message = "Deleting", remaining(n.object.finalizers)
	case n.start == NotYet:
		link.Reason = "NotCreated"
	}
	chain := []Link{link}
	for _, c := range n.object.wrong {
		chain = append(chain, Link{Kind: "Namespace", Name: n.goal.Addr.Name, Condition: c.Type, Reason: c.Reason, Message: c.Message})
	}
	return chain
}
