package reconcile_test

import (
	"encoding/json"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/resource"
)

var clusters = schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"}

func (s *stage) dynamic(t testing.TB) dynamic.Interface {
	t.Helper()
	c, err := dynamic.NewForConfig(s.served.KubeConfig())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// patch changes a cluster as somebody else.
func (s *stage) patch(t testing.TB, name, patch string) {
	t.Helper()
	_, err := s.dynamic(t).Resource(clusters).Namespace("team-a").Patch(t.Context(), name, types.JSONPatchType, []byte(patch), metav1.PatchOptions{FieldManager: "kubectl-edit"})
	if err != nil {
		t.Fatal(err)
	}
}

// approve annotates the ConfigMap, as an operator does.
func (s *stage) approve(t testing.TB, digest string) {
	t.Helper()
	quoted, err := json.Marshal(digest)
	if err != nil {
		t.Fatal(err)
	}
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%s}}}`, reconcile.AnnotationApprove, quoted)
	_, err = s.dynamic(t).Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace("default").
		Patch(t.Context(), "vksync-fleet", types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "kubectl-annotate"})
	if err != nil {
		t.Fatal(err)
	}
}

// workers is how many workers the first pool of a cluster is to have.
func (s *stage) workers(t testing.TB, name string) int64 {
	t.Helper()
	o, is := s.cluster(t, name)
	if !is {
		return -1
	}
	return resource.Int(resource.Items(o.Object, "spec", "topology", "workers", "machineDeployments")[0], "replicas")
}
