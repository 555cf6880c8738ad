package phase

import (
	"maps"
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// A cluster is what is remembered of one cluster and the progress reduced from it.
type cluster struct {
	goal Goal
	// objects are those that belong to no machine, and the ports of all.
	objects  map[key]*object
	machines map[string]*machine
	aliases  map[string]string // VM name to machine name, where they differ
	// warnings are the last Kubernetes Events of type Warning; nil without any.
	warnings map[key]Link

	controlPlane, workers pool
	// deployments and sets count the live MachineDeployments and MachineSets.
	deployments, sets int
	// self, infra and kcp are the Cluster, the VSphereCluster and the
	// KubeadmControlPlane, nil while there are none.
	self, infra, kcp *object

	steps   [len(order)]Step
	spans   []Span
	start   time.Duration
	end     time.Duration
	touched time.Duration // the last change, NotYet before the first
	blocked ID            // empty when it is not blocked
	failed  bool
	stirred bool // controllers reacted to it
	// whole says that all there is of the cluster has been told, so that nothing is
	// taken to be as it should be without word of it.
	whole bool
	// gone and infraGone are set when the Cluster and the VSphereCluster were removed.
	gone, infraGone bool
}

// order has the phases as an array, so that its length is a constant.
var order = [...]ID{Prerequisites, Topology, Infrastructure, Bootstrap, Machine, Node, Workers}

// key names an object within a cluster.
type key struct{ kind, name string }

// A pool is the machines of the control plane, or all workers.
type pool struct {
	count
	// sizes are the counts of the objects that hold the pool, by name, with the
	// number of machines there were when first heard of.
	sizes map[string]size
}

// A count is how many machines there are of a pool.
type count struct {
	tally
	// unseen counts the machines from before the run that were to stay and of
	// which nothing was heard. It is a balance and may go below zero.
	unseen int64
	// live counts the machines known to exist, whatever their state; gone those
	// that were removed.
	live, gone int64
}

type size struct {
	first int64
	resource.Replicas
}

// settled reports that no set of the pool is on its way to another size or
// template. It knows nothing before the first count.
func (p *pool) settled() bool {
	for _, s := range p.sizes {
		if s.Current != s.Desired || s.UpToDate != s.Desired || s.Available != s.Desired {
			return false
		}
	}
	return true
}

// at is how many of the wanted machines have come as far as known counts, in a
// pool of which inherited machines may never be heard.
func (p *pool) at(known, wanted int64, inherits bool) int64 {
	if !inherits {
		return min(known, wanted)
	}
	if len(p.sizes) > 0 && p.settled() {
		return wanted
	}
	sum := p.unseen + known
	for _, s := range p.sizes {
		sum += min(0, s.first-s.Desired)
	}
	return max(0, min(sum, wanted))
}

func newCluster(g Goal) *cluster {
	c := &cluster{goal: g, objects: map[key]*object{}, machines: map[string]*machine{}, start: NotYet, end: NotYet, touched: NotYet}
	for i, id := range order {
		c.steps[i] = Step{ID: id, State: Pending, Start: NotYet, End: NotYet}
	}
	if c.existed() {
		c.controlPlane.unseen, c.workers.unseen = g.ControlPlane, g.Workers
	}
	return c
}

// existed reports that the cluster was there before the run.
func (c *cluster) existed() bool { return c.goal.Verb != "create" }

// take applies a change of one object, and returns whether it may be progress. Most
// changes of machines are none: what counts is how far they have come.
func (c *cluster) take(change resource.Change, id ID, names *interner) bool {
	if change.Verb == resource.Deleted {
		delete(c.warnings, key{change.Kind, change.Name})
		c.remove(change)
		return true
	}
	name := c.machineName(change)
	if name == "" {
		o := c.single(change, names)
		if o == nil {
			return false
		}
		o.take(change, names)
		return true
	}
	controlPlane, workers := c.controlPlane.count, c.workers.count
	m := c.machine(name, change, id)
	if _, ok := partOf(change.Kind); ok {
		c.assign(m, id == Workers)
	}
	p := c.poolOf(m)
	p.add(m.tally(), -1)
	c.part(m, change, names).take(change, names)
	p.add(m.tally(), +1)
	return c.controlPlane.count != controlPlane || c.workers.count != workers
}

// single finds or makes the record of an object outside machines; nil for kinds that
// never explain anything (Secrets, templates).
func (c *cluster) single(change resource.Change, names *interner) *object {
	if !explains(change.Kind) {
		return nil
	}
	k := key{names.one(change.Kind), change.Name}
	o := c.objects[k]
	if o == nil {
		o = newObject(change, names)
		c.objects[k] = o
		c.noteSingle(o, +1)
	}
	if change.Replicas != nil {
		c.resize(change)
	}
	return o
}

// explains reports whether objects of a kind can be part of a causal chain.
func explains(kind string) bool {
	switch kind {
	case "Cluster", "VSphereCluster", "KubeadmControlPlane", "MachineDeployment", "MachineSet",
		"VirtualMachineService", "Service", "SubnetSet", "VirtualNetwork", "VirtualMachineSetResourcePolicy":
		return true
	}
	return isPort(kind)
}

func newObject(change resource.Change, names *interner) *object {
	return &object{
		kind: names.one(change.Kind), namespace: names.one(change.Namespace), name: change.Name,
		inherited: change.Verb != resource.Created && !change.Present,
	}
}

// noteSingle keeps at hand what every evaluation asks for.
func (c *cluster) noteSingle(o *object, by int) {
	present := o
	if by < 0 {
		present = nil
	}
	switch o.kind {
	case "VSphereCluster":
		c.infra, c.infraGone = present, false
	case "Cluster":
		if c.gone = false; o.name == c.goal.Addr.Name { // and not one that is labelled as this one's
			c.self = present
		}
	case "KubeadmControlPlane":
		c.kcp = present
	case "MachineDeployment":
		c.deployments += by
	case "MachineSet":
		c.sets += by
	}
}

func (c *cluster) resize(change resource.Change) {
	var p *pool
	switch change.Kind {
	case "KubeadmControlPlane":
		p = &c.controlPlane
	case "MachineDeployment":
		p = &c.workers
	default:
		return
	}
	if p.sizes == nil {
		p.sizes = map[string]size{}
	}
	s, known := p.sizes[change.Name]
	if !known {
		s.first = change.Replicas.Current
	}
	s.Replicas = *change.Replicas
	p.sizes[change.Name] = s
}

// machine finds or makes the machine called name.
func (c *cluster) machine(name string, change resource.Change, id ID) *machine {
	if m := c.machines[name]; m != nil {
		return m
	}
	m := &machine{name: name, worker: id == Workers, inherited: change.Verb != resource.Created && !change.Present}
	c.machines[name] = m
	p := c.poolOf(m)
	p.live++
	p.add(m.tally(), +1)
	if change.Verb != resource.Created && !change.Deleting { // one on its way out was not to stay
		p.unseen--
	}
	return m
}

// assign puts a machine into the pool that its own objects name. The first that is
// heard of it may be a network interface, which knows nothing of roles.
func (c *cluster) assign(m *machine, worker bool) {
	if m.worker == worker {
		return
	}
	from := c.poolOf(m)
	m.worker = worker
	to := c.poolOf(m)
	from.add(m.tally(), -1)
	to.add(m.tally(), +1)
	from.live--
	to.live++
	if m.inherited {
		from.unseen++
		to.unseen--
	}
}

func (c *cluster) poolOf(m *machine) *pool {
	if m.worker {
		return &c.workers
	}
	return &c.controlPlane
}

// part finds or makes the record of one object of a machine.
func (c *cluster) part(m *machine, change resource.Change, names *interner) *object {
	if part, ok := partOf(change.Kind); ok {
		if m.parts[part] == nil {
			m.parts[part] = newObject(change, names)
		}
		return m.parts[part]
	}
	k := key{names.one(change.Kind), change.Name}
	if c.objects[k] == nil {
		o := newObject(change, names)
		c.objects[k] = o
		m.ports = append(m.ports, o)
	}
	return c.objects[k]
}

// remove forgets an object that is gone.
func (c *cluster) remove(change resource.Change) {
	name := c.machineName(change)
	if o := c.objects[key{change.Kind, change.Name}]; o != nil {
		delete(c.objects, key{change.Kind, change.Name})
		c.noteSingle(o, -1)
		if m := c.machines[name]; m != nil {
			m.ports = slices.DeleteFunc(m.ports, func(p *object) bool { return p == o })
		}
	}
	switch change.Kind {
	case "Cluster":
		c.gone = true
	case "VSphereCluster":
		c.infraGone = true
	case "MachineDeployment":
		delete(c.workers.sizes, change.Name)
	case "KubeadmControlPlane":
		delete(c.controlPlane.sizes, change.Name)
	}
	m := c.machines[name]
	if m == nil {
		return
	}
	p := c.poolOf(m)
	p.add(m.tally(), -1)
	if part, ok := partOf(change.Kind); ok {
		m.parts[part] = nil
		if part == partMachine {
			m.removed = true
			p.gone++
		}
	}
	p.add(m.tally(), +1)
	if m.gone() {
		p.live--
		delete(c.machines, name)
		maps.DeleteFunc(c.aliases, func(_, machine string) bool { return machine == name })
	}
}
