package phase

import "github.com/vksync/vksync/reconcile/resource"

// A machine is the family of objects that make one node. They share the
// Machine's name (domain.md 1.0), except for what a network provider makes.
type machine struct {
	name string
	// worker is false for a machine of the control plane.
	worker bool
	// inherited machines existed before the run.
	inherited bool
	// removed is set when the Machine object is gone; others may be left.
	removed bool
	parts   [parts]*object
	ports   []*object // one per network interface
}

// The parts of a machine, from the one that users know down to vCenter.
const (
	partMachine = iota
	partConfig
	partInfra
	partVM
	parts
)

// partOf is the place of an object in its machine's family; ok is false for
// kinds that are not part of a machine.
func partOf(kind string) (part int, ok bool) {
	switch kind {
	case "Machine":
		return partMachine, true
	case "KubeadmConfig":
		return partConfig, true
	case "VSphereMachine":
		return partInfra, true
	case "VirtualMachine", "VSphereVM":
		return partVM, true
	}
	return 0, false
}

// isPort reports whether a kind is a network interface of a VM.
func isPort(kind string) bool {
	return kind == "SubnetPort" || kind == "NetworkInterface" || kind == "VirtualNetworkInterface"
}

// tally counts machines by how far they have come. Only machines that are to
// stay count: neither those on their way out nor those of an outdated template.
type tally struct {
	made, bootstrapped, provisioned, up int64
}

func (t *tally) add(o tally, sign int64) {
	t.made += sign * o.made
	t.bootstrapped += sign * o.bootstrapped
	t.provisioned += sign * o.provisioned
	t.up += sign * o.up
}

// tally is what this machine adds to its pool.
func (m *machine) tally() tally {
	own := m.parts[partMachine]
	if own == nil {
		if m.inherited && !m.removed {
			return tally{1, 1, 1, 1}
		}
		return tally{}
	}
	if _, outdated := own.condition("UpToDate"); outdated || own.deleting {
		return tally{}
	}
	t := tally{made: 1}
	if own.holds(bootstrapped) || m.parts[partConfig].holds(bootstrapped) {
		t.bootstrapped = 1
	}
	if own.holds(infrastructureReady) || m.parts[partInfra].holds(provisioned) {
		t.provisioned = 1
	}
	if m.isUp() {
		t.up = 1
	}
	return t
}

// isUp reports that the node takes work: the Machine is Available. Providers of
// older contracts have no such condition; there a Running machine is up that
// does not say it is not ready.
func (m *machine) isUp() bool {
	own := m.parts[partMachine]
	if own.holds(available) {
		return true
	}
	if _, reported := own.condition("Available"); reported {
		return false
	}
	_, unready := own.condition("Ready")
	return own.status == "Running" && !unready
}

// gone reports that nothing of the machine is left.
func (m *machine) gone() bool { return m.parts == [parts]*object{} && len(m.ports) == 0 }

// machineName is the name of the machine an object is part of, or "".
func (c *cluster) machineName(change resource.Change) string {
	switch {
	case change.Kind == "VirtualMachine" || change.Kind == "VSphereVM":
		if owner := ownerOf(change.Owners, "VSphereMachine"); owner != "" && owner != change.Name {
			c.rename(change.Name, owner)
		}
		return c.machineOf(change.Name)
	case isPort(change.Kind):
		if owner := ownerOf(change.Owners, "VirtualMachine"); owner != "" {
			return c.machineOf(owner)
		}
		if known := c.objects[key{change.Kind, change.Name}]; known != nil {
			return c.machineOf(known.owner)
		}
		return ""
	}
	if _, ok := partOf(change.Kind); ok {
		return change.Name
	}
	return ""
}

// rename notes that a VM has another name than its machine, by a naming
// template of the user.
func (c *cluster) rename(vm, machine string) {
	if c.aliases == nil {
		c.aliases = map[string]string{}
	}
	c.aliases[vm] = machine
}

func (c *cluster) machineOf(vm string) string {
	if name, renamed := c.aliases[vm]; renamed {
		return name
	}
	return vm
}
