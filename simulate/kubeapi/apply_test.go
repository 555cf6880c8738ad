package kubeapi_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// topology is an applied Cluster with a version, variables and worker pools.
func topology(version string, variables map[string]any, pools ...string) *unstructured.Unstructured {
	var list, deployments []any
	for _, name := range slices.Sorted(keys(variables)) {
		list = append(list, map[string]any{"name": name, "value": variables[name]})
	}
	for _, name := range pools {
		deployments = append(deployments, map[string]any{"name": name, "class": "node-pool", "replicas": int64(3)})
	}
	t := map[string]any{}
	if version != "" {
		t["version"] = version
	}
	if list != nil {
		t["variables"] = list
	}
	if deployments != nil {
		t["workers"] = map[string]any{"machineDeployments": deployments}
	}
	return object(capi+"Cluster team-a/c1", map[string]any{"spec": map[string]any{"topology": t}})
}

func keys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func apply(t *testing.T, client *dynamic.DynamicClient, manager string, force bool, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	t.Helper()
	return client.Resource(clusters).Namespace(u.GetNamespace()).Apply(t.Context(), u.GetName(), u,
		metav1.ApplyOptions{FieldManager: manager, Force: force})
}

func mustApply(t *testing.T, client *dynamic.DynamicClient, manager string, u *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	out, err := apply(t, client, manager, false, u)
	if err != nil {
		t.Fatalf("apply by %s: %v", manager, err)
	}
	return out
}

func managersOf(u *unstructured.Unstructured) []string {
	var out []string
	for _, m := range u.GetManagedFields() {
		out = append(out, m.Manager+" "+string(m.Operation)+" "+m.Subresource+" "+m.Time.UTC().Format(time.TimeOnly))
	}
	return out
}

func TestApplyCreatesAndRecordsManagers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := dynamicClient(t, w)
	w.clock.advance(time.Minute)
	u := mustApply(t, client, "vksync", topology("v1.33.3", map[string]any{"vmClass": "small"}, "np-1"))
	diff(t, "managers", managersOf(u), []string{"vksync Apply  00:01:00"})
	diff(t, "fields", string(u.GetManagedFields()[0].FieldsV1.GetRawBytes()),
		`{"f:spec":{"f:topology":{"f:variables":{"k:{\"name\":\"vmClass\"}":{".":{},"f:name":{},"f:value":{}}},`+
			`"f:version":{},"f:workers":{"f:machineDeployments":{"k:{\"name\":\"np-1\"}":{".":{},"f:class":{},"f:name":{},"f:replicas":{}}}}}}}`)
	if u.GetGeneration() != 1 || u.GetUID() == "" {
		t.Errorf("generation %d, uid %q", u.GetGeneration(), u.GetUID())
	}

	w.clock.advance(time.Minute)
	before := w.Version()
	again := mustApply(t, client, "vksync", topology("v1.33.3", map[string]any{"vmClass": "small"}, "np-1"))
	diff(t, "applying the same again", again.Object, u.Object)
	if w.Version() != before {
		t.Error("applying the same again is a write")
	}
	changed := mustApply(t, client, "vksync", topology("v1.34.1", map[string]any{"vmClass": "small"}, "np-1"))
	diff(t, "managers after a change", managersOf(changed), []string{"vksync Apply  00:02:00"})
	if changed.GetGeneration() != 2 {
		t.Errorf("generation %d after a change, want 2", changed.GetGeneration())
	}
}

func TestApplyMergesListsByKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := dynamicClient(t, w)
	mustApply(t, client, "vksync", topology("v1.33.3", map[string]any{"vmClass": "small", "gone": "soon"}, "np-1", "np-2"))
	u := mustApply(t, client, "other", topology("", map[string]any{"extra": true}, "np-3"))
	pools := func(u *unstructured.Unstructured) (out []string) {
		list, _, _ := unstructured.NestedSlice(u.Object, "spec", "topology", "workers", "machineDeployments")
		for _, p := range list {
			out = append(out, p.(map[string]any)["name"].(string))
		}
		return out
	}
	diff(t, "pools of two managers", pools(u), []string{"np-1", "np-2", "np-3"})
	u = mustApply(t, client, "vksync", topology("v1.33.3", map[string]any{"vmClass": "small"}, "np-2"))
	diff(t, "pools after one manager drops its own", pools(u), []string{"np-2", "np-3"})
}

