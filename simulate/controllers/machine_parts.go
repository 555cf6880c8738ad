package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// machineParts is what a pass of a Machine looks at beside the Machine itself.
type machineParts struct {
	parts
	// set and deployment are those of a worker; both or none.
	set, deployment *unstructured.Unstructured
	// home is the Cluster, if there is one, and connected says that its API answers:
	// only then the Node can be looked for. What it says counts once the Cluster says
	// that its control plane is initialized.
	home      *view
	connected bool
	counts    bool
	node      node
	again     time.Duration // until the Node will have changed; 0 is never
}

// machinePartsOf finds the parts of a Machine.
func (m *Manager) machinePartsOf(u, cluster *unstructured.Unstructured, last *machineTaken, now time.Time) machineParts {
	machine := m.view(u)
	k := m.kitOf(machine)
	p := machineParts{parts: k.parts}
	if cluster != nil {
		m.findNode(&p, u, cluster, last, now)
	}
	if p.set = m.setOf(k, machine); p.set != nil {
		p.deployment = m.deploymentOf(k, machine)
	}
	if p.deployment == nil {
		p.set = nil
	}
	return p
}

// setOf is the MachineSet that controls a Machine; nil where there is none.
func (m *Manager) setOf(k *kit, machine *view) *unstructured.Unstructured {
	if machine.controlPlane {
		return nil
	}
	if k.set != nil && !k.set.ended {
		return m.objectOf(k.set)
	}
	owner := machine.controller()
	if resource.Text(owner, "kind") != kindMachineSet.Kind {
		return nil
	}
	return m.follow(&k.set, kindMachineSet, machine.namespace, resource.Text(owner, "name"))
}

// deploymentOf is the MachineDeployment that a worker names; nil where there is none.
func (m *Manager) deploymentOf(k *kit, machine *view) *unstructured.Unstructured {
	if k.deployment != nil && !k.deployment.ended {
		return m.objectOf(k.deployment)
	}
	return m.follow(&k.deployment, kindMachineDeployment, machine.namespace, machine.label(labelDeployment))
}

// machineTaken is what a pass of a Machine took in, and the Machine says since. Of
// set and deployment it has the specifications alone: to keep more would keep many
// an old version of them alive.
type machineTaken struct {
	config, infrastructure, vm *unstructured.Unstructured
	set, deployment            map[string]any
	connected, counts          bool
	node                       node
	joins                      bool      // the Machine says now what makes the Node another one
	due                        time.Time // when the Machine says something else though its parts do not
}

func (p machineParts) taken() *machineTaken {
	return &machineTaken{
		config: p.config, infrastructure: p.infrastructure, vm: p.vm,
		set: specOf(p.set), deployment: specOf(p.deployment),
		connected: p.connected, counts: p.counts, node: p.node,
	}
}

func (t *machineTaken) sameConfig(p machineParts) bool { return t != nil && t.config == p.config }

func (t *machineTaken) sameInfrastructure(p machineParts) bool {
	return t != nil && t.infrastructure == p.infrastructure
}

// knowsNode says whether the Node must be what it was: it follows from the VM, how
// it is configured and what the Machine says.
func (t *machineTaken) knowsNode(p machineParts, now time.Time) bool {
	return t.sameConfig(p) && t.sameInfrastructure(p) && t.vm == p.vm && t.connected && !t.joins && !over(t.node.next, now)
}

// sameNode says whether the Machine says of the Node what it is: since when it is that,
// and until when, is for the next pass alone.
func (t *machineTaken) sameNode(p machineParts) bool {
	return t != nil && t.connected == p.connected && t.counts == p.counts && t.node.exists == p.node.exists && t.node.ready == p.node.ready
}

func (t *machineTaken) sameTemplate(p machineParts) bool {
	return t != nil && resource.SameMap(t.set, specOf(p.set)) && resource.SameMap(t.deployment, specOf(p.deployment))
}

// same says whether a pass would find what the last one left, all of it.
func (t *machineTaken) same(p machineParts, now time.Time) bool {
	return t.sameConfig(p) && t.sameInfrastructure(p) && t.sameNode(p) && t.sameTemplate(p) && !over(t.due, now)
}

// follow notes what a pass found that had nothing to do, so that the next one knows the Node.
func (t *machineTaken) follow(p machineParts) {
	t.vm, t.node, t.joins = p.vm, p.node, false
}

func specOf(u *unstructured.Unstructured) map[string]any {
	return resource.Fields(contentOf(u), "spec")
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
