package phase

import (
	"cmp"
	"slices"
)

// whyRemoval walks from a Cluster that is to be gone to the deepest object that
// is marked and still has a finalizer.
func (c *cluster) whyRemoval() []Link {
	self := c.self
	if c.gone || self == nil && c.end != NotYet {
		return nil
	}
	top := Link{Kind: "Cluster", Namespace: c.goal.Addr.Namespace, Name: c.goal.Addr.Name, Reason: "NotDeleted"}
	if self != nil {
		if w, is := self.condition("Deleting"); is {
			top = linkTo(self, w)
		} else if self.deleting {
			top = held(self)
		}
	}
	chain := []Link{top}
	for _, o := range c.heldHolders() {
		chain = append(chain, held(o))
	}
	chain = append(chain, c.heldMachine()...)
	for i := range chain[:len(chain)-1] {
		chain[i].Message = ""
	}
	return chain
}

// heldHolders are the objects between the Cluster and its machines that are on
// their way out in the present stage: one path, not all of them.
func (c *cluster) heldHolders() []*object {
	for _, kinds := range [][]string{{"MachineDeployment", "MachineSet"}, {"KubeadmControlPlane"}, {"VSphereCluster"}, {"VirtualMachineService", "VirtualMachineSetResourcePolicy", "SubnetSet"}} {
		var path []*object
		for _, kind := range kinds {
			for _, o := range c.sorted(kind) {
				if o.deleting {
					path = append(path, o)
					break
				}
			}
		}
		if len(path) > 0 {
			return path
		}
	}
	return nil
}

// heldMachine is the path from a machine on its way out to its deepest object
// that is. Machines with more of it left come first, then names.
func (c *cluster) heldMachine() []Link {
	var machines []*machine
	for _, m := range c.machines {
		if own := m.parts[partMachine]; own != nil && own.deleting {
			machines = append(machines, m)
		}
	}
	if len(machines) == 0 {
		return nil
	}
	m := slices.MinFunc(machines, func(a, b *machine) int {
		return cmp.Or(cmp.Compare(boolRank(b.worker), boolRank(a.worker)), cmp.Compare(b.depth(), a.depth()), cmp.Compare(a.name, b.name))
	})
	var chain []Link
	for _, part := range []int{partMachine, partInfra, partVM} {
		if o := m.parts[part]; o != nil && o.deleting {
			chain = append(chain, held(o))
		}
	}
	return chain
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// depth is how far down the marks for deletion reach.
func (m *machine) depth() int {
	depth := 0
	for part, o := range m.parts {
		if o != nil && o.deleting {
			depth = part
		}
	}
	return depth
}

// held says what a marked object waits for: its own words, else its finalizers.
func held(o *object) Link {
	if w, is := o.condition("Deleting"); is {
		return linkTo(o, w)
	}
	link := Link{Kind: o.kind, Namespace: o.namespace, Name: o.name, Condition: "Deleting", Reason: "Finalizers", Message: remaining(o.finalizers)}
	if o.fault != nil {
		link.Condition, link.Reason, link.Message = o.fault.Type, o.fault.Reason, o.fault.Message
	}
	return link
}

func remaining(finalizers string) string {
	if finalizers == "" {
		return ""
	}
	return "waits for " + finalizers
}
