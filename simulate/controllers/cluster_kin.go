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
	views   []*view // another list with each change
	version uint64  // of the last change
}

// noteKin takes in a change of any object.
func (m *Manager) noteKin(c kubeapi.Change) {
	if kind := c.Key.GK(); kind != kindMachine.GroupKind && kind != kindMachineDeployment.GroupKind {
		return
	}
	was, is := m.view(c.Before), m.view(c.After)
	if was.cluster != is.cluster || was.controlPlane != is.controlPlane {
		m.changeKin(c, was, nil)
	}
	m.changeKin(c, is, is)
}

// changeKin puts a relative in the place that an object had, or would have, by its name;
// nil takes out who is there.
func (m *Manager) changeKin(c kubeapi.Change, of, relative *view) {
	if of.cluster == "" {
		return
	}
	name := clusterName{of.namespace, of.cluster}
	k := m.kin[name]
	if k == nil {
		k = &kin{}
		m.kin[name] = k
	}
	r := k.among(of)
	r.version = c.Version
	r.views = slices.Clone(r.views)
	at, known := slices.BinarySearchFunc(r.views, of.name, func(v *view, name string) int { return strings.Compare(v.name, name) })
	switch {
	case relative == nil && known:
		r.views = slices.Delete(r.views, at, at+1)
	case known:
		r.views[at] = relative
	case relative != nil:
		r.views = slices.Insert(r.views, at, relative)
	}
	if len(k.deployments.views)+len(k.controlPlanes.views)+len(k.workers.views) == 0 {
		delete(m.kin, name)
	}
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
