package controllers

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// A pass over a topology begins with reading its class and all that it made. What is
// missing ends it, before anything is written and whatever else there would be to do.

// classReady is why the class of a Cluster cannot be used: it is not there, or nobody
// has looked at it in its present form.
func (m *Manager) classReady(cluster *unstructured.Unstructured) error {
	r := m.view(cluster).references().class
	class := m.classFor(cluster)
	if class == nil {
		return fmt.Errorf("failed to retrieve ClusterClass %s/%s: ClusterClass.cluster.x-k8s.io %q not found", r.namespace, r.name, r.name)
	}
	const unready = "ClusterClass is not successfully reconciled: "
	if c := m.view(class).condition("VariablesReady"); c.Type == "" || c.Status == "False" {
		return errors.New(unready + `status of VariablesReady condition on ClusterClass must be "True"`)
	}
	if is, seen := m.view(class).generation, resource.Int(class.Object, "status", "observedGeneration"); is != seen {
		return fmt.Errorf(unready+"ClusterClass.status.observedGeneration must be %d, but is %d", is, seen)
	}
	return nil
}

// allThere is the first object of a topology that somebody took away. Templates of a
// pool on its way out go before it does.
func (m *Manager) allThere(cluster *unstructured.Unstructured, existing map[string]*unstructured.Unstructured) error {
	namespace, r := namespaceOf(cluster), m.view(cluster).references()
	if m.infrastructureOf(cluster) == nil {
		return missing(kindVSphereCluster, "read", namespace, r.infrastructure.name)
	}
	controlPlane := m.controlPlaneOf(cluster)
	if controlPlane == nil {
		return missing(kindControlPlane, "read", namespace, r.controlPlane.name)
	}
	if name := resource.Text(controlPlane.Object, "spec", "machineTemplate", "spec", "infrastructureRef", "name"); m.get(kindVSphereTemplate, namespace, name) == nil {
		return missing(kindVSphereTemplate, "get", namespace, name)
	}
	for _, md := range deploymentsOf(resource.Fields(cluster.Object, "spec", "topology")) {
		u := existing[resource.Text(md, "name")]
		if u == nil || deleting(u) {
			continue
		}
		infrastructure, bootstrap := templatesOf(u)
		if m.get(kindKubeadmConfigTemplate, namespace, bootstrap) == nil {
			return missing(kindKubeadmConfigTemplate, "get", namespace, bootstrap)
		}
		if m.get(kindVSphereTemplate, namespace, infrastructure) == nil {
			return missing(kindVSphereTemplate, "get", namespace, infrastructure)
		}
	}
	return nil
}

func missing(k kind, verb, namespace, name string) error {
	return fmt.Errorf("failed to %s %s %s/%s: %s.%s %q not found", verb, k.Kind, namespace, name, k.Kind, k.Group, name)
}
