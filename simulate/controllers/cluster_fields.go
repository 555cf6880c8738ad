package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// What a Cluster's topology says, in the stored version v1beta2.

// secretType is the type of every Secret that Cluster API generates.
const secretType = "cluster.x-k8s.io/secret"

func classOf(cluster *unstructured.Unstructured) string {
	return resource.Text(cluster.Object, "spec", "topology", "classRef", "name")
}

// initialized reads one of status.initialization's barriers.
func initialized(u *unstructured.Unstructured, barrier string) bool {
	return u != nil && resource.Flag(u.Object, "status", "initialization", barrier)
}

func controlPlaneReplicas(topology map[string]any) int64 {
	if resource.Field(topology, "controlPlane", "replicas") == nil {
		return 1
	}
	return resource.Int(topology, "controlPlane", "replicas")
}

func deploymentsOf(topology map[string]any) []map[string]any {
	var out []map[string]any
	for _, item := range resource.Items(topology, "workers", "machineDeployments") {
		if md, ok := item.(map[string]any); ok {
			out = append(out, md)
		}
	}
	return out
}

func deploymentReplicas(md map[string]any) int64 {
	if md["replicas"] == nil {
		return 1
	}
	return resource.Int(md, "replicas")
}

// variable is a class variable as text: the override of a control plane or pool
// where there is one, else the cluster's.
func variable(topology map[string]any, overrides any, name string) string {
	for _, list := range [][]any{
		resource.Items(overrides, "variables", "overrides"),
		resource.Items(topology, "variables"),
	} {
		for _, v := range list {
			if resource.Text(v, "name") == name {
				return resource.Text(v, "value")
			}
		}
	}
	return ""
}

func (m *Manager) infrastructureOf(cluster *unstructured.Unstructured) *unstructured.Unstructured {
	v := m.view(cluster)
	return m.follow(&v.share().infrastructure, kindVSphereCluster, v.namespace, resource.Text(v.spec, "infrastructureRef", "name"))
}

func (m *Manager) controlPlaneOf(cluster *unstructured.Unstructured) *unstructured.Unstructured {
	v := m.view(cluster)
	return m.follow(&v.share().controlPlane, kindControlPlane, v.namespace, resource.Text(v.spec, "controlPlaneRef", "name"))
}
