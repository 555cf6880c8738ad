package controllers

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// Templates are immutable, so a part that needs another one gets a new one with
// another suffix, made before its owner points to it. The former template of the
// control plane is deleted right after that; those of a pool go with the
// MachineSet of their machines (observed.md 6.6, domain.md 3.2).

// machineTemplate is the VSphereMachineTemplate that p is to use: the current one
// if it says what it should, else a new one.
func (m *Manager) machineTemplate(cluster *unstructured.Unstructured, p part, current string) (name string, err error) {
	from := m.classTemplate(cluster, kindVSphereTemplate, p.templateName(cluster, "machine"))
	return m.template(cluster, p, kindVSphereTemplate, "machine", current, from, m.machineTemplateSpec(p, from))
}

// bootstrapTemplate is the KubeadmConfigTemplate that a pool is to use.
func (m *Manager) bootstrapTemplate(cluster *unstructured.Unstructured, p part, current string) (name string, err error) {
	from := m.classTemplate(cluster, kindKubeadmConfigTemplate, p.templateName(cluster, "bootstrap"))
	before := resource.Items(contentOf(m.get(kindKubeadmConfigTemplate, namespaceOf(cluster), current)), "spec", "template", "spec", "files")
	return m.template(cluster, p, kindKubeadmConfigTemplate, "bootstrap", current, from, p.kubeadmSpec(from, before))
}

// template is the one that says spec, with labels and annotations that the template of
// the class has too. Of metadata alone the current one is changed in place.
func (m *Manager) template(cluster *unstructured.Unstructured, p part, k kind, use, current string, from, spec map[string]any) (string, error) {
	known := m.get(k, namespaceOf(cluster), current)
	if known != nil && resource.Equal(resource.Field(known.Object, "spec", "template", "spec"), any(spec)) {
		d, ours := edit(known, m.now()), topologyLabels(cluster, p.pool)
		for _, section := range []string{"labels", "annotations"} {
			for key, value := range inherited(from, section) {
				if _, is := ours[key]; !is {
					d.set(value, "metadata", section, key)
				}
			}
		}
		d.set(p.templateName(cluster, use), "metadata", "annotations", annotationClonedFrom)
		return current, m.commit(actorTopology, d)
	}
	base := nameOf(cluster) + "-"
	if p.pool != "" {
		base += p.pool + "-"
	}
	meta := m.topologyMeta(cluster, k, base, p.pool, cluster, p.templateName(cluster, use), k.Kind+"."+k.Group)
	for _, section := range []string{"labels", "annotations"} {
		if more := inherited(from, section); len(more) > 0 {
			maps.Copy(more, resource.Fields(meta, section))
			meta[section] = more
		}
	}
	made, err := m.create(actorTopology, k, map[string]any{
		"metadata": meta,
		"spec":     m.templates.shared(map[string]any{"template": map[string]any{"spec": spec}}),
	})
	if err != nil {
		return "", err
	}
	return nameOf(made), nil
}

// classTemplate is what a template of a Cluster's class says, if that brings one along
// as VKS's classes do not.
func (m *Manager) classTemplate(cluster *unstructured.Unstructured, k kind, name string) map[string]any {
	class := m.classFor(cluster)
	if class == nil {
		return nil
	}
	return contentOf(m.get(k, namespaceOf(class), name))
}

// inherited are the labels or annotations of a class's template that those made from it
// have. What kubectl notes is not among them.
func inherited(from map[string]any, section string) map[string]any {
	out := map[string]any{}
	for key, value := range resource.Fields(from, "metadata", section) {
		if key != annotationLastApplied {
			out[key] = value
		}
	}
	return out
}

// templateName is the template of the class that a part's template is cloned from.
func (p part) templateName(cluster *unstructured.Unstructured, use string) string {
	path := []string{"infrastructure", "templateRef", "name"}
	switch {
	case use == "bootstrap":
		path[0] = "bootstrap"
	case p.pool == "":
		path[0] = "machineInfrastructure"
	}
	if name := resource.Text(p.class, path...); name != "" {
		return name
	}
	return classOf(cluster) + "-" + use
}
