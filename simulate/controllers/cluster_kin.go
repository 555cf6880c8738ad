package controllers

import (
	"slices"
	"strings"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// The kin of a cluster are its MachineDeployments and Machines, as the store has them. A
// Cluster sums all of them up, and most of its passes come because of one: it need not
// search the store for the others, nor compare them to see that they are as they were.
type kin struct{ deployments, controlPlanes, workers relatives }

// relatives are the kin of one sort, by name.
type relatives struct {
	views   []*view
	version uint64 // of the last change
}

// noteKin takes in a change of any object. Nearly all are of one that stays where it is.
func (m *Manager) noteKin(c kubeapi.Change) {
	if kind := c.Key.GK(); kind != kindMachine.GroupKind && kind != kindMachineDeployment.GroupKind {
		return
	}
	was, is := m.view(c.Before), m.view(c.After)
	if r := is.relatives; r != nil && r == was.relatives {
		r.views[slices.Index(r.views, was)], r.version = is, c.Version
		return
	}
	m.leaveKin(was, c.Version)
	m.joinKin(is, c.Version)
}

func (m *Manager) leaveKin(v *view, version uint64) {
	r := v.relatives
	if r == nil {
		return
	}
	at := slices.Index(r.views, v)
	r.views, r.version = slices.Delete(r.views, at, at+1), version
	if name := (clusterName{v.namespace, v.cluster}); m.kin[name].none() {
		delete(m.kin, name)
	}
}

func (m *Manager) joinKin(v *view, version uint64) {
	if v.cluster == "" {
		return
	}
	name := clusterName{v.namespace, v.cluster}
	k := m.kin[name]
	if k == nil {
		k = &kin{}
		m.kin[name] = k
	}
	r := k.among(v)
	at, _ := slices.BinarySearchFunc(r.views, v, func(a, b *view) int { return strings.Compare(a.name, b.name) })
	r.views, r.version = slices.Insert(r.views, at, v), version
	v.relatives = r
}

func (k *kin) none() bool {
	return len(k.deployments.views)+len(k.controlPlanes.views)+len(k.workers.views) == 0
}

// among are the relatives that a view is of.
func (k *kin) among(v *view) *relatives {
	switch {
	case v.kind == kindMachineDeployment.Kind:
		return &k.deployments
	case v.controlPlane:
		return &k.controlPlanes
	}
	return &k.workers
}
