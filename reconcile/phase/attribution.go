package phase

import (
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
	if cluster, id = Itself(u); !Inherits(u.GetKind()) {
		return cluster, id
	}
	if cluster == "" {
		cluster = a.inheritedCluster(u)
	}
	return cluster, a.inheritedPhase(u, id)
}

// Inherits says whether objects of a kind may belong where their owners do, so that it
// takes an Attribution to know. The others say it all themselves: controllers label what
// Cluster API is about.
func Inherits(kind string) bool {
	switch kind {
	case "Cluster", "VSphereCluster", "KubeadmControlPlane", "MachineDeployment", "MachineSet",
		"Machine", "KubeadmConfig", "VSphereMachine", "VirtualMachine":
		return false
	}
	return true
}

// handsDown says whether an owner passes on its phase: what says nothing of its role
// itself, such as a bootstrap Secret or a SubnetPort, has that of the machine that
// owns it.
func handsDown(owner any) bool {
	switch resource.Text(owner, "kind") {
	case "KubeadmConfig", "VirtualMachine":
		return true
	}
	return false
}

// Forget drops what was remembered of an object that is gone.
func (a *Attribution) Forget(u *unstructured.Unstructured) {
	delete(a.clusters, string(u.GetUID()))
	delete(a.phases, string(u.GetUID()))
}

// inheritedPhase is the phase that an object has from an owner, or else its own.
func (a *Attribution) inheritedPhase(u *unstructured.Unstructured, own ID) ID {
	uid := string(u.GetUID())
	if id, known := a.phases[uid]; known {
		return id
	}
	id := own
	for _, ref := range resource.Items(u.Object, "metadata", "ownerReferences") {
		if !handsDown(ref) {
			continue
		}
		if owner := a.ownerOf(u, ref); owner != nil {
			m := marksOf(u)
			m.labels = resource.Fields(owner.Object, "metadata", "labels")
			id = m.phase()
			a.phases[uid] = id // the owner may be gone when u goes
		}
	}
	return id
}

func (a *Attribution) ownerOf(u *unstructured.Unstructured, ref any) *unstructured.Unstructured {
	gk := schema.FromAPIVersionAndKind(resource.Text(ref, "apiVersion"), resource.Text(ref, "kind")).GroupKind()
	return a.lookup(resource.Addr{Group: gk.Group, Kind: gk.Kind, Namespace: u.GetNamespace(), Name: resource.Text(ref, "name")})
}

// inheritedCluster is the name of the cluster that an object belongs to through its
// owners.
func (a *Attribution) inheritedCluster(u *unstructured.Unstructured) string {
	uid := string(u.GetUID())
	if name, known := a.clusters[uid]; known {
		return name
	}
	name := ""
	for _, ref := range resource.Items(u.Object, "metadata", "ownerReferences") {
		if name = a.clusters[resource.Text(ref, "uid")]; name != "" {
			break
		}
		if owner := a.ownerOf(u, ref); owner != nil {
			if name, _ = Itself(owner); name == "" {
				name = a.inheritedCluster(owner)
			}
			if name != "" {
				break
			}
		}
	}
	a.clusters[uid] = name
	return name
}
