package controllers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestAClusterConvertsThereAndBack(t *testing.T) {
	t.Parallel()
	older := map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Cluster",
		"metadata": map[string]any{"name": "c", "namespace": "ns"},
		"spec": map[string]any{"topology": map[string]any{
			"class": "builtin-generic-v3.4.0", "classNamespace": ClassNamespace, "version": "v1.34",
			"controlPlane": map[string]any{"replicas": int64(3), "nodeDrainTimeout": "5m0s"},
			"workers": map[string]any{"machineDeployments": []any{map[string]any{
				"name": "np", "class": "node-pool",
				"strategy": map[string]any{"type": "RollingUpdate"},
			}}},
		}},
	}
	newer := Convert(&unstructured.Unstructured{Object: older}, "v1beta2")
	want := map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
		"metadata": map[string]any{"name": "c", "namespace": "ns"},
		"spec": map[string]any{"topology": map[string]any{
			"classRef": map[string]any{"name": "builtin-generic-v3.4.0", "namespace": ClassNamespace}, "version": "v1.34",
			"controlPlane": map[string]any{"replicas": int64(3), "deletion": map[string]any{"nodeDrainTimeoutSeconds": int64(300)}},
			"workers": map[string]any{"machineDeployments": []any{map[string]any{
				"name": "np", "class": "node-pool",
				"rollout": map[string]any{"strategy": map[string]any{"type": "RollingUpdate"}},
			}}},
		}},
	}
	if diff := cmp.Diff(want, newer.Object); diff != "" {
		t.Errorf("v1beta1 to v1beta2 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(older, Convert(newer, "v1beta1").Object); diff != "" {
		t.Errorf("and back (-want +got):\n%s", diff)
	}
}

func TestOtherKindsOnlyChangeTheirAPIVersion(t *testing.T) {
	t.Parallel()
	vm := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "vmoperator.vmware.com/v1alpha5", "kind": "VirtualMachine", "spec": map[string]any{"className": "x"}}}
	got := Convert(vm, "v1alpha3").Object
	want := map[string]any{"apiVersion": "vmoperator.vmware.com/v1alpha3", "kind": "VirtualMachine", "spec": map[string]any{"className": "x"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
