package controllers

import (
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
	return m.template(cluster, p, kindVSphereTemplate, "machine", current, m.machineTemplateSpec(cluster, p))
}

// bootstrapTemplate is the KubeadmConfigTemplate that a pool is to use.
func (m *Manager) bootstrapTemplate(cluster *unstructured.Unstructured, p part, current string) (name string, err error) {
	before := resource.Items(contentOf(m.get(kindKubeadmConfigTemplate, namespaceOf(cluster), current)), "spec", "template", "spec", "files")
	return m.template(cluster, p, kindKubeadmConfigTemplate, "bootstrap", current, p.kubeadmSpec(before))
}

func (m *Manager) template(cluster *unstructured.Unstructured, p part, k kind, use, current string, spec map[string]any) (string, error) {
	known := m.get(k, namespaceOf(cluster), current)
	if known != nil && resource.Equal(resource.Field(known.Object, "spec", "template", "spec"), any(spec)) {
		return current, nil
	}
	base := nameOf(cluster) + "-"
	if p.pool != "" {
		base += p.pool + "-"
	}
	made, err := m.create(actorTopology, k, map[string]any{
		"metadata": m.topologyMeta(cluster, k, base, p.pool, cluster, p.templateName(cluster, use), k.Kind+"."+k.Group),
		"spec":     m.templates.shared(map[string]any{"template": map[string]any{"spec": spec}}),
	})
	if err != nil {
		return "", err
	}
	return nameOf(made), nil
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
