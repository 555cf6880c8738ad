package simulate_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/vksync/vksync/simulate"
)

// Whatever anybody writes, and however little sense it makes, the controllers go
// on with what does.
func TestTheWorldSurvivesWhateverIsApplied(t *testing.T) {
	t.Parallel()
	s := connect(t, simulate.ServeOptions{})
	kinds, err := discovery.NewDiscoveryClientForConfigOrDie(s.KubeConfig()).ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	s.create(t, 1, 1)
	owner := map[string]any{"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Machine", "name": "odd", "uid": "x", "controller": true}
	made := 0
	for _, spec := range []any{
		nil, map[string]any{}, "text", []any{int64(1)},
		map[string]any{
			"replicas": int64(-3), "clusterName": "prod", "className": "none", "imageName": int64(7), "powerState": "Sideways",
			"topology": map[string]any{"version": []any{}}, "network": "none", "template": int64(1), "rollout": "x", "selector": int64(0), "subnetSet": []any{},
			"infrastructureRef": "x", "controlPlaneRef": int64(1), "bootstrap": map[string]any{"dataSecretName": int64(1)}, "ports": "http",
		},
	} {
		for _, list := range kinds {
			for _, r := range list.APIResources {
				gv, err := schema.ParseGroupVersion(list.GroupVersion)
				if err != nil {
					t.Fatal(err)
				}
				u := &unstructured.Unstructured{Object: map[string]any{
					"apiVersion": list.GroupVersion, "kind": r.Kind, "spec": spec, "status": spec,
					"metadata": map[string]any{
						"generateName":    "odd-",
						"labels":          map[string]any{"cluster.x-k8s.io/cluster-name": "prod", "topology.cluster.x-k8s.io/deployment-name": "np", "cluster.x-k8s.io/control-plane": ""},
						"ownerReferences": []any{owner},
						"finalizers":      []any{"odd.example/never"},
					},
				}}
				client := s.objects.Resource(gv.WithResource(r.Name)).Namespace("")
				if r.Namespaced {
					client = s.objects.Resource(gv.WithResource(r.Name)).Namespace("team-a")
				}
				if _, err := client.Create(t.Context(), u, metav1.CreateOptions{}); err == nil {
					made++
				}
			}
		}
	}
	if made < 50 {
		t.Errorf("only %d odd objects were made", made)
	}
	before := s.world.Now()
	await(t, "an hour of model time", func() bool { return s.world.Now().Sub(before) >= time.Hour })
	patch := []byte(`[{"op":"replace","path":"/spec/topology/workers/machineDeployments/0/replicas","value":2}]`)
	if _, err := s.resource("Cluster").Namespace("team-a").Patch(t.Context(), "prod", "application/json-patch+json", patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, "a third VM", func() bool {
		inventory, err := s.vcenter.Inventory(t.Context())
		return err == nil && len(inventory.VMs) == 3
	})
}
