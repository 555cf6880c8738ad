package plan

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// Observed is what exists, as far as it could be read.
type Observed struct {
	// Live has every Cluster and VSphereNamespace, and of the kinds in Reads
	// whatever could be listed. Clusters may be in any served version.
	Live resource.Set
	// Predicted is what the API server answered to a dry run of the desired
	// object, for those that NeedsDryRun named.
	Predicted map[resource.Addr]resource.Object
	// Same are the desired Clusters that NeedsDryRun found to be as desired. Make
	// does not compare them again; without it, it compares all.
	Same map[resource.Addr]bool
	// Reclaimed has those of which the dry run took back fields that others own now
	// and vksync had applied.
	Reclaimed map[resource.Addr]bool
	// Refused is the API server's text where it refused a dry run.
	Refused map[resource.Addr]string
	// Unread lists what could not be read. A kind that is not in it and has no
	// object in Live has none.
	Unread []Unread
}

// Unread is a kind of resource that could not be read.
type Unread struct {
	Kind string `json:"kind"`
	// Reason is what a user reads: "forbidden to list zones.topology.tanzu.vmware.com".
	Reason string `json:"reason"`
}

// lasting is what is kept with a plan, to be saved or rehearsed: what exists of the
// kinds that it can be about. The machines of a fleet would be most of it all.
func (o *Observed) lasting() *Observed {
	kept := *o
	kept.Live, kept.Predicted = resource.Set{}, make(map[resource.Addr]resource.Object, len(o.Predicted))
	for addr, live := range o.Live.All() {
		switch addr.Kind {
		case resource.KindCluster:
			kept.Live.Put(asked(live))
		case resource.KindVSphereNamespace, "Namespace":
			kept.Live.Put(live)
		}
	}
	for addr, predicted := range o.Predicted {
		kept.Predicted[addr] = asked(predicted)
	}
	return &kept
}

// asked is an object without what only servers write: its status, and who manages
// its fields.
func asked(o resource.Object) resource.Object {
	content, metadata := maps.Clone(o.Object), maps.Clone(resource.Fields(o.Object, "metadata"))
	delete(content, "status")
	delete(metadata, "managedFields")
	content["metadata"] = metadata
	o.Unstructured = &unstructured.Unstructured{Object: content}
	return o
}
