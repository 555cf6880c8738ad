package controllers

import (
	"cmp"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// reconcileClass looks at a ClusterClass: it says Paused at once, and with the next
// pass takes over the templates of its namespace and reports its conditions
// (domain.md 1.2). What its patches and schemas say is not looked at.
func (m *Manager) reconcileClass(class *unstructured.Unstructured) (time.Duration, error) {
	d := edit(class, m.now())
	if deleting(class) {
		return 0, nil
	}
	if m.held(d, m.view(class), nil) {
		return 0, m.commit(actorCore, d)
	}
	if !hasCondition(class, "Paused") {
		d.condition("Paused", "False", "NotPaused", "")
		return 0, m.commit(actorCore, d)
	}
	for _, template := range m.templatesOfClass(class) {
		if ownedBy(template, class) {
			continue
		}
		td := edit(template, m.now())
		td.addOwner(ref(class, false))
		if err := m.commit(actorCore, td); err != nil {
			return 0, err
		}
	}
	classConditions(d)
	return 0, m.commit(actorCore, d)
}

// shippedClass is a class that the Supervisor has had for long.
func (m *Manager) shippedClass(namespace, name string) map[string]any {
	d := edit(&unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"namespace": namespace, "name": name, "generation": int64(1)},
		"spec":     map[string]any{"workers": map[string]any{"machineDeployments": []any{map[string]any{"class": "node-pool"}}}},
	}}, m.now())
	d.condition("Paused", "False", "NotPaused", "")
	classConditions(d)
	return d.root
}

func classConditions(d *draft) {
	d.condition("RefVersionsUpToDate", "True", "RefVersionsUpToDate", "")
	d.condition("VariablesReady", "True", "VariablesReady", "")
	d.observeGeneration()
}

// templatesOfClass are the templates that a class refers to and that the simulated
// API serves.
func (m *Manager) templatesOfClass(class *unstructured.Unstructured) []*unstructured.Unstructured {
	spec := resource.Fields(class.Object, "spec")
	refs := []any{resource.Field(spec, "controlPlane", "machineInfrastructure", "templateRef")}
	for _, pool := range resource.Items(spec, "workers", "machineDeployments") {
		refs = append(refs, resource.Field(pool, "bootstrap", "templateRef"), resource.Field(pool, "infrastructure", "templateRef"))
	}
	var out []*unstructured.Unstructured
	for _, r := range refs {
		for _, k := range []kind{kindVSphereTemplate, kindKubeadmConfigTemplate} {
			if resource.Text(r, "kind") != k.Kind {
				continue
			}
			if u := m.get(k, namespaceOf(class), resource.Text(r, "name")); u != nil {
				out = append(out, u)
			}
		}
	}
	return out
}

// notifyUsers wakes the Clusters of a class that was changed, or looked at anew, as the
// real topology controller watches them. It hears of a change when the controller of the
// class does, and is faster: it finds that nobody has looked at the class yet. Classes
// change so rarely that an index of who uses which would not pay.
func (m *Manager) notifyUsers(c kubeapi.Change) {
	same := func(path ...string) bool {
		return c.Before != nil && c.After != nil && resource.Field(c.Before.Object, path...) == resource.Field(c.After.Object, path...)
	}
	after := hop
	switch {
	case !same("metadata", "generation"):
		after = 0
	case same("status", "observedGeneration"):
		return
	}
	if c.Before == nil && c.Actor == actorReleases {
		return // comes with its namespace, in which nobody uses it yet
	}
	class := c.After
	if class == nil {
		class = c.Before
	}
	namespace, name := namespaceOf(class), nameOf(class)
	// Listing needs the store, which is locked now.
	m.clock.AfterFunc(0, func() {
		for _, cluster := range m.store.List(kindCluster.GroupKind, "", nil) {
			ref := resource.Fields(cluster.Object, "spec", "topology", "classRef")
			if resource.Text(ref, "name") == name && cmp.Or(resource.Text(ref, "namespace"), namespaceOf(cluster)) == namespace {
				m.enqueueKey(keyOf(cluster), after)
			}
		}
	})
}
