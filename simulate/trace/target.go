package trace

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

func (d *decoder) object(n *yaml.Node, base ID) ID {
	if n.Kind == yaml.ScalarNode { // Kind/name
		kind, name, found := strings.Cut(n.Value, "/")
		if !found {
			d.fail(n, "object is %q, want Kind/name or {kind, name}", n.Value)
		}
		return ID{Group: groupOfKind(kind), Kind: kind, Name: name}
	}
	var out ID
	d.each(n, "object", map[string]func(*yaml.Node){
		"apiVersion": func(n *yaml.Node) { out.Group = groupOf(d.text(n)) },
		"group":      func(n *yaml.Node) { out.Group = d.text(n) },
		"kind":       func(n *yaml.Node) { out.Kind = d.text(n) },
		"namespace":  func(n *yaml.Node) { out.Namespace = d.text(n) },
		"name":       func(n *yaml.Node) { out.Name = d.text(n) },
	})
	if out.Kind == "" {
		out.Kind = base.Kind
	}
	if out.Name == "" && out.Kind == base.Kind {
		out.Name = base.Name
	}
	if out.Kind == "" || out.Name == "" {
		d.fail(n, "object needs kind and name")
	}
	if out.Group == "" {
		out.Group = groupOfKind(out.Kind)
	}
	return out
}

// groupOfKind is the API group of the kinds that are asked for by kind alone.
func groupOfKind(kind string) string {
	switch kind {
	case "Cluster", "ClusterClass", "Machine", "MachineSet", "MachineDeployment", "MachineHealthCheck", "MachinePool":
		return "cluster.x-k8s.io"
	case "KubeadmControlPlane", "KubeadmControlPlaneTemplate":
		return "controlplane.cluster.x-k8s.io"
	case "KubeadmConfig", "KubeadmConfigTemplate":
		return "bootstrap.cluster.x-k8s.io"
	case "VSphereCluster", "VSphereMachine", "VSphereMachineTemplate", "VSphereClusterTemplate":
		return "vmware.infrastructure.cluster.x-k8s.io"
	case "VirtualMachine", "VirtualMachineService", "VirtualMachineSetResourcePolicy", "VirtualMachineClass",
		"ClusterVirtualMachineImage", "VirtualMachineImage":
		return "vmoperator.vmware.com"
	}
	return ""
}
