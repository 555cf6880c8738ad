package kubeapi_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// What goes over to whom is found out for the first of several clusters and taken over
// for the others: those must be owned as they are where they are alone.
func TestClustersThatAreChangedAlikeAreOwnedAlike(t *testing.T) {
	t.Parallel()
	set := func(value any, path ...string) func(*unstructured.Unstructured) {
		return func(u *unstructured.Unstructured) { resource.SetField(u.Object, value, path...) }
	}
	pool := func(name string) map[string]any { return map[string]any{"name": name, "class": "node-pool"} }
	owner := func(u *unstructured.Unstructured) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "Secret", "name": u.GetName(), "uid": "owner-of-" + u.GetName()}
	}
	changes := []func(*unstructured.Unstructured){
		set([]any{"a/b"}, "metadata", "finalizers"),
		set([]any{"a/b", "c/d"}, "metadata", "finalizers"),
		set([]any{"c/d"}, "metadata", "finalizers"),
		set("x", "metadata", "labels", "one"),
		set(map[string]any{"one": "y", "two": "z"}, "metadata", "labels"),
		set(map[string]any{}, "metadata", "labels"),
		set(map[string]any{"host": "h", "port": int64(6443)}, "spec", "controlPlaneEndpoint"),
		set(nil, "spec", "controlPlaneEndpoint"),
		set("v1.34.1", "spec", "topology", "version"),
		set([]any{pool("np-2"), pool("np-1")}, "spec", "topology", "workers", "machineDeployments"),
		set([]any{map[string]any{"any": "list"}}, "spec", "lists"),
		func(u *unstructured.Unstructured) { set([]any{owner(u)}, "metadata", "ownerReferences")(u) },
		func(u *unstructured.Unstructured) { delete(u.Object["spec"].(map[string]any), "topology") },
	}
	all := []string{"c1", "c2", "c3"}
	managers := func(clusters ...string) map[string][]metav1.ManagedFieldsEntry {
		w := newWorld(t)
		client := dynamicClient(t, w)
		for _, name := range clusters {
			u := topology("v1.33.3", nil, "np-1")
			u.SetName(name)
			mustApply(t, client, "vksync", u)
		}
		out := map[string][]metav1.ManagedFieldsEntry{}
		for i, change := range changes {
			for _, name := range all {
				w.clock.advance(time.Duration(i%3) * time.Second)
				if slices.Contains(clusters, name) {
					u := w.change(t, fmt.Sprint("controller-", i%4), clusterKey(name), change)
					out[fmt.Sprint("managers of ", name, " after change ", i)] = u.GetManagedFields()
				}
			}
		}
		return out
	}
	together := managers(all...)
	for _, name := range all {
		for what, want := range managers(name) {
			diff(t, what, together[what], want)
		}
	}
}
