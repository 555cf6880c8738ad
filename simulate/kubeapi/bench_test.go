package kubeapi_test

import (
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// machine is an object of about 3 KB of JSON, as a Machine is.
func machine(i int) *unstructured.Unstructured {
	var conditions []any
	// In a fleet that is made at once, a few machines reach a state in the same second.
	since := fmt.Sprintf("2026-01-01T%02d:%02d:%02dZ", i/8/3600, i/8/60%60, i/8%60)
	for n := range 8 {
		conditions = append(conditions, map[string]any{
			"type": fmt.Sprintf("Condition%d", n), "status": "True", "reason": "AllIsWell", "observedGeneration": int64(1),
			"lastTransitionTime": since, "message": strings.Repeat("a message ", 12),
		})
	}
	cluster := fmt.Sprintf("cluster-%d", i/8)
	return object(fmt.Sprintf("%sMachine team-a/%s-machine-%d", capi, cluster, i), map[string]any{
		"metadata": map[string]any{
			"labels":      map[string]any{"cluster.x-k8s.io/cluster-name": cluster, "topology.cluster.x-k8s.io/owned": ""},
			"annotations": map[string]any{"cluster.x-k8s.io/cloned-from-name": cluster + "-template"},
			"finalizers":  []any{"machine.cluster.x-k8s.io"},
			"ownerReferences": []any{map[string]any{
				"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "name": cluster, "uid": cluster, "controller": true,
			}},
		},
		"spec": map[string]any{
			"clusterName": cluster, "version": "v1.33.3", "bootstrap": map[string]any{"dataSecretName": cluster + "-bootstrap"},
			"infrastructureRef": map[string]any{"kind": "VSphereMachine", "name": cluster, "apiGroup": "infrastructure.cluster.x-k8s.io"},
		},
		"status": map[string]any{"phase": "Running", "conditions": conditions},
	})
}

// touched is u with another status, made as controllers do: only what changes is copied.
func touched(u *unstructured.Unstructured, phase string) *unstructured.Unstructured {
	u = &unstructured.Unstructured{Object: maps.Clone(u.Object)}
	status := maps.Clone(u.Object["status"].(map[string]any))
	status["phase"] = phase
	u.Object["status"] = status
	return u
}

func BenchmarkPut(b *testing.B) {
	const fleet = 80_000
	fill := func(b *testing.B) (*world, []*unstructured.Unstructured) {
		w := newWorld(b)
		objects := make([]*unstructured.Unstructured, fleet)
		for i := range objects {
			u, err := w.Put("core", machine(i))
			if err != nil {
				b.Fatal(err)
			}
			objects[i] = u
		}
		return w, objects
	}
	update := func(b *testing.B, next func(*unstructured.Unstructured, string) *unstructured.Unstructured) {
		w, objects := fill(b)
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			u, err := w.Put("core", next(objects[i%fleet], fmt.Sprint("phase-", i)))
			if err != nil {
				b.Fatal(err)
			}
			objects[i%fleet] = u
			i++
		}
	}
	b.Run("update of the status", func(b *testing.B) { update(b, touched) })
	b.Run("update of a deep copy", func(b *testing.B) {
		update(b, func(u *unstructured.Unstructured, phase string) *unstructured.Unstructured {
			return touched(u.DeepCopy(), phase)
		})
	})
	b.Run("no change", func(b *testing.B) {
		update(b, func(u *unstructured.Unstructured, _ string) *unstructured.Unstructured { return u.DeepCopy() })
	})
	b.Run("create", func(b *testing.B) {
		w := newWorld(b)
		i := 0
		for b.Loop() {
			if _, err := w.Put("core", machine(i)); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
	b.Run("list a cluster", func(b *testing.B) {
		w, _ := fill(b)
		labels := map[string]string{"cluster.x-k8s.io/cluster-name": "cluster-77"}
		for b.Loop() {
			if got := len(w.List(machineGK, "team-a", labels)); got != 8 {
				b.Fatal(got)
			}
		}
	})
	b.Run("applied by another", func(b *testing.B) {
		w := newWorld(b)
		client := dynamicClient(b, w)
		_, err := client.Resource(clusters).Namespace("team-a").Apply(b.Context(), "c1", topology("v1.33.3", nil, "np-1"), metav1.ApplyOptions{FieldManager: "vksync"})
		if err != nil {
			b.Fatal(err)
		}
		i := 0
		for b.Loop() {
			w.change(b, "core", clusterKey("c1"), label(fmt.Sprint(i)))
			i++
		}
	})
	b.Run("memory of 80,000", func(b *testing.B) {
		for b.Loop() {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			w, _ := fill(b)
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
			runtime.KeepAlive(w)
		}
	})
}

// BenchmarkWatch is a change and its way to a client that decodes it.
func BenchmarkWatch(b *testing.B) {
	w := newWorld(b)
	client := dynamicClient(b, w)
	u, err := w.Put("core", machine(0))
	if err != nil {
		b.Fatal(err)
	}
	watch, err := client.Resource(machines).Watch(b.Context(), metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		b.Fatal(err)
	}
	defer watch.Stop()
	<-watch.ResultChan()
	const batch = 100
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for range batch {
			n++
			if u, err = w.Put("core", touched(u, fmt.Sprint(n))); err != nil {
				b.Fatal(err)
			}
		}
		for range batch {
			<-watch.ResultChan()
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkApply is a server-side apply that changes something.
func BenchmarkApply(b *testing.B) {
	w := newWorld(b)
	api := dynamicClient(b, w).Resource(clusters).Namespace("team-a")
	i := 0
	for b.Loop() {
		u := topology(fmt.Sprintf("v1.33.%d", i), map[string]any{"vmClass": "small"}, "np-1", "np-2")
		if _, err := api.Apply(b.Context(), "c1", u, metav1.ApplyOptions{FieldManager: "vksync"}); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

var _ kubeapi.Clock = (*clock)(nil)
