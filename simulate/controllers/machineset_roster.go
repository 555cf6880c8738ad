package controllers

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// A squad has the kits whose Machines carry the label of one MachineSet.
type squad struct {
	set     objectName // in the form of a label
	kits    []*kit     // by name
	changed uint64     // when what the set looks at of them did last, in changes of the roster
	// machinesChanged is when any of their Machines did last, or one came or went.
	machinesChanged uint64
}

// join has a kit be of the squad that its Machine names.
func (r *roster) join(k *kit) {
	set := objectName{k.name.namespace, resource.Text(k.labels, labelSet)}
	if k.squad != nil && k.squad.set == set {
		return
	}
	r.leave(k)
	if set.name == "" {
		return
	}
	s := r.squads[set]
	if s == nil {
		s = &squad{set: set}
		r.squads[set] = s
	}
	at, _ := slices.BinarySearchFunc(s.kits, k, func(a, b *kit) int { return strings.Compare(a.name.name, b.name.name) })
	s.kits = slices.Insert(s.kits, at, k)
	k.squad = s
}

func (r *roster) leave(k *kit) {
	s := k.squad
	if s == nil {
		return
	}
	k.squad = nil
	s.kits = slices.DeleteFunc(s.kits, func(other *kit) bool { return other == k })
	r.changes++
	s.changed, s.machinesChanged = r.changes, r.changes
	if len(s.kits) == 0 {
		delete(r.squads, s.set)
	}
}

// squadOf is the squad of a set; an empty one where it has no machines.
func (m *Manager) squadOf(set *view) *squad {
	if s := m.roster.squads[objectName{set.namespace, labelValue(set.name)}]; s != nil {
		return s
	}
	return &squad{}
}

// membersOf lists the machines of a set by name, those that are going included: those
// that it owns and that carry its label and its cluster's.
func (m *Manager) membersOf(set *view) []parts {
	var members []parts
	for _, k := range m.squadOf(set).kits {
		if v := m.view(k.machine); v.cluster == set.cluster && v.ownedBy(set) {
			members = append(members, k.parts)
		}
	}
	return members
}

// machinesOf are the Machines of a set.
func (m *Manager) machinesOf(set *view) []*unstructured.Unstructured {
	return machinesOf(m.membersOf(set))
}

func machinesOf(members []parts) []*unstructured.Unstructured {
	machines := make([]*unstructured.Unstructured, len(members))
	for i := range members {
		machines[i] = members[i].machine
	}
	return machines
}