func TestApplyConflicts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := dynamicClient(t, w)
	mustApply(t, client, "vksync", topology("v1.33.3", nil, "np-1"))
	_, err := apply(t, client, "helm", false, topology("v1.34.1", nil))
	if !apierrors.IsConflict(err) {
		t.Fatalf("apply of another value: %v, want a conflict", err)
	}
	diff(t, "message", err.Error(), `Apply failed with 1 conflict: conflict with "vksync": .spec.topology.version`)
	cause, found := apierrors.StatusCause(err, metav1.CauseTypeFieldManagerConflict)
	diff(t, "cause", cause, metav1.StatusCause{Type: "FieldManagerConflict", Message: `conflict with "vksync"`, Field: ".spec.topology.version"})
	if !found {
		t.Error("no cause")
	}
	u, err := apply(t, client, "helm", true, topology("v1.34.1", nil))
	if err != nil {
		t.Fatalf("forced: %v", err)
	}
	diff(t, "managers", managersOf(u), []string{"helm Apply  00:00:00", "vksync Apply  00:00:00"})
	_, err = apply(t, client, "vksync", false, topology("v1.33.3", nil, "np-1"))
	if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `"helm"`) {
		t.Errorf("the former owner: %v, want a conflict with helm", err)
	}
}

func TestControllersTakeOverWhatTheyWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := dynamicClient(t, w)
	mustApply(t, client, "vksync", topology("v1.33.3", nil, "np-1"))
	w.clock.advance(time.Minute)
	w.change(t, "topology", clusterKey("c1"), func(u *unstructured.Unstructured) {
		u.Object["status"] = map[string]any{"phase": "Provisioned"}
	})
	diff(t, "managers after a status", managersOf(w.Get(clusterKey("c1"))), []string{"vksync Apply  00:00:00"})
	w.change(t, "topology", clusterKey("c1"), func(u *unstructured.Unstructured) {
		u.SetFinalizers([]string{"cluster.cluster.x-k8s.io"})
		if err := unstructured.SetNestedField(u.Object, "v1.34.1", "spec", "topology", "version"); err != nil {
			t.Fatal(err)
		}
	})
	u := w.Get(clusterKey("c1"))
	diff(t, "managers", managersOf(u), []string{"vksync Apply  00:00:00", "topology Update  00:01:00"})
	diff(t, "what the controller owns", string(u.GetManagedFields()[1].FieldsV1.GetRawBytes()),
		`{"f:metadata":{"f:finalizers":{".":{},"v:\"cluster.cluster.x-k8s.io\"":{}}},"f:spec":{"f:topology":{"f:version":{}}}}`)
	_, err := apply(t, client, "vksync", false, topology("v1.33.3", nil, "np-1"))
	if !apierrors.IsConflict(err) {
		t.Fatalf("applying another value than the controller's: %v, want a conflict", err)
	}
	diff(t, "message", err.Error(),
		`Apply failed with 1 conflict: conflict with "topology" using cluster.x-k8s.io/v1beta2: .spec.topology.version`)
	mustApply(t, client, "vksync", topology("v1.34.1", nil, "np-1"))
	if got := w.Get(clusterKey("c1")).GetFinalizers(); !slices.Equal(got, []string{"cluster.cluster.x-k8s.io"}) {
		t.Errorf("finalizers are %v after an apply that names none", got)
	}
}

