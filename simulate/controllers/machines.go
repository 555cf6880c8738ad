package controllers

import (
	"fmt"
	"strings"

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
	bootstrap           map[string]any // spec of the KubeadmConfig; nil is cloud-config
	spec                map[string]any // further fields of the Machine's spec
}

func (s machineSet) meta(owner map[string]any, annotations map[string]any) map[string]any {
	meta := map[string]any{
		"namespace": namespaceOf(s.owner), "name": s.name,
		"labels":          copyMap(s.labels),
		"ownerReferences": []any{owner},
	}
	if len(annotations) > 0 {
		meta["annotations"] = annotations
	}
	return meta
}

// createVSphereMachine clones the template. Owner, until the Machine takes
// over, is who made it, not as controller (observed.md 7.4).
func (m *Manager) createVSphereMachine(s machineSet) error {
	template := m.get(kindVSphereTemplate, namespaceOf(s.owner), s.template)
	spec := map[string]any{}
	if template != nil {
		spec = copyMap(resource.Fields(template.Object, "spec", "template", "spec"))
	}
	_, err := m.create(s.actor, kindVSphereMachine, map[string]any{
		"metadata": s.meta(ref(s.owner, false), map[string]any{
			annotationClonedFrom:     s.template,
			annotationClonedFromKind: kindVSphereTemplate.Kind + "." + groupVMware,
		}),
		"spec": spec,
	})
	return err
}

func (m *Manager) createKubeadmConfig(s machineSet) error {
	spec := s.bootstrap
	if spec == nil {
		spec = map[string]any{"format": "cloud-config"}
	}
	_, err := m.create(s.actor, kindKubeadmConfig, map[string]any{
		"metadata": s.meta(ref(s.owner, false), nil),
		"spec":     spec,
	})
	return err
}

func (m *Manager) createMachine(s machineSet) error {
	meta := s.meta(ref(s.owner, true), s.annotations)
	if s.actor == actorCore {
		meta["finalizers"] = []any{finalizerMachine} // a control plane leaves it to the Machine controller
	}
	spec := copyMap(s.spec)
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

// tally counts machines for the status of whoever owns them.
type tally struct{ total, ready, available int64 }

func countMachines(machines []*unstructured.Unstructured) tally {
	var t tally
	for _, machine := range machines {
		t.total++
		if deleting(machine) {
			continue
		}
		if isTrue(machine.Object, "Ready") {
			t.ready++
		}
		if isTrue(machine.Object, "Available") {
			t.available++
		}
	}
	return t
}

func (t tally) write(d *draft) {
	d.set(t.total, "status", "replicas")
	d.set(t.ready, "status", "readyReplicas")
	d.set(t.available, "status", "availableReplicas")
	d.set(t.total, "status", "upToDateReplicas")
	d.set(resource.Int(d.root, "metadata", "generation"), "status", "observedGeneration")
}

// conditions writes MachinesReady and MachinesUpToDate.
func (t tally) conditions(d *draft, machines []*unstructured.Unstructured) {
	if len(machines) == 0 {
		d.condition("MachinesReady", "True", "NoReplicas", "")
		d.condition("MachinesUpToDate", "True", "NoReplicas", "")
		return
	}
	d.condition("MachinesUpToDate", "True", "UpToDate", "")
	status, reason := "True", "Ready"
	// Machines that say the same are named together.
	var messages []string
	named := map[string][]string{}
	for _, machine := range machines {
		c := resource.ConditionOf(machine.Object, "Ready")
		if c.Type == "" {
			c = resource.Condition{Status: "Unknown", Message: "* Condition Ready not yet reported"}
		}
		if c.Status == "True" {
			continue
		}
		if status == "True" || c.Status == "False" {
			status, reason = c.Status, map[string]string{"False": "NotReady", "Unknown": "ReadyUnknown"}[c.Status]
		}
		if named[c.Message] == nil {
			messages = append(messages, c.Message)
		}
		named[c.Message] = append(named[c.Message], nameOf(machine))
	}
	for i, message := range messages {
		messages[i] = bullet(machineList(named[message]), message)
	}
	d.condition("MachinesReady", status, reason, lines(messages))
}

func machineList(names []string) string {
	switch {
	case len(names) == 1:
		return "Machine " + names[0]
	case len(names) > 3:
		return fmt.Sprintf("Machines %s, ... (%d more)", strings.Join(names[:3], ", "), len(names)-3)
	}
	return "Machines " + strings.Join(names, ", ")
}

// scaling writes ScalingUp and ScalingDown. Both speak of Machine objects, not of
// whether they are ready (observed.md 6.4).
func (t tally) scaling(d *draft, desired int64, blocked string) {
	direction := func(kind, verb string, active bool) {
		if !active {
			d.condition(kind, "False", "Not"+kind, "")
			return
		}
		message := fmt.Sprintf("%s from %d to %d replicas", verb, t.total, desired)
		if blocked != "" {
			message = blocked
		}
		d.condition(kind, "True", kind, message)
	}
	direction("ScalingUp", "Scaling up", t.total < desired)
	direction("ScalingDown", "Scaling down", t.total > desired)
}
