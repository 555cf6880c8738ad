package phase

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
)

// An Attribution finds the cluster and the phase of objects that do not say it
// themselves, through their owners. It remembers what it found, since an owner
// may be gone when the object goes. It is not safe for concurrent use.
type Attribution struct {
	lookup   func(resource.Addr) *unstructured.Unstructured
	clusters map[string]string // by UID
	phases   map[string]ID     // by UID
}

// NewAttribution looks owners up; lookup returns nil for what does not exist.
func NewAttribution(lookup func(resource.Addr) *unstructured.Unstructured) *Attribution {
	return &Attribution{lookup: lookup, clusters: map[string]string{}, phases: map[string]ID{}}
}

// Of is the name of the cluster and the phase that an object belongs to; both
// are empty for what is shared.
func (a *Attribution) Of(u *unstructured.Unstructured) (cluster string, id ID) {
	labels, owners := u.GetLabels(), resource.OwnersOf(u.Object)
	return a.clusterOf(u, labels, owners), a.phaseOf(u, labels, owners)
}

// Forget drops what was remembered of an object that is gone.
func (a *Attribution) Forget(u *unstructured.Unstructured) {
	delete(a.clusters, string(u.GetUID()))
	delete(a.phases, string(u.GetUID()))
}

// phaseOf is the phase of an object. What says nothing of its role itself, such
// as a bootstrap Secret or a SubnetPort, has that of the machine that owns it.
func (a *Attribution) phaseOf(u *unstructured.Unstructured, labels map[string]string, owners []resource.Owner) ID {
	uid := string(u.GetUID())
	if id, known := a.phases[uid]; known {
		return id
	}
	id := Of(u.GetKind(), labels, owners)
	for _, ref := range u.GetOwnerReferences() {
		if ref.Kind != "KubeadmConfig" && ref.Kind != "VirtualMachine" {
			continue
		}
		if owner := a.ownerOf(u, ref); owner != nil {
			id = Of(u.GetKind(), owner.GetLabels(), owners)
			a.phases[uid] = id // the owner may be gone when u goes
		}
	}
	return id
}

func (a *Attribution) ownerOf(u *unstructured.Unstructured, ref metav1.OwnerReference) *unstructured.Unstructured {
	gk := schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind()
	return a.lookup(resource.Addr{Group: gk.Group, Kind: gk.Kind, Namespace: u.GetNamespace(), Name: ref.Name})
}

// clusterOf is the name of the cluster an object belongs to: by label, or
// through its owners.
func (a *Attribution) clusterOf(u *unstructured.Unstructured, labels map[string]string, owners []resource.Owner) string {
	if name := ClusterOf(u.GetKind(), u.GetName(), labels, owners); name != "" {
		return name
	}
	uid := string(u.GetUID())
	if name, known := a.clusters[uid]; known {
		return name
	}
	name := ""
	for _, ref := range u.GetOwnerReferences() {
		if name = a.clusters[string(ref.UID)]; name != "" {
			break
		}
		if owner := a.ownerOf(u, ref); owner != nil {
			if name = a.clusterOf(owner, owner.GetLabels(), resource.OwnersOf(owner.Object)); name != "" {
				break
			}
		}
	}
	a.clusters[uid] = name
	return name
}
