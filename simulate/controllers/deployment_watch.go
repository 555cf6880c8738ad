package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// notifyDeployment wakes the sets and machines of a deployment that changed: the
// sets compare their revision with its, the machines their template. It sees what the
// deployment no longer says, too.
func (m *Manager) notifyDeployment(c kubeapi.Change) {
	if c.Before == nil || c.After == nil {
		return
	}
	if dropped := droppedAnnotations(m.view(c.Before), m.view(c.After)); dropped != nil {
		m.clock.AfterFunc(hop, func() { m.dropAnnotations(c.Key, dropped) })
	}
	if resource.Int(c.Before.Object, "metadata", "generation") == resource.Int(c.After.Object, "metadata", "generation") {
		return
	}
	// Listing needs the store, which is locked now.
	m.clock.AfterFunc(0, func() {
		sets := m.setsOf(viewOf(c.After.Object, nil))
		for _, owned := range [][]*unstructured.Unstructured{sets, m.machinesOfSets(sets)} {
			for _, u := range owned {
				m.enqueueKey(keyOf(u), hop)
			}
		}
	})
}

// droppedAnnotations are those that a deployment had for its sets and has no more; nil
// is none.
func droppedAnnotations(was, is *view) map[string]any {
	if resource.SameMap(was.annotations, is.annotations) {
		return nil
	}
	var dropped map[string]any
	for key, value := range was.annotations {
		if _, still := is.annotations[key]; still || notCopied[key] {
			continue
		}
		if dropped == nil {
			dropped = map[string]any{}
		}
		dropped[key] = value
	}
	return dropped
}

// dropAnnotations takes annotations off the sets of a deployment that have them from it.
func (m *Manager) dropAnnotations(key kubeapi.Key, dropped map[string]any) {
	deployment := m.store.Get(key)
	if deployment == nil || paused(m.clusterFor(deployment), deployment) {
		return
	}
	for _, set := range m.setsOf(m.view(deployment)) {
		d := edit(set, m.now())
		for name, value := range dropped {
			if m.view(set).annotations[name] == value {
				d.unset("metadata", "annotations", name)
			}
		}
		if err := m.commit(actorCore, d); err != nil {
			m.fail(set, err)
		}
	}
}
