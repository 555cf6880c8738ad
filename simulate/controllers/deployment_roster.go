package controllers

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// A division has the MachineSets that carry the label of one MachineDeployment, by name.
type division []*unstructured.Unstructured

// noteSet has the roster know a MachineSet as it is now.
func (m *Manager) noteSet(c kubeapi.Change) {
	if c.Key.GK() != kindMachineSet.GroupKind {
		return
	}
	was, is := m.divisionNamed(c.Before), m.divisionNamed(c.After)
	if was != is {
		m.fill(was, c.Key.Name, nil)
	}
	m.fill(is, c.Key.Name, c.After)
}

// divisionNamed is the deployment whose label a set carries; none is "".
func (m *Manager) divisionNamed(set *unstructured.Unstructured) objectName {
	v := m.view(set)
	return objectName{v.namespace, v.label(labelDeployment)}
}

// fill puts a set into the place of its name in a division, or nobody.
func (m *Manager) fill(deployment objectName, name string, set *unstructured.Unstructured) {
	if deployment.name == "" {
		return
	}
	d := m.roster.divisions[deployment]
	at, found := slices.BinarySearchFunc(d, name, func(u *unstructured.Unstructured, name string) int {
		return strings.Compare(nameOf(u), name)
	})
	switch {
	case found && set != nil:
		d[at] = set
		return
	case found:
		d = slices.Delete(d, at, at+1)
	case set != nil:
		d = slices.Insert(d, at, set)
	}
	if len(d) == 0 {
		delete(m.roster.divisions, deployment)
	} else {
		m.roster.divisions[deployment] = d
	}
}

// setsOf lists the MachineSets of a deployment by name: those that it owns and that carry
// its label and its cluster's.
func (m *Manager) setsOf(deployment *view) []*unstructured.Unstructured {
	var sets []*unstructured.Unstructured
	for _, set := range m.roster.divisions[objectName{deployment.namespace, deployment.name}] {
		if v := m.view(set); v.cluster == deployment.cluster && v.ownedBy(deployment) {
			sets = append(sets, set)
		}
	}
	return sets
}

// machinesOfSets lists the Machines of a deployment's sets, by name.
func (m *Manager) machinesOfSets(sets []*unstructured.Unstructured) []*unstructured.Unstructured {
	var machines []*unstructured.Unstructured
	for _, set := range sets {
		machines = append(machines, m.machinesOf(m.view(set))...)
	}
	if len(sets) > 1 {
		slices.SortFunc(machines, func(a, b *unstructured.Unstructured) int { return strings.Compare(m.view(a).name, m.view(b).name) })
	}
	return machines
}

// machinesChanged is when the Machines of each set did last, in changes of the roster.
func (m *Manager) machinesChanged(sets []*unstructured.Unstructured) []uint64 {
	changed := make([]uint64, len(sets))
	for i, set := range sets {
		changed[i] = m.squadOf(m.view(set)).machinesChanged
	}
	return changed
}
