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
				"strategy":           map[string]any{"type": "RollingUpdate", "remediation": map[string]any{"maxInFlight": int64(1)}},
				"machineHealthCheck": map[string]any{"enable": true, "maxUnhealthy": "40%", "nodeStartupTimeout": "10m0s"},
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
				"healthCheck": map[string]any{
					"enabled": true, "checks": map[string]any{"nodeStartupTimeoutSeconds": int64(600)},
					"remediation": map[string]any{"maxInFlight": int64(1), "triggerIf": map[string]any{"unhealthyLessThanOrEqualTo": "40%"}},
				},
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

func TestAMachineHealthCheckConvertsThereAndBack(t *testing.T) {
	t.Parallel()
	older := map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "MachineHealthCheck",
		"spec": map[string]any{
			"clusterName": "c", "selector": map[string]any{"matchLabels": map[string]any{"a": "b"}},
			"unhealthyRange": "[1-2]", "nodeStartupTimeout": "1h0m0s",
			"unhealthyConditions": []any{map[string]any{"type": "Ready", "status": "Unknown", "timeout": "5m0s"}},
		},
	}
	want := map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "MachineHealthCheck",
		"spec": map[string]any{
			"clusterName": "c", "selector": map[string]any{"matchLabels": map[string]any{"a": "b"}},
			"remediation": map[string]any{"triggerIf": map[string]any{"unhealthyInRange": "[1-2]"}},
			"checks": map[string]any{
				"nodeStartupTimeoutSeconds": int64(3600),
				"unhealthyNodeConditions":   []any{map[string]any{"type": "Ready", "status": "Unknown", "timeoutSeconds": int64(300)}},
			},
		},
	}
	newer := Convert(&unstructured.Unstructured{Object: older}, "v1beta2")
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
