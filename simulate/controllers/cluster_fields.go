package controllers

import (
	"cmp"

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

// references are what a Cluster refers to, as its specification says.
type references struct {
	spec                                map[string]any // that they were read of
	infrastructure, controlPlane, class reference
}

// A reference is a name, and a handle on what has it.
type reference struct {
	namespace, name string
	handle          *subject
}

// references are read once for each specification, of which there are few.
func (v *view) references() *references {
	s := v.share()
	if s.references == nil || !resource.SameMap(s.references.spec, v.spec) {
		class := resource.Fields(v.spec, "topology", "classRef")
		s.references = &references{
			spec:           v.spec,
			infrastructure: reference{namespace: v.namespace, name: resource.Text(v.spec, "infrastructureRef", "name")},
			controlPlane:   reference{namespace: v.namespace, name: resource.Text(v.spec, "controlPlaneRef", "name")},
			class:          reference{namespace: cmp.Or(resource.Text(class, "namespace"), v.namespace), name: resource.Text(class, "name")},
		}
	}
	return s.references
}

// referred is what a reference is to; nil when it is not there.
func (m *Manager) referred(r *reference, k kind) *unstructured.Unstructured {
	return m.follow(&r.handle, k, r.namespace, r.name)
}

func (m *Manager) infrastructureOf(cluster *unstructured.Unstructured) *unstructured.Unstructured {
	return m.referred(&m.view(cluster).references().infrastructure, kindVSphereCluster)
}

func (m *Manager) controlPlaneOf(cluster *unstructured.Unstructured) *unstructured.Unstructured {
	return m.referred(&m.view(cluster).references().controlPlane, kindControlPlane)
}

// classFor is the ClusterClass of a Cluster; nil when it is gone.
func (m *Manager) classFor(cluster *unstructured.Unstructured) *unstructured.Unstructured {
	return m.referred(&m.view(cluster).references().class, kindClusterClass)
}
