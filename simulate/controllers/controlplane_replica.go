package controllers

import (
	"cmp"
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// A replica is a Machine of a control plane as a reconcile found it, with what the
// reconcile wrote to it.
type replica struct {
	*view // of the Machine
	parts
	kept *enrolled // what there is of it beyond this reconcile
	// differences are those from what is asked for, once that was compared.
	compared    bool
	differences []string
	// outdated is why the Machine is to be replaced, if it is.
	outdated []string
}

// replicas are the machines of a census, the oldest first.
func (m *Manager) replicas(c *census) []*replica {
	out := make([]*replica, len(c.machines))
	for i, e := range c.machines {
		out[i] = &replica{kept: e}
		m.refresh(out[i])
	}
	slices.SortFunc(out, func(a, b *replica) int {
		return cmp.Or(cmp.Compare(a.created, b.created), cmp.Compare(a.name, b.name))
	})
	return out
}

// refresh takes in what was written to a machine. One that is gone stays as it was.
func (m *Manager) refresh(r *replica) {
	r.parts = r.kept.parts
	r.view = m.view(r.machine)
}

// node is the name of a Machine's Node, or "" while none is known.
func (r *replica) node() string { return resource.Text(r.status, "nodeRef", "name") }

func (r *replica) providerID() string { return resource.Text(r.spec, "providerID") }

func (r *replica) failureDomain() string { return resource.Text(r.spec, "failureDomain") }

// isFalse says of a condition that it is there and False.
func (r *replica) isFalse(kind string) bool { return r.condition(kind).Status == "False" }

// serves says whether the API server of a machine and all it needs run.
func (r *replica) serves() bool { return r.passes(healthGates) && r.providerID() != "" }

// passes says whether all of some conditions are true.
func (r *replica) passes(gates []string) bool {
	for _, gate := range gates {
		if !r.isTrue(gate) {
			return false
		}
	}
	return true
}

func which(machines []*replica, is func(*replica) bool) []*replica {
	var out []*replica
	for _, machine := range machines {
		if is(machine) {
			out = append(out, machine)
		}
	}
	return out
}
