package controllers

import (
	"reflect"
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

// reconcileTopology is a pass, unless the Cluster is settled.
func (m *Manager) reconcileTopology(cluster *unstructured.Unstructured) (time.Duration, error) {
	v := m.view(cluster)
	name := clusterName{v.namespace, v.name}
	if m.settled[name] {
		return 0, nil
	}
	m.settled[name] = false // and it is taken out with the first thing that the pass writes
	err := m.syncTopology(cluster)
	if _, wroteNothing := m.settled[name]; wroteNothing && err == nil {
		m.settled[name] = true
	}
	return 0, err
}

// unsettle has the next pass look again at a Cluster of which something is written.
func (m *Manager) unsettle(c kubeapi.Change) {
	if !topologyReads(c) {
		return
	}
	for _, u := range []*unstructured.Unstructured{c.Before, c.After} {
		if u == nil {
			continue
		}
		if cluster := topologyOf(u, c.Key); cluster != "" {
			delete(m.settled, clusterName{c.Key.Namespace, cluster})
		} else {
			clear(m.settled) // a class, or a template of one: any may use it
		}
	}
}

// topologyOf is the Cluster whose topology an object belongs to, or "".
func topologyOf(u *unstructured.Unstructured, key kubeapi.Key) string {
	switch key.GK() {
	case kindCluster.GroupKind:
		return key.Name
	case kindSecret.GroupKind:
		return strings.TrimSuffix(key.Name, shimSuffix)
	}
	return labelOf(u, labelCluster)
}

// topologyReads says whether a change is one of what passes read: of most objects
// metadata and spec.
func topologyReads(c kubeapi.Change) bool {
	switch c.Key.GK() {
	case kindMachine.GroupKind: // see isUpgrading
		return differs(c, "metadata", "labels", labelTopologyDeployment) || hasLabel(subjectIn(c), labelTopologyDeployment) &&
			(differs(c, "spec", "version") || differs(c, "metadata", "labels", labelCluster))
	case kindVSphereCluster.GroupKind: // see dropShim
		return differs(c, "metadata", "uid") || differs(c, "metadata", "ownerReferences")
	case kindSecret.GroupKind:
		return c.Before == nil && strings.HasSuffix(c.Key.Name, shimSuffix)
	case kindCluster.GroupKind:
		return asksElse(c) || !reflect.DeepEqual(topologyReport(c.Before), topologyReport(c.After))
	case kindClusterClass.GroupKind:
		return asksElse(c) || differs(c, "status", "observedGeneration")
	case kindControlPlane.GroupKind:
		return asksElse(c) || differs(c, "status", "version")
	case kindMachineDeployment.GroupKind, kindMachineHealthCheck.GroupKind,
		kindVSphereTemplate.GroupKind, kindKubeadmConfigTemplate.GroupKind:
		return asksElse(c)
	}
	return false
}

// asksElse says whether an object has come or gone, or another spec, or other metadata
// than the API server's.
func asksElse(c kubeapi.Change) bool {
	if c.Before == nil || c.After == nil || differs(c, "metadata", "generation") {
		return true
	}
	return slices.ContainsFunc([]string{"labels", "annotations", "ownerReferences", "finalizers"}, func(field string) bool {
		return differs(c, "metadata", field)
	})
}

// differs compares a field before and after a change.
func differs(c kubeapi.Change, path ...string) bool {
	return !reflect.DeepEqual(resource.Field(contentOf(c.Before), path...), resource.Field(contentOf(c.After), path...))
}

// topologyReport is the condition TopologyReconciled of a Cluster that exists.
func topologyReport(cluster *unstructured.Unstructured) any {
	for _, c := range resource.Items(cluster.Object, "status", "conditions") {
		if resource.Text(c, "type") == "TopologyReconciled" {
			return c
		}
	}
	return nil
}
