package controllers

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// guardTemplates keeps a MachineDeployment or MachineSet of a topology until the
// templates that only it refers to are deleted. So the templates of a former
// revision go with its MachineSet, and those of a pool with the pool
// (observed.md 6.6), as the MachineHealthCheck that is called like a MachineDeployment
// does whoever deleted that.
func (m *Manager) guardTemplates(u *unstructured.Unstructured) (time.Duration, error) {
	v, finalizer := m.view(u), finalizerSetTopology
	if v.kind == kindMachineDeployment.Kind {
		finalizer = finalizerDeploymentTopology
	}
	claimed := v.hasFinalizer(finalizer)
	if claimed && !v.deleting || v.labels[labelTopologyOwned] == nil {
		return 0, nil
	}
	cluster := m.clusterFor(u)
	if cluster == nil || paused(cluster, u) {
		return 0, nil
	}
	d := edit(u, m.now())
	if !v.deleting {
		if finalizer == finalizerDeploymentTopology {
			claim(d, finalizer, finalizerDeployment)
		} else {
			d.addFinalizer(finalizer)
		}
		return 0, m.commit(actorCore, d)
	}
	// A set without machines is let go of by its own controller first.
	if !claimed || d.hasFinalizer(finalizerSet) && resource.Int(u.Object, "status", "replicas") == 0 {
		return 0, nil
	}
	if err := m.removeTemplates(u); err != nil {
		return 0, err
	}
	if finalizer == finalizerDeploymentTopology {
		if err := m.remove(actorCore, m.get(kindMachineHealthCheck, v.namespace, v.name)); err != nil {
			return 0, err
		}
	}
	d.removeFinalizers(finalizer)
	return 0, m.commit(actorCore, d)
}

// removeTemplates deletes the templates of u that nothing of its pool refers to
// which is there to stay.
func (m *Manager) removeTemplates(u *unstructured.Unstructured) error {
	var used []string
	pool := map[string]string{labelCluster: labelOf(u, labelCluster), labelTopologyDeployment: labelOf(u, labelTopologyDeployment)}
	for _, k := range []kind{kindMachineDeployment, kindMachineSet} {
		for _, other := range m.store.List(k.GroupKind, namespaceOf(u), pool) {
			if !deleting(other) {
				infrastructure, bootstrap := templatesOf(other)
				used = append(used, kindVSphereTemplate.Kind+"/"+infrastructure, kindKubeadmConfigTemplate.Kind+"/"+bootstrap)
			}
		}
	}
	infrastructure, bootstrap := templatesOf(u)
	for _, template := range []*unstructured.Unstructured{
		m.get(kindKubeadmConfigTemplate, namespaceOf(u), bootstrap),
		m.get(kindVSphereTemplate, namespaceOf(u), infrastructure),
	} {
		if template == nil || slices.Contains(used, template.GetKind()+"/"+nameOf(template)) {
			continue
		}
		if err := m.remove(actorCore, template); err != nil {
			return err
		}
	}
	return nil
}

// templatesOf are the names of the two templates that a deployment's or a set's
// machines are made from.
func templatesOf(u *unstructured.Unstructured) (infrastructure, bootstrap string) {
	spec := resource.Fields(u.Object, "spec", "template", "spec")
	return resource.Text(spec, "infrastructureRef", "name"), resource.Text(spec, "bootstrap", "configRef", "name")
}

// claim adds a finalizer to an object. Two controllers have one each on what a
// topology owns. Both write the list as they read it, so on a new object the
// second overwrites what the first wrote, who writes it again a second later.
func claim(d *draft, finalizer, others string) {
	if d.hasFinalizer(finalizer) {
		return
	}
	if resource.ConditionOf(d.root, "Paused").Type == "" {
		d.removeFinalizers(others)
	}
	d.addFinalizer(finalizer)
}
