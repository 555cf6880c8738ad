package phase

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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

// Itself is what an object says itself of the cluster and the phase that it belongs
// to.
//
// The phase goes by the kind, and by labels and owners where objects of one kind serve
// several phases. It is empty for what belongs to none, such as a VM class or a
// cluster class.
//
// The cluster is empty for what is shared. A Cluster belongs to itself. What carries no
// label (a subnet, the endpoint's Service, a kubeconfig written by a user) is told by a
// Cluster or VirtualMachineService that owns it, both of which have the cluster's name.
func Itself(u *unstructured.Unstructured) (cluster string, id ID) {
	m := marksOf(u)
	return m.clusterName(), m.phase()
}

// marks are where an object says whose it is. Most of it is not asked for.
type marks struct {
	kind             string
	metadata, labels map[string]any
	owners           []any
}

func marksOf(u *unstructured.Unstructured) marks {
	metadata := resource.Fields(u.Object, "metadata")
	return marks{
		kind: resource.Text(u.Object, "kind"), metadata: metadata,
		labels: resource.Fields(metadata, "labels"), owners: resource.Items(metadata, "ownerReferences"),
	}
}

func (m marks) label(key string) string { return resource.Text(m.labels, key) }

// owner is the name of the first owner of a kind, or "".
func (m marks) owner(kind string) string {
	for _, ref := range m.owners {
		if resource.Text(ref, "kind") == kind {
			return resource.Text(ref, "name")
		}
	}
	return ""
}

func (m marks) phase() ID {
	switch m.kind {
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
		return m.byRole(Bootstrap)
	case "VSphereMachine", "VSphereVM", "VirtualMachine", "SubnetPort", "NetworkInterface", "VirtualNetworkInterface":
		return m.byRole(Machine)
	case "Secret":
		return m.ofSecret()
	case "ConfigMap":
		if m.owner("Cluster") != "" { // the lock that lets one machine run kubeadm init
			return Bootstrap
		}
	}
	return ""
}

// byRole is Workers for what belongs to a worker, and own for what belongs to a
// control-plane machine.
func (m marks) byRole(own ID) ID {
	switch {
	case m.labels[labelControlPlane] != nil, m.label(labelVMRole) == roleControlPlane, m.owner("KubeadmControlPlane") != "":
		return own
	}
	return Workers
}

// ofSecret tells the temporary first owner of a cluster's objects, PKI and
// kubeconfig from bootstrap data, which follows its KubeadmConfig.
func (m marks) ofSecret() ID {
	switch {
	case m.owner("KubeadmControlPlane") != "":
		return Bootstrap
	case m.owner("KubeadmConfig") != "":
		return m.byRole(Bootstrap)
	case m.owner("Cluster") != "":
		return Topology
	case m.label(labelCluster) != "":
		return Bootstrap
	}
	return ""
}

func (m marks) clusterName() string {
	if c := m.label(labelCluster); c != "" {
		return c
	}
	if c := m.label(labelVMCluster); c != "" {
		return c
	}
	switch m.kind {
	case "Cluster", "VirtualMachineSetResourcePolicy":
		return resource.Text(m.metadata, "name")
	}
	if c := m.owner("Cluster"); c != "" {
		return c
	}
	if c := m.owner("VirtualMachineService"); c != "" {
		return c
	}
	owner := m.owner("VSphereCluster")
	if owner == "" {
		return ""
	}
	if m.kind == "VirtualMachineService" {
		return strings.TrimSuffix(resource.Text(m.metadata, "name"), "-control-plane-service") // the name older releases gave it
	}
	// A subnet set is named as its VSphereCluster: the cluster's name and a
	// random suffix of five.
	if len(owner) > suffix && owner[len(owner)-suffix] == '-' {
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
