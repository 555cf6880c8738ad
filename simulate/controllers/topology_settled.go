package controllers

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// A pass over a topology computes all that is asked for, to find nearly always that
// all of it is there: most of what wakes the controller are counts and messages, of
// which it reads hardly any. So a Cluster is settled with a pass that wrote nothing,
// and its passes do nothing from then on, until something is written that a pass reads.
// This holds because no pass depends on the time, nor on anything that is not stored.

// A settlement is what passes over a topology have found to be there.
type settlement struct {
	done  bool // all is, so that there is nothing to do
	parts []settledPart
}

// A settledPart is an object that was found to say what its part asks for. It need not be
// looked at again for as long as both are as they were, and what they refer to is.
type settledPart struct {
	pool, version string
	topology      map[string]any
	object        contents
}

// reconcileTopology is a pass, unless the Cluster is settled.
func (m *Manager) reconcileTopology(cluster *unstructured.Unstructured) (time.Duration, error) {
	v := m.view(cluster)
	name := clusterName{v.namespace, v.name}
	s := m.settled[name]
	if s == nil {
		s = &settlement{}
		m.settled[name] = s
	}
	if s.done {
		return 0, nil
	}
	s.done = true // until the first thing that the pass writes
	err := m.syncTopology(cluster)
	s.done = s.done && err == nil
	return 0, err
}

// settledFor says whether u was found to say what a part asks for.
func (m *Manager) settledFor(cluster *view, p part, u *unstructured.Unstructured) bool {
	s := m.settled[clusterName{cluster.namespace, cluster.name}]
	return s != nil && slices.ContainsFunc(s.parts, func(known settledPart) bool {
		return known.pool == p.pool && known.version == p.version && resource.SameMap(known.topology, p.topology) && known.object.same(m.contentsOf(u))
	})
}

// settleFor keeps that u says what a part asks for.
func (m *Manager) settleFor(cluster *view, p part, u *unstructured.Unstructured) {
	s := m.settled[clusterName{cluster.namespace, cluster.name}]
	if s == nil {
		return
	}
	found := settledPart{p.pool, p.version, p.topology, m.contentsOf(u)}
	if at := slices.IndexFunc(s.parts, func(known settledPart) bool { return known.pool == p.pool }); at >= 0 {
		s.parts[at] = found
	} else {
		s.parts = append(s.parts, found)
	}
}

// unsettle has the next pass look again at a Cluster of which something is written.
func (m *Manager) unsettle(c kubeapi.Change) {
	if !m.topologyReads(c) {
		return
	}
	for _, u := range []*unstructured.Unstructured{c.Before, c.After} {
		if u == nil {
			continue
		}
		cluster := clusterName{c.Key.Namespace, topologyOf(u, c.Key)}
		switch s := m.settled[cluster]; {
		case cluster.name == "":
			clear(m.settled) // a class, or a template of one: any may use it
		case s == nil:
		case outlivesParts(c):
			s.done = false
		default:
			s.done = false
			delete(m.settled, cluster)
		}
	}
}

// outlivesParts says of a change that the parts that were settled still are, if they are
// as they were: it is none of a template that they refer to, nor the end of their Cluster.
func outlivesParts(c kubeapi.Change) bool {
	switch c.Key.GK() {
	case kindVSphereTemplate.GroupKind, kindKubeadmConfigTemplate.GroupKind:
		return false
	case kindCluster.GroupKind:
		return c.After != nil
	}
	return true
}

// topologyOf is the Cluster whose topology an object belongs to, or "".
func topologyOf(u *unstructured.Unstructured, key kubeapi.Key) string {
	switch key.GK() {
	case kindCluster.GroupKind:
		return key.Name
	case kindSecret.GroupKind:
		return strings.TrimSuffix(key.Name, shimSuffix)
	case kindMachineHealthCheck.GroupKind: // has no label at first
		return resource.Text(u.Object, "spec", "clusterName")
	}
	return labelOf(u, labelCluster)
}

// topologyReads says whether a change is one of what passes read: of most objects
// metadata and spec.
func (m *Manager) topologyReads(c kubeapi.Change) bool {
	switch c.Key.GK() {
	case kindMachine.GroupKind: // see isUpgrading
		was, is := m.view(c.Before), m.view(c.After)
		return isUpgradingReads(was, is) && (m.behind(was) || m.behind(is))
	case kindVSphereCluster.GroupKind: // see dropShim
		was, is := m.view(c.Before), m.view(c.After)
		return was.uid != is.uid || otherItems(was.owners, is.owners)
	case kindSecret.GroupKind:
		return c.Before == nil && strings.HasSuffix(c.Key.Name, shimSuffix)
	case kindCluster.GroupKind:
		return m.asksElse(c) || !resource.Equal(m.view(c.Before).topologyReport(), m.view(c.After).topologyReport())
	case kindClusterClass.GroupKind:
		return m.asksElse(c) || m.reports(c, "observedGeneration")
	case kindControlPlane.GroupKind:
		return m.asksElse(c) || m.reports(c, "version")
	case kindMachineDeployment.GroupKind, kindMachineHealthCheck.GroupKind,
		kindVSphereTemplate.GroupKind, kindKubeadmConfigTemplate.GroupKind:
		return m.asksElse(c)
	}
	return false
}

// isUpgradingReads says whether a change of a Machine may tell whether its
// MachineDeployment is upgrading.
func isUpgradingReads(was, is *view) bool {
	if resource.SameMap(was.labels, is.labels) && resource.SameMap(was.spec, is.spec) {
		return false
	}
	pool := is.labels[labelTopologyDeployment]
	return !resource.Equal(was.labels[labelTopologyDeployment], pool) ||
		pool != nil && (was.cluster != is.cluster || !resource.Equal(was.spec["version"], is.spec["version"]))
}

// asksElse says whether an object has come or gone, or another spec, or other metadata
// than the API server's.
func (m *Manager) asksElse(c kubeapi.Change) bool {
	if c.Before == nil || c.After == nil {
		return true
	}
	was, is := m.view(c.Before), m.view(c.After)
	return was.generation != is.generation || !resource.Equal(was.labels, is.labels) || !resource.Equal(was.annotations, is.annotations) ||
		otherItems(was.owners, is.owners) || otherItems(was.finalizers, is.finalizers)
}

// otherItems says whether two lists differ. Nearly always they are one and the same.
func otherItems(was, is []any) bool { return !resource.SameList(was, is) && !resource.Equal(was, is) }

// reports says whether a field of the status has changed.
func (m *Manager) reports(c kubeapi.Change, field string) bool {
	return !resource.Equal(m.view(c.Before).status[field], m.view(c.After).status[field])
}

// topologyReport is the condition TopologyReconciled of a Cluster.
func (v *view) topologyReport() any {
	if _, at := v.conditions.find("TopologyReconciled"); at >= 0 {
		return resource.Items(v.status, "conditions")[at]
	}
	return nil
}
