package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// What many objects say in the same words is one map for all of them: nobody writes to
// a stored object. The smallest map takes 336 bytes, and a fleet is made of maps.

// shared are maps that are the same in all that belong to an object, and what it refers
// to. Each is made when it is first asked for, and goes on from version to version of the
// object.
type shared struct {
	controller, owner map[string]any // references to the object

	// Of a Cluster:
	labels  map[string]any // of what carries no other labels
	policy  map[string]any // spec.reserved of its VirtualMachines
	network map[string]any // spec.network of its VirtualMachines
	nic     map[string]any // spec of the objects of their interfaces
	join    map[string]any // spec of the KubeadmConfig that was last to join
	node    map[string]any // status.nodeInfo of the Machine that was last to get one

	reserved   *subject // its resource policy
	references *references
}

// share is what is shared by what belongs to v.
func (v *view) share() *shared {
	if v.shared == nil {
		v.shared = &shared{}
	}
	return v.shared
}

// controllerRef is the owner reference of what an object controls.
func (m *Manager) controllerRef(owner *unstructured.Unstructured) map[string]any {
	s := m.view(owner).share()
	if s.controller == nil {
		s.controller = ref(owner, true)
	}
	return s.controller
}

// ownerRef is the owner reference of what an object owns and somebody else is to control.
func (m *Manager) ownerRef(owner *unstructured.Unstructured) map[string]any {
	s := m.view(owner).share()
	if s.owner == nil {
		s.owner = ref(owner, false)
	}
	return s.owner
}

// clusterLabels are the labels of an object that has no others than its Cluster's.
func (v *view) clusterLabels() map[string]any {
	s := v.share()
	if s.labels == nil {
		s.labels = map[string]any{labelCluster: v.name}
	}
	return s.labels
}

// resourcePolicy is the spec.reserved of a Cluster's VirtualMachines.
func (v *view) resourcePolicy() map[string]any {
	s := v.share()
	if s.policy == nil {
		s.policy = map[string]any{"resourcePolicyName": v.name}
	}
	return s.policy
}

// unite is a map that is equal to m: the one that is kept if that is, else m, which is
// then kept.
func unite(kept *map[string]any, m map[string]any) map[string]any {
	if !resource.Equal(*kept, m) {
		*kept = m
	}
	return *kept
}

// initializations are the values of status.initialization of a machine's objects, by
// the barrier that was passed last.
var initializations = map[string]map[string]any{
	"dataSecretCreated":          {"dataSecretCreated": true},
	"bootstrapDataSecretCreated": {"bootstrapDataSecretCreated": true},
	"infrastructureProvisioned":  {"bootstrapDataSecretCreated": true, "infrastructureProvisioned": true},
	"provisioned":                {"provisioned": true},
}

// initialize passes a barrier of status.initialization.
func (d *draft) initialize(barrier string) {
	was, is := resource.Fields(d.root, "status", "initialization"), initializations[barrier]
	expected := len(was) == len(is)-1
	for other := range was {
		expected = expected && is[other] == was[other]
	}
	if expected && was[barrier] == nil {
		d.replace(is, "status", "initialization")
		return
	}
	d.set(true, "status", "initialization", barrier)
}
