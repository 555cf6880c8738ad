package phase

import (
	"slices"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// A Tracker follows the goals of a run on one Supervisor. It keeps a few KB for
// a cluster of six machines that is well, and does the same work for a change
// however many clusters there are. It is not safe for concurrent use.
//
// Times are durations since the start of the run and never go back.
type Tracker struct {
	clusters   map[place]*cluster
	namespaces map[string]*namespace
	names      interner
}

// place names a cluster.
type place struct{ namespace, name string }

// NewTracker makes a tracker for goals. What belongs to no goal is not followed.
func NewTracker(goals []Goal) *Tracker {
	t := &Tracker{clusters: map[place]*cluster{}, namespaces: map[string]*namespace{}}
	for _, g := range goals {
		switch g.Addr.Kind {
		case resource.KindCluster:
			t.clusters[place{g.Addr.Namespace, g.Addr.Name}] = newCluster(g)
		case resource.KindVSphereNamespace:
			t.namespaces[g.Addr.Name] = newNamespace(g)
		}
	}
	return t
}

// Apply takes in a change of an object that belongs to a cluster (empty for
// what is shared) and to a phase.
func (t *Tracker) Apply(at time.Duration, clusterName string, id ID, c resource.Change) {
	switch c.Kind {
	case "Namespace", resource.KindVSphereNamespace:
		if n := t.namespaces[c.Name]; n != nil {
			n.take(at, c, &t.names)
		}
		return
	}
	k := t.clusters[place{c.Namespace, clusterName}]
	if k == nil {
		return
	}
	if n := t.namespaces[c.Namespace]; n != nil {
		n.inhabited(at)
	}
	stirred, start := k.stirred, k.start
	k.stirred = stirred || stirs(c)
	if !c.Present {
		k.touch(at)
	}
	moves := k.take(c, id, &t.names) || k.stirred != stirred || k.start != start
	if moves && k.start != NotYet {
		k.advance(at)
	}
}

// stirs reports that a change shows controllers at work on a new spec, and not
// only a state that comes and goes.
func stirs(c resource.Change) bool {
	if !c.Present && (c.Replicas != nil || c.Kind == "Machine" && (c.Verb != resource.Updated || c.Deleting)) {
		return true
	}
	for _, condition := range c.Conditions {
		switch condition.Type {
		case "RollingOut", "ScalingUp", "ScalingDown":
			if condition.Status == "True" {
				return true
			}
		case "TopologyReconciled":
			if condition.Status == "False" {
				return true
			}
		}
	}
	return false
}

// Operation is something that happened to a virtual machine in vCenter.
type Operation struct {
	Namespace, Cluster, VM string
	// Op is the vSphere operation, Task its task, Error what vCenter answered;
	// empty when it went well.
	Op, Task, Error string
}

// fault is what went wrong with it; nil when nothing did.
func (op *Operation) fault() *resource.Condition {
	if op.Error == "" {
		return nil
	}
	return &resource.Condition{Type: op.Op, Status: "False", Reason: op.Task, Message: op.Error}
}

// Operated takes in an operation in vCenter. An error stays the end of the
// VM's causal chain until an operation on the VM goes well.
func (t *Tracker) Operated(at time.Duration, op Operation) {
	k := t.clusters[place{op.Namespace, op.Cluster}]
	if k == nil {
		return
	}
	k.touch(at)
	if m := k.machines[k.machineOf(op.VM)]; m != nil && m.parts[partVM] != nil {
		m.parts[partVM].fault = op.fault()
	}
	k.extend(at)
}

// Warned takes in what was said of an object of a cluster. It is the end of a
// causal chain that otherwise ends with that object, until something else is said
// of it or the object is gone.
func (t *Tracker) Warned(at time.Duration, clusterName string, said Link) {
	k := t.clusters[place{said.Namespace, clusterName}]
	if k == nil {
		return
	}
	k.touch(at)
	if len(said.Message) > messageCap {
		said.Message = strings.ToValidUTF8(said.Message[:messageCap], "")
	}
	said.Condition = Warning
	if k.warnings == nil {
		k.warnings = map[key]Link{}
	}
	k.warnings[key{t.names.one(said.Kind), said.Name}] = said
}

// Warning is the Condition of a link that a Kubernetes Event made.
const Warning = "Event"

// withWarning adds what was said of the last object of a chain.
func (c *cluster) withWarning(chain []Link) []Link {
	if len(chain) == 0 {
		return chain
	}
	last := chain[len(chain)-1]
	said, there := c.warnings[key{last.Kind, last.Name}]
	if !there || said.Message == last.Message {
		return chain
	}
	return append(chain, said)
}

// Acted notes how an action of vksync itself for a goal stands: Running, Done
// or Failed. Actions on what belongs to no goal are not followed.
func (t *Tracker) Acted(at time.Duration, a resource.Addr, state State) {
	if n := t.namespaces[a.Name]; n != nil && (a.Kind == resource.KindVSphereNamespace || a.Kind == "Namespace") {
		n.act(at, a.Kind, state)
		return
	}
	k := t.clusters[place{a.Namespace, a.Name}]
	if k == nil || a.Kind != resource.KindCluster {
		return
	}
	if n := t.namespaces[a.Namespace]; n != nil && state == Running { // nothing is begun in one that does not run
		n.inhabited(at)
	}
	k.touch(at)
	k.failed = state == Failed
	k.advance(at)
}

// Block notes that a goal stopped getting nearer, in a phase. It holds until
// the goal does get nearer, or farther away.
func (t *Tracker) Block(at time.Duration, a resource.Addr, id ID) {
	if n := t.namespaces[a.Name]; n != nil && a.Kind == resource.KindVSphereNamespace {
		n.block(at)
		return
	}
	if k := t.clusters[place{a.Namespace, a.Name}]; k != nil {
		k.touch(at)
		k.extend(at)
		k.blocked = id
	}
}

// Finish ends the run. With reached, every goal that showed no end by itself
// (a change that had no consequences) ended with its last change.
func (t *Tracker) Finish(at time.Duration, reached, interrupted bool) {
	for _, k := range t.clusters {
		k.finish(at, reached, interrupted)
	}
	for _, n := range t.namespaces {
		n.finish(at, reached, interrupted)
	}
}

// Progress is how far a goal has come; false for what is no goal.
func (t *Tracker) Progress(a resource.Addr) (Progress, bool) {
	switch a.Kind {
	case resource.KindCluster:
		if k := t.clusters[place{a.Namespace, a.Name}]; k != nil {
			return k.progress(), true
		}
	case resource.KindVSphereNamespace:
		if n := t.namespaces[a.Name]; n != nil {
			return n.progress(), true
		}
	}
	return Progress{}, false
}

// Standing is how a goal stands and the phase it is in, which costs less than
// its Progress. The State is empty for what is no goal.
func (t *Tracker) Standing(a resource.Addr) (State, ID) {
	switch a.Kind {
	case resource.KindCluster:
		if k := t.clusters[place{a.Namespace, a.Name}]; k != nil {
			return k.standing()
		}
	case resource.KindVSphereNamespace:
		if n := t.namespaces[a.Name]; n != nil {
			return n.state(), Prerequisites
		}
	}
	return "", ""
}

// States are the states of a goal's phases, in order, which is what a display of
// changes compares after each of them.
func (t *Tracker) States(a resource.Addr) [len(order)]State {
	var out [len(order)]State
	p, ok := t.clusters[place{a.Namespace, a.Name}]
	if ok && a.Kind == resource.KindCluster {
		for i := range out {
			out[i] = p.steps[i].State
		}
		return out
	}
	out[0], _ = t.Standing(a)
	return out
}

// Why is the causal chain from a goal down to what it waits for: the deepest
// object whose condition is not as it should be. It is empty when nothing is
// known to be wrong.
func (t *Tracker) Why(a resource.Addr) []Link {
	switch a.Kind {
	case resource.KindCluster:
		k := t.clusters[place{a.Namespace, a.Name}]
		if k == nil {
			return nil
		}
		return k.withWarning(k.why(t.namespaces[a.Namespace]))
	case resource.KindVSphereNamespace:
		if n := t.namespaces[a.Name]; n != nil {
			return n.why()
		}
	}
	return nil
}

// touch notes that something happened to the cluster. One that nobody wants
// anything of in a world that is watched is on no way that could begin by it.
func (c *cluster) touch(at time.Duration) {
	if c.whole && c.goal.Verb == "none" {
		return
	}
	if c.start == NotYet {
		c.start = at
	}
	c.touched = at
}

func (c *cluster) finish(at time.Duration, reached, interrupted bool) {
	switch {
	case reached && c.end == NotYet && c.goal.Verb != "none":
		c.end = max(c.touched, 0)
		for i := range c.steps {
			if s := &c.steps[i]; s.State != Done {
				s.State, s.End = Done, c.end
			}
		}
		c.extend(c.end)
	case c.end == NotYet:
		if n := len(c.spans); n > 0 && c.spans[n-1].End == NotYet {
			c.spans[n-1].End = at
		}
		c.failed = c.failed || !interrupted && c.blocked == "" && c.goal.Verb != "none"
	}
}

// standing is how the cluster stands and in which phase.
func (c *cluster) standing() (State, ID) {
	switch {
	case c.goal.Verb == "none":
		return Done, Workers
	case c.end != NotYet:
		return Done, c.leading()
	case c.failed:
		return Failed, c.leading()
	case c.blocked != "":
		return Blocked, c.blocked
	case c.start != NotYet:
		return Running, c.leading()
	}
	return Pending, c.leading()
}

func (c *cluster) progress() Progress {
	p := Progress{Goal: c.goal, Start: c.start, End: c.end, Spans: slices.Clone(c.spans), Steps: slices.Clone(c.steps[:])}
	p.State, p.Current = c.standing()
	for i := range p.Steps {
		s := &p.Steps[i]
		switch {
		case c.goal.Verb == "none":
			s.State = Done
		case s.ID == p.Current && s.State != Done && (p.State == Blocked || p.State == Failed):
			s.State = p.State
		}
	}
	return p
}
