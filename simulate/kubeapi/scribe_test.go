package kubeapi_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A watch shows each version as it is, whatever it shares in memory with the one
// before: nothing, all but what changed, or a list that goes on where another ended.
func TestWatchShowsVersionsThatShareTheirParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, err := w.Put("core", machine(1))
	if err != nil {
		t.Fatal(err)
	}
	watch := open(t, dynamicClient(t, w).Resource(machines), metav1.ListOptions{})
	<-watch.ResultChan()

	conditions := func(u *unstructured.Unstructured) []any {
		return u.Object["status"].(map[string]any)["conditions"].([]any)
	}
	withStatus := func(key string, value any) func(*unstructured.Unstructured) {
		return func(u *unstructured.Unstructured) {
			status := maps.Clone(u.Object["status"].(map[string]any))
			status[key] = value
			u.Object["status"] = status
		}
	}
	steps := []func(u *unstructured.Unstructured){
		withStatus("phase", "Deleting"),
		func(u *unstructured.Unstructured) { withStatus("conditions", conditions(u)[:5])(u) },
		func(u *unstructured.Unstructured) { withStatus("conditions", conditions(u)[:2])(u) },
		func(u *unstructured.Unstructured) {
			list := slices.Clone(conditions(u))
			slices.Reverse(list)
			withStatus("conditions", append(list, list[0]))(u)
		},
		func(u *unstructured.Unstructured) { u.Object = u.DeepCopy().Object; withStatus("phase", "Gone")(u) },
		withStatus("conditions", []any{}),
		func(u *unstructured.Unstructured) {
			u.Object["metadata"] = maps.Clone(u.Object["metadata"].(map[string]any))
			u.SetLabels(map[string]string{"another": "label"})
		},
		withStatus("phase", "Labelled"),
		func(u *unstructured.Unstructured) { u.Object["spec"] = u.Object["status"] },
		func(u *unstructured.Unstructured) { delete(u.Object, "status") },
	}
	for i, step := range steps {
		next := &unstructured.Unstructured{Object: maps.Clone(u.Object)}
		step(next)
		if u, err = w.Put("core", next); err != nil {
			t.Fatal(err)
		}
		seen := (<-watch.ResultChan()).Object.(*unstructured.Unstructured)
		diff(t, fmt.Sprint("version at step ", i), seen.GetResourceVersion(), fmt.Sprint(w.Version()))
		seen.SetResourceVersion("")
		diff(t, fmt.Sprint("step ", i), seen.Object, u.Object)
	}
}