func TestApplyInAnotherVersion(t *testing.T) {
	t.Parallel()
	// In v1beta1 the class is a string, in v1beta2 a reference.
	convert := func(u *unstructured.Unstructured, version string) *unstructured.Unstructured {
		u = u.DeepCopy()
		u.SetAPIVersion("cluster.x-k8s.io/" + version)
		path := []string{"spec", "topology"}
		if version == "v1beta1" {
			if name, ok, _ := unstructured.NestedString(u.Object, append(path, "classRef", "name")...); ok {
				unstructured.RemoveNestedField(u.Object, append(path, "classRef")...)
				_ = unstructured.SetNestedField(u.Object, name, append(path, "class")...)
			}
			return u
		}
		if name, ok, _ := unstructured.NestedString(u.Object, append(path, "class")...); ok {
			unstructured.RemoveNestedField(u.Object, append(path, "class")...)
			_ = unstructured.SetNestedField(u.Object, name, append(path, "classRef", "name")...)
		}
		return u
	}
	w := newWorld(t, func(c *kubeapi.Config) { c.Convert = convert })
	client := dynamicClient(t, w)
	old := schema.GroupVersionResource{Group: clusters.Group, Version: "v1beta1", Resource: "clusters"}
	u := object("cluster.x-k8s.io/v1beta1 Cluster team-a/c1", map[string]any{
		"spec": map[string]any{"topology": map[string]any{"class": "builtin", "version": "v1.33.3"}},
	})
	out, err := client.Resource(old).Namespace("team-a").Apply(t.Context(), "c1", u, metav1.ApplyOptions{FieldManager: "vksync"})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "answer in v1beta1", out.Object["spec"], u.Object["spec"])
	diff(t, "stored in v1beta2", w.Get(clusterKey("c1")).Object["spec"], any(map[string]any{
		"topology": map[string]any{"classRef": map[string]any{"name": "builtin"}, "version": "v1.33.3"},
	}))
	newer := object(capi+"Cluster team-a/c1", map[string]any{
		"spec": map[string]any{"topology": map[string]any{"classRef": map[string]any{"name": "other"}}},
	})
	_, err = apply(t, client, "helm", false, newer)
	// As on an API server, the field is named as the other manager knows it.
	if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `conflict with "vksync": .spec.topology.class`) {
		t.Errorf("apply of another class in the newer version: %v, want a conflict", err)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	t.Parallel()
	admitted := 0
	w := newWorld(t, func(c *kubeapi.Config) {
		c.Admit = func(r kubeapi.Request) error {
			admitted++
			if r.Object == nil || !r.DryRun {
				return nil
			}
			return unstructured.SetNestedField(r.Object.Object, "defaulted", "spec", "topology", "class")
		}
	})
	client := dynamicClient(t, w)
	dry := metav1.ApplyOptions{FieldManager: "vksync", DryRun: []string{metav1.DryRunAll}}
	before := w.Version()
	u, err := client.Resource(clusters).Namespace("team-a").Apply(t.Context(), "c1", topology("v1.33.3", nil), dry)
	if err != nil {
		t.Fatal(err)
	}
	if class, _, _ := unstructured.NestedString(u.Object, "spec", "topology", "class"); class != "defaulted" {
		t.Errorf("admission did not run: class %q", class)
	}
	if w.Version() != before || w.Get(clusterKey("c1")) != nil {
		t.Error("a dry-run creation is written")
	}
	mustApply(t, client, "vksync", topology("v1.33.3", nil))
	before = w.Version()
	u, err = client.Resource(clusters).Namespace("team-a").Apply(t.Context(), "c1", topology("v1.34.1", nil), dry)
	if err != nil {
		t.Fatal(err)
	}
	if version, _, _ := unstructured.NestedString(u.Object, "spec", "topology", "version"); version != "v1.34.1" || u.GetGeneration() != 2 {
		t.Errorf("dry-run update answers version %q, generation %d", version, u.GetGeneration())
	}
	err = client.Resource(clusters).Namespace("team-a").Delete(t.Context(), "c1", metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		t.Fatal(err)
	}
	if w.Version() != before || w.Get(clusterKey("c1")) == nil {
		t.Error("a dry-run update or delete is written")
	}
	if admitted != 4 {
		t.Errorf("admission ran %d times, want 4", admitted)
	}
}

func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *kubeapi.Config) {
		c.Admit = func(r kubeapi.Request) error {
			if r.Object != nil && r.Object.GetLabels()["bad"] != "" {
				return apierrors.NewInvalid(clusterGK, r.Object.GetName(), nil)
			}
			return nil
		}
	})
	client := dynamicClient(t, w)
	labelled := topology("v1", nil)
	labelled.SetLabels(map[string]string{"bad": "yes"})
	elsewhere := topology("v1", nil)
	elsewhere.SetNamespace("unknown")
	renamed := topology("v1", nil)
	renamed.SetName("Not_A_Name")
	twice := topology("v1", nil, "np-1", "np-1")
	withUID := topology("v1", nil)
	withUID.SetUID("x")
	tests := []struct {
		name    string
		u       *unstructured.Unstructured
		manager string
		is      func(error) bool
		want    string
	}{
		{"no field manager", topology("v1", nil), "", apierrors.IsInvalid, "fieldManager: Required value: is required for apply patch"},
		{"what admission refuses", labelled, "m", apierrors.IsInvalid, "is invalid"},
		{"an unknown namespace", elsewhere, "m", apierrors.IsNotFound, `namespaces "unknown" not found`},
		{"a bad name", renamed, "m", apierrors.IsInvalid, "metadata.name"},
		{"a key twice", twice, "m", nil, "duplicate entries"},
		{"a uid that does not exist", withUID, "m", apierrors.IsConflict, "uid mismatch"},
	}
	for _, test := range tests {
		before := w.Version()
		_, err := apply(t, client, test.manager, false, test.u)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		} else if test.is != nil && !test.is(err) {
			t.Errorf("%s: wrong reason: %#v", test.name, err)
		}
		if w.Version() != before {
			t.Errorf("%s: something was written", test.name)
		}
	}
}
