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
	failureDomain       string
	// infrastructure and config are what VSphereMachine and KubeadmConfig are copies of.
	infrastructure, config original
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

// An original is what an object is a copy of: a template, or, without annotations,
// something that the owner holds itself. All copies share it.
type original struct{ spec, annotations map[string]any }

// originalOf is a template as an original; one that is not there has an empty spec.
func (m *Manager) originalOf(k kind, namespace, name string) original {
	spec := resource.Fields(contentOf(m.get(k, namespace, name)), "spec", "template", "spec")
	if spec == nil {
		spec = map[string]any{}
	}
	return original{spec, map[string]any{annotationClonedFrom: name, annotationClonedFromKind: k.Kind + "." + k.Group}}
}

// createVSphereMachine clones the template. Owner, until the Machine takes
// over, is who made it, not as controller (observed.md 7.4).
func (m *Manager) createVSphereMachine(s machineSet) error {
	return m.createCopy(s, kindVSphereMachine, s.infrastructure)
}

func (m *Manager) createKubeadmConfig(s machineSet) error {
	return m.createCopy(s, kindKubeadmConfig, s.config)
}

func (m *Manager) createCopy(s machineSet, k kind, of original) error {
	_, err := m.create(s.actor, k, map[string]any{
		"metadata": s.meta(m.ownerRef(s.owner), of.annotations),
		"spec":     of.spec,
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
