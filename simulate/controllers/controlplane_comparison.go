package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// A comparison is what came of holding a machine against what its control plane
// asks for: nothing had to be carried over, and so many differences are left. It is
// good until one of the sides changes, which for most machines is never.
type comparison struct {
	asked       asked
	of          parts
	found       [3]contents
	differences []string
}

// asked names all that a control plane asks of its Machines: its specification, and
// what of its metadata its machines have too.
type asked struct {
	uid           string
	generation    int64
	cluster       string
	topologyOwned bool
}

func askedBy(v *view, cluster string) asked {
	return asked{v.uid, v.generation, cluster, v.labels[labelTopologyOwned] != nil}
}

// contents is what of an object is compared.
type contents struct{ labels, annotations, spec map[string]any }

func (m *Manager) contentsOf(u *unstructured.Unstructured) contents {
	if u == nil {
		return contents{}
	}
	v := m.view(u)
	return contents{v.labels, v.annotations, v.spec}
}

func (c contents) same(other contents) bool {
	return resource.SameMap(c.labels, other.labels) && resource.SameMap(c.annotations, other.annotations) && resource.SameMap(c.spec, other.spec)
}

// recall finds the comparison of a machine, if it is still good.
func (m *Manager) recall(p *controlPlane, machine *replica) {
	known := &machine.kept.comparison
	if known.asked != p.asked {
		return
	}
	if known.of != machine.parts {
		before := known.of.carriers()
		for i, part := range machine.carriers() {
			if part != before[i] && !known.found[i].same(m.contentsOf(part)) {
				return
			}
		}
		known.of = machine.parts
	}
	machine.compared, machine.differences = true, known.differences
}

// compare finds what of a machine differs from what is asked for. That is kept
// where all else was found to be in sync.
func (m *Manager) compare(p *controlPlane, machine *replica, inSync bool) {
	machine.compared, machine.differences = true, p.differences(machine)
	machine.kept.inspection = inspection{}
	if !inSync {
		return
	}
	known := comparison{asked: p.asked, of: machine.parts, differences: machine.differences}
	for i, part := range machine.carriers() {
		known.found[i] = m.contentsOf(part)
	}
	machine.kept.comparison = known
}
