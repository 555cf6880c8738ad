package supervisor

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// stripped drops what nobody compares: the fields that others manage, but for who
// holds those of a Cluster's spec, and what kubectl keeps for itself. The object is
// changed in place. It shares what it can with the version before, which may be nil.
func stripped(u, before *unstructured.Unstructured) resource.Object {
	metadata, _ := u.Object["metadata"].(map[string]any)
	if entries := resource.Items(metadata, managedFields); entries != nil {
		var known []any
		if before != nil {
			known = resource.Items(before.Object, "metadata", managedFields)
		}
		delete(metadata, managedFields)
		if kept := keptEntries(u.GetKind(), entries, known); kept != nil {
			metadata[managedFields] = kept
		}
	}
	if annotations := resource.Fields(metadata, "annotations"); annotations[lastApplied] != nil {
		annotations = maps.Clone(annotations) // which another version may have too
		delete(annotations, lastApplied)
		metadata["annotations"] = annotations
	}
	return resource.Object{Unstructured: u}
}

const (
	managedFields = "managedFields"
	lastApplied   = "kubectl.kubernetes.io/last-applied-configuration"
)

// keptEntries are vksync's own, and what other managers hold of a Cluster's spec, to
// say who changed it. Controllers hold few fields there, and what they write into the
// status is most of it all.
func keptEntries(kind string, entries, known []any) []any {
	var kept []any
	for _, entry := range entries {
		spec := resource.Fields(entry, "fieldsV1", "f:spec")
		switch {
		case resource.Text(entry, "manager") == resource.FieldManager:
			kept = append(kept, entry)
		case kind == resource.KindCluster && len(spec) > 0 && resource.Text(entry, "subresource") == "":
			kept = append(kept, entryOf(spec, entry, known))
		}
	}
	return kept
}

// told is what is kept of an entry besides the fields.
var told = []string{"manager", "operation", "apiVersion", "time"}

// entryOf is an entry with nothing but the fields of the spec. One that is known is
// not made again.
func entryOf(spec map[string]any, entry any, known []any) any {
	i := slices.IndexFunc(known, func(was any) bool {
		differs := func(name string) bool { return resource.Text(was, name) != resource.Text(entry, name) }
		return resource.SameMap(resource.Fields(was, "fieldsV1", "f:spec"), spec) && !slices.ContainsFunc(told, differs)
	})
	if i >= 0 {
		return known[i]
	}
	out := map[string]any{"fieldsV1": map[string]any{"f:spec": spec}}
	for _, name := range told {
		out[name] = resource.Text(entry, name)
	}
	return out
}
