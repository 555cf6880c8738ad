package supervisor

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// stripped drops what nobody compares: the fields that others manage, but for who
// holds those of a Cluster's spec, and what kubectl keeps for itself. The object is
// changed in place, its parts are not: another version may have them too.
func stripped(u *unstructured.Unstructured) resource.Object {
	metadata, _ := u.Object["metadata"].(map[string]any)
	kind := u.GetKind()
	idle := func(entry any) bool { return !compared(kind, entry) }
	if entries := resource.Items(metadata, managedFields); slices.ContainsFunc(entries, idle) {
		entries = slices.DeleteFunc(slices.Clone(entries), idle)
		if metadata[managedFields] = entries; len(entries) == 0 {
			delete(metadata, managedFields)
		}
	}
	if annotations := resource.Fields(metadata, "annotations"); annotations[lastApplied] != nil {
		annotations = maps.Clone(annotations)
		delete(annotations, lastApplied)
		metadata["annotations"] = annotations
	}
	return resource.Object{Unstructured: u}
}

const (
	managedFields = "managedFields"
	lastApplied   = "kubectl.kubernetes.io/last-applied-configuration"
)

// compared says whether an entry of managedFields is kept: vksync's own, and those
// that say who changed a Cluster's spec. What controllers write into the status is
// most of what others hold.
func compared(kind string, entry any) bool {
	if resource.Text(entry, "manager") == resource.FieldManager {
		return true
	}
	return kind == resource.KindCluster && resource.Text(entry, "subresource") == "" &&
		len(resource.Fields(entry, "fieldsV1", "f:spec")) > 0
}
