package phase

import (
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// Labels by which objects say whose they are (domain.md 1.0 and 1.12).
const (
	labelCluster      = "cluster.x-k8s.io/cluster-name"
	labelControlPlane = "cluster.x-k8s.io/control-plane"
	labelVMCluster    = "capv.vmware.com/cluster.name"
	labelVMRole       = "capv.vmware.com/cluster.role"
	roleControlPlane  = "controlplane"
)

// Of is the phase an object belongs to, by its kind, and by its labels and
// owners where objects of one kind serve several phases. It is empty for what
// belongs to none, such as a VM class or a cluster class.
func Of(kind string, labels map[string]string, owners []resource.Owner) ID {
	return of(kind, marksOf(labels), owners)
}

// ClusterOf is the name of the cluster an object belongs to, empty for what is
// shared. A Cluster belongs to itself. What carries no label (a subnet, the
// endpoint's Service, a kubeconfig written by a user) is told by a Cluster or
// VirtualMachineService that owns it, both of which have the cluster's name.
func ClusterOf(kind, name string, labels map[string]string, owners []resource.Owner) string {
	return clusterOf(kind, name, marksOf(labels), owners)
}

// marks are what labels say of whose an object is.
type marks struct {
	cluster, vmCluster, vmRole string
	controlPlane               bool
}

// marksOf reads labels, of which objects hold the values as any.
func marksOf[V any](labels map[string]V) (m marks) {
	text := func(label string) string { s, _ := any(labels[label]).(string); return s }
	m.cluster, m.vmCluster, m.vmRole = text(labelCluster), text(labelVMCluster), text(labelVMRole)
	_, m.controlPlane = labels[labelControlPlane]
	return m
}

func of(kind string, m marks, owners []resource.Owner) ID {
	switch kind {
	case "Namespace", "VSphereNamespace", "Zone", "ResourceQuota", "StoragePolicyQuota", "StorageQuota",
		"ContentLibrary", "NetworkInfo":
		return Prerequisites
	case "Cluster", "VSphereCluster", "KubeadmControlPlane", "KubeadmConfigTemplate", "VSphereMachineTemplate",
		"MachineDeployment", "MachineSet", "MachineHealthCheck":
		return Topology
	case "VirtualMachineSetResourcePolicy", "SubnetSet", "VirtualNetwork", "Network", "VirtualMachineService",
		"Service", "Endpoints", "EndpointSlice", "ProviderServiceAccount":
		return Infrastructure
	case "Machine", "KubeadmConfig":
		return byRole(m, owners, Bootstrap)
	case "VSphereMachine", "VSphereVM", "VirtualMachine", "SubnetPort", "NetworkInterface", "VirtualNetworkInterface":
		return byRole(m, owners, Machine)
	case "Secret":
		return ofSecret(m, owners)
	case "ConfigMap":
		if ownerOf(owners, "Cluster") != "" { // the lock that lets one machine run kubeadm init
			return Bootstrap
		}
	}
	return ""
}

// byRole is Workers for what belongs to a worker, and own for what belongs to a
// control-plane machine.
func byRole(m marks, owners []resource.Owner, own ID) ID {
	switch {
	case m.controlPlane, m.vmRole == roleControlPlane, ownerOf(owners, "KubeadmControlPlane") != "":
		return own
	}
	return Workers
}

// ofSecret tells the temporary first owner of a cluster's objects, PKI and
// kubeconfig from bootstrap data, which follows its KubeadmConfig.
func ofSecret(m marks, owners []resource.Owner) ID {
	switch {
	case ownerOf(owners, "KubeadmControlPlane") != "":
		return Bootstrap
	case ownerOf(owners, "KubeadmConfig") != "":
		return byRole(m, owners, Bootstrap)
	case ownerOf(owners, "Cluster") != "":
		return Topology
	case m.cluster != "":
		return Bootstrap
	}
	return ""
}

func clusterOf(kind, name string, m marks, owners []resource.Owner) string {
	if m.cluster != "" {
		return m.cluster
	}
	if m.vmCluster != "" {
		return m.vmCluster
	}
	switch kind {
	case "Cluster", "VirtualMachineSetResourcePolicy":
		return name
	}
	if c := ownerOf(owners, "Cluster"); c != "" {
		return c
	}
	if c := ownerOf(owners, "VirtualMachineService"); c != "" {
		return c
	}
	if ownerOf(owners, "VSphereCluster") == "" {
		return ""
	}
	if kind == "VirtualMachineService" {
		return strings.TrimSuffix(name, "-control-plane-service") // the name older releases gave it
	}
	// A subnet set is named as its VSphereCluster: the cluster's name and a
	// random suffix of five.
	if owner := ownerOf(owners, "VSphereCluster"); len(owner) > suffix && owner[len(owner)-suffix] == '-' {
		return owner[:len(owner)-suffix]
	}
	return ""
}

// suffix is the length of "-" and the five random characters at the end of a
// generated name (domain.md 1.0).
const suffix = 6

func ownerOf(owners []resource.Owner, kind string) string {
	for _, o := range owners {
		if o.Kind == kind {
			return o.Name
		}
	}
	return ""
}
