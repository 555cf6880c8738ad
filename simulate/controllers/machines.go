package controllers

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// A machineSet is what a control plane or a MachineSet makes one machine from:
// three objects of one name.
type machineSet struct {
	owner, cluster      *unstructured.Unstructured
	actor               string
	name, version       string
	labels, annotations map[string]any
	template            string // VSphereMachineTemplate
	failureDomain       string
	// config is the spec of the KubeadmConfig; nil is one that says nothing.
	config map[string]any
	// configTemplate is the KubeadmConfigTemplate that config was cloned from;
	// "" is a config that the owner holds itself, as a control plane does.
	configTemplate string
	// shared are annotations that all three objects carry.
	shared map[string]any
	// more are further fields of the Machine's spec: deletion, minReadySeconds,
	// readinessGates, taints.
	more map[string]any
}

func (s machineSet) meta(owner, annotations map[string]any) map[string]any {
	meta := map[string]any{
		"namespace": namespaceOf(s.owner), "name": s.name,
		"labels":          s.labels,
		"ownerReferences": []any{owner},
	}
	if len(s.shared) > 0 {
		all := copyMap(s.shared)
		maps.Copy(all, annotations)
		annotations = all
	}
	if len(annotations) > 0 {
		meta["annotations"] = annotations
	}
	return meta
}

// clonedFrom are the annotations of an object that is a copy of a template.
func clonedFrom(k kind, name string) map[string]any {
	return map[string]any{annotationClonedFrom: name, annotationClonedFromKind: k.Kind + "." + k.Group}
}

// templateSpec is the spec that a template gives its copies, who share it; empty
// without one.
func templateSpec(template *unstructured.Unstructured) map[string]any {
	if spec := resource.Fields(contentOf(template), "spec", "template", "spec"); spec != nil {
		return spec
	}
	return map[string]any{}
}

// createVSphereMachine clones the template. Owner, until the Machine takes
// over, is who made it, not as controller (observed.md 7.4).
func (m *Manager) createVSphereMachine(s machineSet) error {
	template := m.get(kindVSphereTemplate, namespaceOf(s.owner), s.template)
	_, err := m.create(s.actor, kindVSphereMachine, map[string]any{
		"metadata": s.meta(m.ownerRef(s.owner), clonedFrom(kindVSphereTemplate, s.template)),
		"spec":     templateSpec(template),
	})
	return err
}

func (m *Manager) createKubeadmConfig(s machineSet) error {
	var from map[string]any
	if s.configTemplate != "" {
		from = clonedFrom(kindKubeadmConfigTemplate, s.configTemplate)
	}
	spec := s.config
	if spec == nil {
		spec = map[string]any{"format": "cloud-config"}
	}
	_, err := m.create(s.actor, kindKubeadmConfig, map[string]any{
		"metadata": s.meta(m.ownerRef(s.owner), from),
		"spec":     spec,
	})
	return err
}

func (m *Manager) createMachine(s machineSet) error {
	meta := s.meta(m.controllerRef(s.owner), s.annotations)
	if s.actor == actorCore {
		meta["finalizers"] = []any{finalizerMachine} // a control plane leaves it to the Machine controller
	}
	spec := copyMap(s.more)
	spec["clusterName"] = nameOf(s.cluster)
	spec["version"] = s.version
	spec["bootstrap"] = map[string]any{"configRef": contractRef(kindKubeadmConfig, s.name)}
	spec["infrastructureRef"] = contractRef(kindVSphereMachine, s.name)
	if s.failureDomain != "" {
		spec["failureDomain"] = s.failureDomain
	}
	_, err := m.create(s.actor, kindMachine, map[string]any{"metadata": meta, "spec": spec})
	return err
}
