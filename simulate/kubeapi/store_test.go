package kubeapi_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

const capi = "cluster.x-k8s.io/v1beta2 "

func TestPutStampsNewObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.put(t, "core", capi+"Cluster team-a/c1", map[string]any{
		"metadata": map[string]any{"uid": "mine", "generation": int64(7), "creationTimestamp": nil},
		"spec":     map[string]any{"paused": false},
	})
	diff(t, "metadata", u.Object["metadata"], any(map[string]any{
		"name": "c1", "namespace": "team-a", "uid": "uid-2", "generation": int64(1),
		"creationTimestamp": "2026-01-01T00:00:00Z",
	}))
	if got := w.Get(clusterKey("c1")); got != u {
		t.Errorf("Get returns another object than Put")
	}
}

func TestGenerationCountsSpecChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(t, "core", capi+"Cluster team-a/c1", map[string]any{"spec": map[string]any{"n": int64(1)}})
	steps := []struct {
		name       string
		change     func(*unstructured.Unstructured)
		generation int64
		version    uint64
	}{
		{"nothing", func(*unstructured.Unstructured) {}, 1, 2},
		{"a label", func(u *unstructured.Unstructured) { u.SetLabels(map[string]string{"a": "b"}) }, 1, 3},
		{"the status", func(u *unstructured.Unstructured) { u.Object["status"] = map[string]any{"phase": "Provisioned"} }, 1, 4},
		{"the spec", func(u *unstructured.Unstructured) { u.Object["spec"] = map[string]any{"n": int64(2)} }, 2, 5},
		{"the spec removed", func(u *unstructured.Unstructured) { delete(u.Object, "spec") }, 3, 6},
		{"the status removed", func(u *unstructured.Unstructured) { delete(u.Object, "status") }, 3, 7},
		{"server fields only", func(u *unstructured.Unstructured) {
			u.SetGeneration(99)
			u.SetCreationTimestamp(u.GetCreationTimestamp())
			u.SetDeletionTimestamp(new(u.GetCreationTimestamp()))
		}, 3, 7},
	}
	for _, step := range steps {
		u := w.change(t, "core", clusterKey("c1"), step.change)
		if u.GetGeneration() != step.generation || w.Version() != step.version {
			t.Errorf("after %s: generation %d, version %d, want %d, %d", step.name, u.GetGeneration(), w.Version(), step.generation, step.version)
		}
	}
}

func TestPutSharesNothingWithItsPredecessor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.put(t, "core", capi+"Cluster team-a/c1", map[string]any{"spec": map[string]any{"n": int64(1)}})
	// A writer that copies only the top and what it changes.
	next := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"phase": "Pending"}}}
	for key, value := range first.Object {
		next.Object[key] = value
	}
	if _, err := w.Put("core", next); err != nil {
		t.Fatal(err)
	}
	if _, modified := first.Object["status"]; modified {
		t.Error("the stored predecessor was modified")
	}
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(t, "core", capi+"Cluster team-a/c1", nil)
	held := map[string]any{"metadata": map[string]any{"finalizers": []any{"a/b"}}}
	w.put(t, "core", capi+"Cluster team-a/dying", held)
	w.delete(t, clusterKey("dying"))
	w.put(t, "core", "v1 Namespace /closing", nil)
	w.delete(t, kubeapi.Key{Kind: "Namespace", Name: "closing"})
	stale := map[string]any{"metadata": map[string]any{"resourceVersion": "1"}}
	tests := []struct {
		name, id string
		content  map[string]any
		want     string
		is       func(error) bool
	}{
		{"a stale version", capi + "Cluster team-a/c1", stale, "the object has been modified", apierrors.IsConflict},
		{"a version of an object that is gone", capi + "Cluster team-a/c2", stale, "not found", apierrors.IsNotFound},
		{"the uid of another", capi + "Cluster team-a/c1", map[string]any{"metadata": map[string]any{"uid": "x"}}, "UID in precondition: x", apierrors.IsConflict},
		{"a new finalizer while deleting", capi + "Cluster team-a/dying", map[string]any{"metadata": map[string]any{"finalizers": []any{"a/b", "c/d"}}}, "no new finalizers", apierrors.IsInvalid},
		{"a namespace that is being deleted", capi + "Cluster closing/c1", nil, "because it is being terminated", apierrors.IsForbidden},
		{"an unknown kind", "v1 Pod team-a/p", nil, "kind Pod is not registered", nil},
		{"an unknown version", "cluster.x-k8s.io/v9 Cluster team-a/c1", nil, `no version "v9"`, nil},
		{"no namespace", capi + "Cluster /c1", nil, "cluster-scoped is false", nil},
		{"a Go int", capi + "Cluster team-a/c1", map[string]any{"spec": map[string]any{"list": []any{1}}}, ".spec.list[0] holds int", nil},
	}
	for _, test := range tests {
		before := w.Version()
		_, err := w.Put("core", object(test.id, test.content))
		switch {
		case err == nil:
			t.Errorf("%s: Put succeeds", test.name)
		case !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: error %q, want it to say %q", test.name, err, test.want)
		case test.is != nil && !test.is(err):
			t.Errorf("%s: error %q is of the wrong kind", test.name, err)
		}
		if w.Version() != before {
			t.Errorf("%s: something was written", test.name)
		}
	}
}

func TestReplaceKnowsWhatItReplaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.put(t, "core", capi+"Cluster team-a/c1", map[string]any{"spec": map[string]any{"n": int64(1)}})
	with := func(u *unstructured.Unstructured, phase string) *unstructured.Unstructured {
		u = &unstructured.Unstructured{Object: maps.Clone(u.Object)}
		u.Object["status"] = map[string]any{"phase": phase}
		return u
	}
	second, err := w.Replace("core", kubeapi.Place{}, first, with(first, "Pending"))
	if err != nil {
		t.Fatal(err)
	}
	if !resource.SameMap(resource.Fields(second.Object, "metadata"), resource.Fields(first.Object, "metadata")) {
		t.Error("metadata that nobody changed were copied")
	}
	if _, err := w.Replace("core", kubeapi.Place{}, first, with(first, "Failed")); !apierrors.IsConflict(err) {
		t.Errorf("replacing what is no more there: %v", err)
	}
	third, err := w.ReplaceStatus("core", kubeapi.Place{}, second, with(second, "Failed"))
	if err != nil || w.Get(clusterKey("c1")) != third || w.Version() != 4 {
		t.Errorf("another status is not what is there at version %d: %v", w.Version(), err)
	}
	if _, err := w.ReplaceStatus("core", kubeapi.Place{}, second, with(second, "Pending")); !apierrors.IsConflict(err) {
		t.Errorf("replacing the status of what is no more there: %v", err)
	}
	w.delete(t, clusterKey("c1"))
	if _, err := w.Replace("core", kubeapi.Place{}, third, with(third, "Pending")); !apierrors.IsNotFound(err) {
		t.Errorf("replacing what is gone: %v", err)
	}
	if _, err := w.ReplaceStatus("core", kubeapi.Place{}, third, with(third, "Pending")); !apierrors.IsNotFound(err) {
		t.Errorf("replacing the status of what is gone: %v", err)
	}
}

func TestAPlaceIsOfOneObject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var at kubeapi.Place
	w.Subscribe(func(c kubeapi.Change) { at = c.Place })
	first := w.put(t, "core", capi+"Cluster team-a/c1", nil)
	place := at
	with := func(u *unstructured.Unstructured, phase string) *unstructured.Unstructured {
		u = &unstructured.Unstructured{Object: maps.Clone(u.Object)}
		u.Object["status"] = map[string]any{"phase": phase}
		return u
	}
	second, err := w.Replace("core", place, first, with(first, "Pending"))
	if err != nil || at != place || w.Get(clusterKey("c1")) != second {
		t.Errorf("the object is not replaced where it is: %v", err)
	}
	if _, err := w.Replace("core", place, first, with(first, "Failed")); !apierrors.IsConflict(err) {
		t.Errorf("replacing what is no more at its place: %v", err)
	}
	w.delete(t, clusterKey("c1"))
	if _, err := w.ReplaceStatus("core", place, second, with(second, "Failed")); !apierrors.IsNotFound(err) {
		t.Errorf("replacing what is gone from its place: %v", err)
	}
	w.put(t, "core", capi+"Cluster team-a/c1", nil)
	if _, err := w.Replace("core", place, second, with(second, "Failed")); !apierrors.IsConflict(err) || at == place {
		t.Errorf("another object of the name is at the same place: %v", err)
	}
}

