package supervisor

import (
	"errors"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
)

var kindSecret = schema.GroupKind{Kind: "Secret"}

// What Slim keeps, by where it is.
var (
	keptMetadata = []string{
		"namespace", "name", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
		"labels", "ownerReferences", "finalizers",
	}
	keptStatus = []string{"conditions", "phase", "replicas", "readyReplicas", "availableReplicas", "upToDateReplicas"}
)

// Slim is what resource.Diff looks at of an object, and who wrote it when:
// managers without their fields. Of an Event it is also what it says, of a
// VirtualMachine by which name vCenter knows it, and of a Service, a SubnetSet and a
// SubnetPort which addresses it has. It shares content with u. Everything else is
// left out, be it large or secret.
func Slim(u *unstructured.Unstructured) *unstructured.Unstructured {
	out := map[string]any{"apiVersion": u.GetAPIVersion(), "kind": u.GetKind()}
	was := resource.Fields(u.Object, "metadata")
	metadata := picked(was, keptMetadata)
	if managers := withoutFields(resource.Items(was, managedFields)); managers != nil {
		metadata[managedFields] = managers
	}
	out["metadata"] = metadata
	if replicas, there := resource.Fields(u.Object, "spec")["replicas"]; there {
		out["spec"] = map[string]any{"replicas": replicas}
	}
	if status := picked(resource.Fields(u.Object, "status"), keptStatus); len(status) > 0 {
		out["status"] = status
	}
	switch u.GetKind() {
	case "Event":
		for _, name := range []string{"involvedObject", "type", "reason", "message"} {
			if value, there := u.Object[name]; there {
				out[name] = value
			}
		}
	case "VirtualMachine":
		if id := resource.Text(u.Object, "status", "uniqueID"); id != "" { // in vCenter
			resource.SetField(out, id, "status", "uniqueID")
		}
	}
	if path := addressPath[u.GetKind()]; path != nil {
		if addresses := resource.Field(u.Object, path...); addresses != nil {
			resource.SetField(out, addresses, path...)
		}
	}
	return &unstructured.Unstructured{Object: out}
}

// addressPath is where an object of a kind says which addresses it has.
var addressPath = map[string][]string{
	"Service":    {"status", "loadBalancer", "ingress"},
	"SubnetSet":  {"status", "subnets"},
	"SubnetPort": {"status", "networkInterfaceConfig", "ipAddresses"},
}

func picked(from map[string]any, names []string) map[string]any {
	out := make(map[string]any, len(names))
	for _, name := range names {
		if value, there := from[name]; there {
			out[name] = value
		}
	}
	return out
}

func withoutFields(entries []any) []any {
	var out []any
	for _, entry := range entries {
		fields, ok := entry.(map[string]any)
		if ok {
			out = append(out, picked(fields, []string{"manager", "operation", "time", "subresource"}))
		}
	}
	return out
}

// slim is what a reflector hands over, as it is kept.
func (f *following) slim(obj any) (*unstructured.Unstructured, error) {
	switch o := obj.(type) {
	case *unstructured.Unstructured:
		return f.follower.slim(o), nil
	case *metav1.PartialObjectMetadata:
		return ofMetadata(f.kind, o), nil
	}
	return nil, errNotAnObject
}

// ofMetadata is an object of which only the metadata was read.
func ofMetadata(gk schema.GroupKind, o *metav1.PartialObjectMetadata) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": gk.WithVersion("v1").GroupVersion().String(), "kind": gk.Kind}}
	u.SetNamespace(o.Namespace)
	u.SetName(o.Name)
	u.SetUID(o.UID)
	u.SetResourceVersion(o.ResourceVersion)
	u.SetCreationTimestamp(o.CreationTimestamp)
	u.SetDeletionTimestamp(o.DeletionTimestamp)
	u.SetLabels(o.Labels)
	u.SetOwnerReferences(o.OwnerReferences)
	u.SetFinalizers(o.Finalizers)
	return u
}

func keyOf(u *unstructured.Unstructured) string { return u.GetNamespace() + "/" + u.GetName() }

func sortedKeys(m map[string]*unstructured.Unstructured) []string {
	return slices.Sorted(maps.Keys(m))
}

// reasonOf is the text of an error without what was attempted.
func reasonOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}
