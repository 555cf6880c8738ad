package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// machineParts is what a pass of a Machine looks at beside the Machine itself.
type machineParts struct {
	config, infrastructure, vm *unstructured.Unstructured
	// set and deployment are those of a worker; both or none.
	set, deployment *unstructured.Unstructured
	// connected says that there is a workload cluster to look for the Node in.
	connected bool
}

// machinePartsOf finds the parts of a Machine.
func (m *Manager) machinePartsOf(machine *view, cluster *unstructured.Unstructured) machineParts {
	p := machineParts{
		config:         m.get(kindKubeadmConfig, machine.namespace, machine.name),
		infrastructure: m.get(kindVSphereMachine, machine.namespace, machine.name),
		vm:             m.get(kindVM, machine.namespace, machine.name),
		connected:      m.view(cluster).initialized("controlPlaneInitialized"),
	}
	owner := machine.controller()
	if machine.controlPlane || resource.Text(owner, "kind") != kindMachineSet.Kind {
		return p
	}
	p.set = m.get(kindMachineSet, machine.namespace, resource.Text(owner, "name"))
	p.deployment = m.get(kindMachineDeployment, machine.namespace, machine.label(labelDeployment))
	if p.set == nil || p.deployment == nil {
		p.set, p.deployment = nil, nil
	}
	return p
}

// machineTaken is what a pass of a Machine took in, and the Machine says since.
type machineTaken struct {
	machineParts
	nodeDue time.Time // when the Node changes by itself; zero is never
	due     time.Time // when anything does
}

func (t *machineTaken) sameConfig(p machineParts) bool { return t != nil && t.config == p.config }

func (t *machineTaken) sameInfrastructure(p machineParts) bool {
	return t != nil && t.infrastructure == p.infrastructure
}

// sameNode says whether the Node is what it was: it follows from the VM and how it
// is configured.
func (t *machineTaken) sameNode(p machineParts, now time.Time) bool {
	return t.sameConfig(p) && t.sameInfrastructure(p) && t.vm == p.vm && t.connected && p.connected && !over(t.nodeDue, now)
}

func (t *machineTaken) sameTemplate(p machineParts) bool {
	return t != nil && sameSpec(t.set, p.set) && sameSpec(t.deployment, p.deployment)
}

// same says whether a pass would find what the last one left, all of it.
func (t *machineTaken) same(p machineParts, now time.Time) bool {
	return t.sameNode(p, now) && t.sameTemplate(p) && !over(t.due, now)
}

func sameSpec(a, b *unstructured.Unstructured) bool {
	return a == b || a != nil && b != nil && sameMap(resource.Fields(a.Object, "spec"), resource.Fields(b.Object, "spec"))
}

// over says whether a time has come; the zero time never does.
func over(due, now time.Time) bool { return !due.IsZero() && !due.After(now) }

// until is how long it is to a time that has not come; 0 is for ever.
func until(due, now time.Time) time.Duration {
	if due.IsZero() {
		return 0
	}
	return due.Sub(now)
}

// at is when a time from now will have come; zero where it is never.
func at(again time.Duration, now time.Time) time.Time {
	if again <= 0 {
		return time.Time{}
	}
	return now.Add(again)
}
