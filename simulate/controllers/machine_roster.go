package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// A roster has the machines of all clusters: the objects of each, and who is of which
// control plane and of which MachineSet. Most passes come to look at machines of which
// nothing has changed: they need not search the store for that.
type roster struct {
	kits     map[objectName]*kit
	clusters map[clusterName]*census
	squads   map[objectName]*squad
	// divisions have the sets of each MachineDeployment.
	divisions map[objectName]division
	changes   uint64 // to squads, so far
}

// A kit has the objects of one name that make a machine. It is on the roster as long as
// there is one of them.
type kit struct {
	name objectName
	parts
	labels   map[string]any // of the Machine, who it is of follows from them
	gone     bool           // off the roster: whoever knows it has to look for it again
	enrolled *enrolled      // as a machine of a control plane, nil if it is of none
	squad    *squad         // nil if it is of no MachineSet

	set, deployment *subject // of a worker, nil until they are asked for
}

// parts are the objects of a machine as they are stored; nil is not there.
type parts struct {
	machine, config, infrastructure, vm *unstructured.Unstructured
}

// carriers are those that carry the labels and annotations of the machine.
func (p parts) carriers() [3]*unstructured.Unstructured {
	return [...]*unstructured.Unstructured{p.machine, p.config, p.infrastructure}
}

func newRoster() roster {
	return roster{kits: map[objectName]*kit{}, clusters: map[clusterName]*census{}, squads: map[objectName]*squad{}, divisions: map[objectName]division{}}
}

// kitOf is the kit that an object is of: one of a name of its own where it is no part
// of a machine.
func (m *Manager) kitOf(v *view) *kit {
	if v.kit != nil && !v.kit.gone {
		return v.kit
	}
	k := m.roster.kits[objectName{v.namespace, v.name}]
	if k == nil {
		return &kit{}
	}
	v.kit = k
	return k
}

// note takes in a change of any object.
func (r *roster) note(c kubeapi.Change) {
	name := objectName{c.Key.Namespace, c.Key.Name}
	switch c.Key.Kind {
	case kindMachine.Kind:
		k := r.kit(name)
		k.machine = c.After
		if !c.SameMetadata {
			r.assign(k)
		}
		r.tell(k, true)
		if k.squad != nil {
			k.squad.machinesChanged = r.changes
		}
	case kindKubeadmConfig.Kind:
		k := r.kit(name)
		k.config = c.After
		r.tell(k, !c.SameMetadata)
	case kindVSphereMachine.Kind:
		k := r.kit(name)
		k.infrastructure = c.After
		r.tell(k, !c.SameMetadata)
	case kindVM.Kind:
		k := r.kit(name)
		k.vm = c.After
		r.tell(k, false)
	case kindSecret.Kind:
		if c.After == nil {
			r.noteLostSecret(name)
		}
	}
}

func (r *roster) kit(name objectName) *kit {
	k := r.kits[name]
	if k == nil {
		k = &kit{name: name}
		r.kits[name] = k
	}
	return k
}

// assign has a kit be of the control plane and the set that the labels of its Machine
// name, which hardly ever change.
func (r *roster) assign(k *kit) {
	k.set, k.deployment = nil, nil
	labels := resource.Fields(contentOf(k.machine), "metadata", "labels")
	if !resource.SameMap(labels, k.labels) {
		k.labels = labels
		r.enrol(k)
		r.join(k)
	}
}

// tell has those whom a kit is of know that it has changed, and strikes off what is gone.
// A MachineSet looks at the Machine, and of its parts only at what it carries over to
// their metadata: whether that is what changed says ofSet.
func (r *roster) tell(k *kit, ofSet bool) {
	if k.enrolled != nil {
		r.disturb(k.enrolled.cluster)
	}
	if k.squad != nil && ofSet {
		r.changes++
		k.squad.changed = r.changes
	}
	if k.parts == (parts{}) {
		delete(r.kits, k.name)
		k.gone = true
	}
}
