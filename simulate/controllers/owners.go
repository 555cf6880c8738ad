package controllers

import (
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// ownersOf are the owners that watch an object that changed, which s is if anybody
// looks after it. Owners hardly ever change, so s remembers them.
func (m *Manager) ownersOf(s *subject, c kubeapi.Change) []*subject {
	refs := resource.Items(subjectIn(c).Object, "metadata", "ownerReferences")
	switch {
	case len(refs) == 0:
		return nil
	case s == nil:
		return m.findOwners(refs, c.Key.Namespace)
	case len(refs) != len(s.refs) || &refs[0] != &s.refs[0] || slices.ContainsFunc(s.owners, (*subject).isEnded):
		s.refs, s.owners = refs, m.findOwners(refs, c.Key.Namespace)
	}
	return s.owners
}

func (s *subject) isEnded() bool { return s.ended }

// findOwners are the owners that references name, except those that the real
// controllers do not watch for: CAPV polls SubnetSet and VirtualMachineService
// (domain.md E14, E18).
func (m *Manager) findOwners(refs []any, namespace string) []*subject {
	var owners []*subject
	for _, ref := range refs {
		group, _, _ := cutGroup(resource.Text(ref, "apiVersion"))
		key := kubeapi.Key{Group: group, Kind: resource.Text(ref, "kind"), Namespace: namespace, Name: resource.Text(ref, "name")}
		if key.Kind == kindVSphereCluster.Kind {
			continue
		}
		if owner := m.subjectOf(key); owner != nil {
			owners = append(owners, owner)
		}
	}
	return owners
}
