package reconcile

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// A presence is an object that exists, with what it belongs to.
type presence struct {
	object *unstructured.Unstructured
	at     place
	phase  phase.ID
}

// event tells of it as what was there before.
func (p presence) event() journal.Event {
	return journal.Event{Object: &journal.Object{Change: resource.Describe(p.object), Cluster: p.at.cluster, PhaseID: p.phase}}
}

// present lists what exists at chosen places, a place after the other and there
// what owns before what is owned. It is called with mu held.
func (h *history) present(chosen func(place) bool) []presence {
	var out []presence
	for _, u := range h.objects {
		if at, id := h.whereabouts(u); chosen(at) {
			out = append(out, presence{u, at, id})
		}
	}
	return ordered(out)
}

// presentAmong lists those of some objects that exist, likewise.
func (h *history) presentAmong(addrs map[resource.Addr]bool) []presence {
	var out []presence
	for a := range addrs {
		if u := h.objects[a]; u != nil {
			at, id := h.whereabouts(u)
			out = append(out, presence{u, at, id})
		}
	}
	return ordered(out)
}

func ordered(out []presence) []presence {
	slices.SortFunc(out, func(a, b presence) int {
		return cmp.Or(
			cmp.Compare(a.at.namespace, b.at.namespace), cmp.Compare(a.at.cluster, b.at.cluster),
			cmp.Compare(rank(a.object.GetKind()), rank(b.object.GetKind())), cmp.Compare(a.object.GetKind(), b.object.GetKind()),
			cmp.Compare(a.object.GetName(), b.object.GetName()),
		)
	})
	return out
}

// whereabouts are the place and the phase that an object belongs to. It is called
// with mu held.
func (h *history) whereabouts(u *unstructured.Unstructured) (place, phase.ID) {
	cluster, id := h.attribution.Of(u)
	namespace := u.GetNamespace()
	if u.GetKind() == "Namespace" {
		namespace = u.GetName()
	}
	return place{namespace, cluster}, id
}

// rank is where the objects of a kind come in a telling.
func rank(kind string) int {
	switch kind {
	case "Namespace":
		return 0
	case resource.KindCluster:
		return 1
	case "VSphereCluster", "KubeadmControlPlane", "MachineDeployment":
		return 2
	case "MachineSet":
		return 3
	case "Machine":
		return 4
	case "VSphereMachine", "KubeadmConfig":
		return 5
	case "VirtualMachine":
		return 6
	}
	return 7
}
