package dashboard

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// stages are what a machine goes through, of a control plane or of a pool.
var stages = [3]phase.ID{phase.Bootstrap, phase.Machine, phase.Node}

// A machineTime is when a machine went through its stages.
type machineTime struct {
	*journal.Node
	start, end [3]time.Duration // of stages; phase.NotYet when it has not come
	// inherited machines were there before the run; of those nothing is timed.
	inherited bool
	// fault is what vCenter last answered, nil when it went well.
	fault *journal.Task
	// parts are the objects behind the stages, the Machine where one is not known.
	parts [3]*journal.Item
}

// timeOf reads the times of a machine from the objects that it owns: bootstrap data,
// then an address, then a node that takes work.
func timeOf(n *journal.Node) machineTime {
	m := machineTime{Node: n, inherited: n.Came == phase.NotYet, parts: [3]*journal.Item{n.Item, n.Item, n.Item}}
	m.start, m.end = [3]time.Duration{-1, -1, -1}, [3]time.Duration{-1, -1, -1}
	var config, infra, vm *journal.Item
	visit(n.Children, func(c *journal.Node) {
		switch c.Kind {
		case "KubeadmConfig":
			config, m.parts[0] = c.Item, c.Item
		case "VSphereMachine":
			infra = c.Item
		case "VirtualMachine", "VSphereVM":
			vm, m.parts[1] = c.Item, c.Item
		case journal.KindVM:
			m.fault = c.VM.Fault()
		}
	})
	if m.inherited {
		return m
	}
	m.start[0] = n.Came
	m.end[0] = trueSince(n.Item, "BootstrapConfigReady")
	if m.end[0] == phase.NotYet {
		m.end[0] = trueSince(config, "DataSecretAvailable")
	}
	m.end[1] = trueSince(n.Item, "InfrastructureReady")
	if m.end[1] == phase.NotYet {
		m.end[1] = trueSince(infra, "VirtualMachineProvisioned")
	}
	m.end[2] = trueSince(n.Item, "Available")
	if vm != nil && vm.Came != phase.NotYet {
		m.start[1] = vm.Came
	}
	m.straighten()
	return m
}

// straighten has no stage begin before the one before it is over, nor end before it
// began: conditions come and go, and one that came back says its last time only.
func (m *machineTime) straighten() {
	for i := range stages {
		if i > 0 && m.start[i] == phase.NotYet {
			m.start[i] = m.end[i-1]
		}
		if i > 0 && m.end[i-1] != phase.NotYet {
			m.start[i] = max(m.start[i], m.end[i-1])
		}
		if m.end[i] != phase.NotYet {
			m.start[i] = max(m.start[i], 0)
			m.end[i] = max(m.end[i], m.start[i])
		}
	}
	for i := len(stages) - 1; i > 0; i-- { // who has an address had bootstrap data
		if m.start[i] != phase.NotYet && m.end[i-1] == phase.NotYet {
			m.end[i-1] = m.start[i]
		}
	}
}

// trueSince is when a condition of an object became True, phase.NotYet when it has not.
func trueSince(it *journal.Item, condition string) time.Duration {
	if it == nil {
		return phase.NotYet
	}
	if c, ok := it.Condition(condition); ok && c.Status == "True" {
		return c.Since
	}
	return phase.NotYet
}

// up says whether the machine takes work.
func (m machineTime) up() bool {
	if m.inherited {
		c, known := m.Condition("Available")
		return !m.Deleting && (!known || c.Status == "True")
	}
	return !m.Deleting && m.end[2] != phase.NotYet
}

// state is how the machine stands, and the stage it is in.
func (m machineTime) state() (phase.State, int) {
	at := 2
	for i := range stages {
		if m.end[i] == phase.NotYet {
			at = i
			break
		}
	}
	switch {
	case m.up():
		return phase.Done, 2
	case m.Deleting:
		return phase.Running, 2
	case m.inherited:
		return phase.Running, 2
	case m.fault != nil:
		return phase.Failed, at
	}
	return phase.Running, at
}

// A pool is the machines of a MachineDeployment.
type machinePool struct {
	name     string
	item     *journal.Item // nil when only its machines are known
	machines []machineTime
}

// A census is what is known of a cluster's machines.
type census struct {
	controlPlane []machineTime
	pools        []machinePool
	byKind       map[string]*journal.Item // the first of each kind
}

// censusOf counts the machines of a cluster, in the order in which they came.
func censusOf(tree []*journal.Node) census {
	c := census{byKind: map[string]*journal.Item{}}
	var machines []machineTime
	deployment := map[string]string{} // of MachineSets
	pools := map[string]*machinePool{}
	visit(tree, func(n *journal.Node) {
		if c.byKind[n.Kind] == nil {
			c.byKind[n.Kind] = n.Item
		}
		switch n.Kind {
		case "Machine":
			machines = append(machines, timeOf(n))
		case "MachineSet":
			deployment[n.Name] = n.Owner.Name
		case "MachineDeployment":
			pools[n.Name] = &machinePool{name: n.Name, item: n.Item}
		}
	})
	slices.SortFunc(machines, func(a, b machineTime) int {
		return cmp.Or(cmp.Compare(a.Came, b.Came), cmp.Compare(a.Name, b.Name))
	})
	for _, m := range machines {
		name := cmp.Or(deployment[m.Owner.Name], beforeLastDash(m.Owner.Name))
		switch {
		case m.Owner.Kind == "KubeadmControlPlane", m.Owner.Name == "" && c.leads(m.Name):
			c.controlPlane = append(c.controlPlane, m)
			continue
		case m.Owner.Name == "":
			name = poolOf(m.Name, pools)
		}
		if pools[name] == nil {
			pools[name] = &machinePool{name: name}
		}
		pools[name].machines = append(pools[name].machines, m)
	}
	for _, p := range pools {
		c.pools = append(c.pools, *p)
	}
	slices.SortFunc(c.pools, func(a, b machinePool) int { return cmp.Compare(a.name, b.name) })
	return c
}

// leads says whether a machine of which no owner was told is of the control plane,
// by its name, which begins with its owner's.
func (c census) leads(machine string) bool {
	owner := c.byKind["KubeadmControlPlane"]
	return owner != nil && strings.HasPrefix(machine, owner.Name+"-")
}

// poolOf is the pool of such a machine.
func poolOf(machine string, pools map[string]*machinePool) string {
	best := ""
	for name := range pools {
		if strings.HasPrefix(machine, name+"-") && len(name) > len(best) {
			best = name
		}
	}
	return cmp.Or(best, beforeLastDash(beforeLastDash(machine)))
}

// beforeLastDash is the name of a MachineDeployment from that of its MachineSet.
func beforeLastDash(name string) string {
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		return name[:i]
	}
	return name
}

// visit calls f with every node of a tree, owners first.
func visit(nodes []*journal.Node, f func(*journal.Node)) {
	for _, n := range nodes {
		f(n)
		visit(n.Children, f)
	}
}

// addressOf is the address of an object, by which other pages find it.
func addressOf(it *journal.Item) resource.Addr {
	if it == nil {
		return resource.Addr{}
	}
	return resource.Addr{Group: it.Group(), Kind: it.Kind, Namespace: it.Namespace, Name: it.Name}
}