func TestDeleteWaitsForFinalizers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	log := follow(w)
	w.put(t, "core", capi+"Cluster team-a/c1", map[string]any{"metadata": map[string]any{"finalizers": []any{"a/b", "c/d"}}})
	w.delete(t, clusterKey("c1"))
	w.delete(t, clusterKey("c1"))
	u := w.Get(clusterKey("c1"))
	if u.GetDeletionTimestamp() == nil || u.GetGeneration() != 2 {
		t.Fatalf("marked object has deletionTimestamp %v, generation %d", u.GetDeletionTimestamp(), u.GetGeneration())
	}
	w.change(t, "core", clusterKey("c1"), func(u *unstructured.Unstructured) { u.SetFinalizers([]string{"c/d"}) })
	w.change(t, "core", clusterKey("c1"), func(u *unstructured.Unstructured) { u.SetFinalizers(nil) })
	if got := w.Get(clusterKey("c1")); got != nil {
		t.Errorf("still there: %v", got.Object)
	}
	if err := w.Delete("test", clusterKey("c1")); !apierrors.IsNotFound(err) {
		t.Errorf("deleting again: %v, want not found", err)
	}
	diff(t, "changes", log.take(), []string{
		"core creates Cluster c1", "test marks Cluster c1", "core updates Cluster c1", "core removes Cluster c1",
	})
}

func TestListByNamespaceAndLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"b/m2", "a/m1", "b/m1", "a/m3"} {
		cluster := "one"
		if name == "b/m1" {
			cluster = "two"
		}
		w.put(t, "core", capi+"Machine "+name, map[string]any{"metadata": map[string]any{
			"labels": map[string]any{"cluster.x-k8s.io/cluster-name": cluster, "name": name[2:]},
		}})
	}
	moved := kubeapi.Key{Group: "cluster.x-k8s.io", Kind: "Machine", Namespace: "a", Name: "m3"}
	w.change(t, "core", moved, func(u *unstructured.Unstructured) {
		u.SetLabels(map[string]string{"cluster.x-k8s.io/cluster-name": "two"})
	})
	tests := []struct {
		name, namespace string
		labels          map[string]string
		want            []string
	}{
		{"all", "", nil, []string{"Machine a/m1", "Machine a/m3", "Machine b/m1", "Machine b/m2"}},
		{"a namespace", "b", nil, []string{"Machine b/m1", "Machine b/m2"}},
		{"a cluster", "b", map[string]string{"cluster.x-k8s.io/cluster-name": "one"}, []string{"Machine b/m2"}},
		{"a cluster's name in all namespaces", "", map[string]string{"cluster.x-k8s.io/cluster-name": "two"}, []string{"Machine a/m3", "Machine b/m1"}},
		{"a label", "", map[string]string{"name": "m1"}, []string{"Machine a/m1", "Machine b/m1"}},
		{"a label and a cluster", "", map[string]string{"name": "m1", "cluster.x-k8s.io/cluster-name": "one"}, []string{"Machine a/m1"}},
		{"an unknown namespace", "c", nil, []string{}},
	}
	for _, test := range tests {
		diff(t, test.name, names(w.List(machineGK, test.namespace, test.labels)), test.want)
	}
	if got := w.List(schema.GroupKind{Kind: "Unknown"}, "", nil); got != nil {
		t.Errorf("an unknown kind has objects: %v", got)
	}
}

func ownedBy(owners ...*unstructured.Unstructured) map[string]any {
	var refs []any
	for _, o := range owners {
		refs = append(refs, map[string]any{"apiVersion": o.GetAPIVersion(), "kind": o.GetKind(), "name": o.GetName(), "uid": string(o.GetUID()), "blockOwnerDeletion": true})
	}
	return map[string]any{"metadata": map[string]any{"ownerReferences": refs}}
}

func TestGarbageCollection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.put(t, "core", capi+"Cluster team-a/one", nil)
	two := w.put(t, "core", capi+"Cluster team-a/two", nil)
	shared := w.put(t, "core", capi+"Machine team-a/shared", ownedBy(one, two))
	w.put(t, "core", capi+"Machine team-a/single", ownedBy(one))
	w.put(t, "core", "v1 Secret team-a/below", ownedBy(shared))
	held := ownedBy(one)
	held["metadata"].(map[string]any)["finalizers"] = []any{"a/b"}
	w.put(t, "core", capi+"Machine team-a/held", held)
	diff(t, "dependents of one", names(w.Dependents(string(one.GetUID()))),
		[]string{"Machine team-a/held", "Machine team-a/shared", "Machine team-a/single"})

	log := follow(w)
	w.delete(t, clusterKey("one"))
	w.clock.advance(49 * time.Millisecond)
	diff(t, "before the delay", log.take(), []string{"test removes Cluster one"})
	w.clock.advance(time.Second)
	diff(t, "after one is gone", log.take(), []string{"garbage-collector marks Machine held", "garbage-collector removes Machine single"})
	w.delete(t, clusterKey("two"))
	w.clock.advance(time.Second)
	diff(t, "after two is gone", log.take(), []string{
		"test removes Cluster two", "garbage-collector removes Machine shared", "garbage-collector removes Secret below",
	})
	w.put(t, "core", capi+"Machine team-a/late", ownedBy(one))
	w.clock.advance(time.Second)
	diff(t, "an object born without a living owner", log.take(), []string{"core creates Machine late", "garbage-collector removes Machine late"})
}

func TestNamespaceDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ns := kubeapi.Key{Kind: "Namespace", Name: "team-a"}
	w.put(t, "core", capi+"Cluster team-a/c1", map[string]any{"metadata": map[string]any{"finalizers": []any{"a/b"}}})
	w.put(t, "core", "v1 Secret team-a/s1", nil)
	log := follow(w)
	w.delete(t, ns)
	w.clock.advance(time.Second)
	diff(t, "in one pass", log.take(), []string{
		"test marks Namespace team-a", "namespace-controller removes Secret s1",
		"namespace-controller marks Cluster c1", "namespace-controller updates Namespace team-a",
	})
	conditions, _, _ := unstructured.NestedSlice(w.Get(ns).Object, "status", "conditions")
	var messages []string
	for _, c := range conditions {
		messages = append(messages, c.(map[string]any)["message"].(string))
	}
	diff(t, "what remains", messages, []string{
		"Some resources are remaining: clusters.cluster.x-k8s.io has 1 resource instances",
		"Some content in the namespace has finalizers remaining: a/b in 1 resource instances",
	})
	w.change(t, "core", clusterKey("c1"), func(u *unstructured.Unstructured) { u.SetFinalizers(nil) })
	w.clock.advance(time.Second)
	diff(t, "at the end", log.take(), []string{"core removes Cluster c1", "namespace-controller removes Namespace team-a"})
}

func TestRestoreContinuesADumpedWorld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.put(t, "core", capi+"Cluster team-a/one", nil)
	w.put(t, "core", capi+"Machine team-a/m", ownedBy(one))
	w.delete(t, clusterKey("one")) // and save before the garbage collector runs
	dump := w.Dump()

	again := &world{clock: newClock()}
	again.Store = kubeapi.New(kubeapi.Config{Kinds: []kubeapi.Kind{clusterKind, machineKind}, Clock: again.clock})
	if err := again.Restore(dump); err != nil {
		t.Fatal(err)
	}
	diff(t, "dump of the restored world", again.Dump(), dump)
	if got := again.Version(); got != 3 {
		t.Errorf("version is %d, want 3", got)
	}
	again.clock.advance(time.Second)
	diff(t, "after garbage collection", names(again.Dump()), []string{"Namespace /team-a"})
	if err := again.Restore(dump); err == nil {
		t.Error("restoring into a store with content succeeds")
	}
}

func TestRestoreRefusesDoubles(t *testing.T) {
	t.Parallel()
	twice := object("v1 ConfigMap a/b", nil)
	twin := func(name string) *unstructured.Unstructured {
		return object("v1 ConfigMap a/"+name, map[string]any{"metadata": map[string]any{"uid": "same"}})
	}
	for name, objects := range map[string][]*unstructured.Unstructured{
		"an object twice": {twice, twice},
		"a uid twice":     {twin("x"), twin("y")},
	} {
		if err := kubeapi.New(kubeapi.Config{}).Restore(objects); err == nil {
			t.Errorf("%s: Restore succeeds", name)
		}
	}
}

func TestPutInAnotherServedVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.put(t, "core", "cluster.x-k8s.io/v1beta1 Cluster team-a/c1", map[string]any{"spec": map[string]any{"paused": true}})
	if got := u.GetAPIVersion(); got != "cluster.x-k8s.io/v1beta2" {
		t.Errorf("stored as %s", got)
	}
	before := w.Version()
	w.put(t, "core", "cluster.x-k8s.io/v1beta1 Cluster team-a/c1", map[string]any{"spec": map[string]any{"paused": true}})
	if w.Version() != before {
		t.Errorf("the same in another version is a write")
	}
}
