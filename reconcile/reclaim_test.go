package reconcile

import (
	"testing"

	"github.com/vksync/vksync/reconcile/resource"
)

func TestWhatVksyncAppliedIsTakenBack(t *testing.T) {
	t.Parallel()
	cluster := resource.NewObject(map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": map[string]any{"namespace": "team-a", "name": "prod", "annotations": map[string]any{"wiki.example/token": "x", "wiki": "y"}},
		"spec": map[string]any{"topology": map[string]any{
			"version": "v1.34",
			"workers": map[string]any{"machineDeployments": []any{map[string]any{"name": "np", "replicas": int64(2)}, map[string]any{"name": "auto"}}},
		}},
	})
	applied := &resource.Set{}
	applied.Put(cluster)
	other := cluster.Addr()
	other.Name = "other"
	const pools = ".spec.topology.workers.machineDeployments"
	for _, test := range []struct {
		name   string
		addr   resource.Addr
		fields []string
		want   bool
	}{
		{"a field", cluster.Addr(), []string{".spec.topology.version"}, true},
		{"a field without the first dot", cluster.Addr(), []string{"spec.topology.version"}, true},
		{"an annotation whose name has dots", cluster.Addr(), []string{"metadata.annotations.wiki.example/token"}, true},
		{"a name that only begins so", cluster.Addr(), []string{"metadata.annotations.wiki.example"}, false},
		{"an item of a list", cluster.Addr(), []string{pools + `[name="np"]`}, true},
		{"a field of a pool", cluster.Addr(), []string{pools + `[name="np"].replicas`}, true},
		{"a field that was left to others", cluster.Addr(), []string{pools + `[name="auto"].replicas`}, false},
		{"one of each", cluster.Addr(), []string{".spec.topology.version", pools + `[name="auto"].replicas`}, false},
		{"a pool that is new", cluster.Addr(), []string{pools + `[name="more"].replicas`}, false},
		{"another cluster", other, []string{".spec.topology.version"}, false},
		{"nothing named", cluster.Addr(), nil, false},
		{"a path that is none", cluster.Addr(), []string{".spec..x"}, false},
		{"a place in a list", cluster.Addr(), []string{"[0]"}, false},
		{"a quote that does not end", cluster.Addr(), []string{".spec[name=\""}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := reclaims(applied, test.addr, test.fields); got != test.want {
				t.Errorf("taken back: %t, want %t", got, test.want)
			}
		})
	}
	if reclaims(nil, cluster.Addr(), []string{".spec"}) {
		t.Error("nothing was applied, and something taken back")
	}
}
