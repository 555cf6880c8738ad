package controllers

import (
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// ownersOf are the owners that watch an object that changed, which s is if anybody
// looks after it. Owners hardly ever change, so s remembers them.
func (m *Manager) ownersOf(s *subject, c kubeapi.Change) []*subject {
	if s == nil {
		return m.findOwners(c)
	}
	if !c.SameMetadata || !s.owned || slices.ContainsFunc(s.owners, (*subject).isEnded) {
		s.owners, s.owned = m.findOwners(c), true
	}
	return s.owners
}

func (s *subject) isEnded() bool { return s.ended }

// findOwners are the owners that the references of an object name, except those that the real
// controllers do not watch for: CAPV polls SubnetSet and VirtualMachineService
// (domain.md E14, E18).
func (m *Manager) findOwners(c kubeapi.Change) []*subject {
	var owners []*subject
	for _, ref := range resource.Items(subjectIn(c).Object, "metadata", "ownerReferences") {
		group, _, _ := cutGroup(resource.Text(ref, "apiVersion"))
		key := kubeapi.Key{Group: group, Kind: resource.Text(ref, "kind"), Namespace: c.Key.Namespace, Name: resource.Text(ref, "name")}
		if key.Kind == kindVSphereCluster.Kind {
			continue
		}
		if owner := m.subjectOf(key); owner != nil {
			owners = append(owners, owner)
		}
	}
	return owners
}
