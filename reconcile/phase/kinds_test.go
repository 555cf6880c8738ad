package phase_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/phase"
)

func TestPhaseAndClusterOfObjects(t *testing.T) {
	t.Parallel()
	const cluster = "cluster.x-k8s.io/cluster-name"
	inCluster := map[string]string{cluster: "prod"}
	controlPlane := map[string]string{cluster: "prod", "cluster.x-k8s.io/control-plane": ""}
	vm := func(role string) map[string]string {
		return map[string]string{"capv.vmware.com/cluster.name": "prod", "capv.vmware.com/cluster.role": role}
	}
	by := func(kind, name string) []metav1.OwnerReference {
		return []metav1.OwnerReference{{Kind: kind, Name: name}}
	}

	tests := map[string]struct {
		kind, name string
		labels     map[string]string
		owners     []metav1.OwnerReference
		want       phase.ID
		cluster    string
	}{
		"a Kubernetes namespace":                    {kind: "Namespace", name: "team", want: phase.Prerequisites},
		"a vSphere Namespace":                       {kind: "VSphereNamespace", name: "team", want: phase.Prerequisites},
		"a zone":                                    {kind: "Zone", name: "zone-a", want: phase.Prerequisites},
		"a Cluster belongs to itself":               {kind: "Cluster", name: "prod", want: phase.Topology, cluster: "prod"},
		"a VSphereCluster of the topology":          {kind: "VSphereCluster", name: "prod-x7k2p", labels: inCluster, want: phase.Topology, cluster: "prod"},
		"a VSphereCluster by its owner":             {kind: "VSphereCluster", name: "prod-x7k2p", owners: by("Cluster", "prod"), want: phase.Topology, cluster: "prod"},
		"a worker template":                         {kind: "KubeadmConfigTemplate", name: "t", labels: inCluster, want: phase.Topology, cluster: "prod"},
		"the shim Secret":                           {kind: "Secret", name: "prod-shim", owners: by("Cluster", "prod"), want: phase.Topology, cluster: "prod"},
		"the resource policy":                       {kind: "VirtualMachineSetResourcePolicy", name: "prod", owners: by("VSphereCluster", "prod-x7k2p"), want: phase.Infrastructure, cluster: "prod"},
		"a subnet set, named as its VSphereCluster": {kind: "SubnetSet", name: "prod-x7k2p", owners: by("VSphereCluster", "prod-x7k2p"), want: phase.Infrastructure, cluster: "prod"},
		"a shared subnet set":                       {kind: "SubnetSet", name: "default", want: phase.Infrastructure},
		"the endpoint":                              {kind: "VirtualMachineService", name: "prod", owners: by("VSphereCluster", "prod-x7k2p"), want: phase.Infrastructure, cluster: "prod"},
		"the endpoint by its old name":              {kind: "VirtualMachineService", name: "prod-control-plane-service", owners: by("VSphereCluster", "prod-x7k2p"), want: phase.Infrastructure, cluster: "prod"},
		"the endpoint's Service":                    {kind: "Service", name: "prod", owners: by("VirtualMachineService", "prod"), want: phase.Infrastructure, cluster: "prod"},
		"a certificate authority":                   {kind: "Secret", name: "prod-ca", labels: inCluster, owners: by("KubeadmControlPlane", "prod-k"), want: phase.Bootstrap, cluster: "prod"},
		"a certificate authority of the user":       {kind: "Secret", name: "prod-ca", labels: inCluster, want: phase.Bootstrap, cluster: "prod"},
		"a Secret of nobody":                        {kind: "Secret", name: "mine"},
		"the lock of kubeadm init":                  {kind: "ConfigMap", name: "prod-lock", owners: by("Cluster", "prod"), want: phase.Bootstrap, cluster: "prod"},
		"a ConfigMap of nobody":                     {kind: "ConfigMap", name: "mine"},
		"a control-plane Machine":                   {kind: "Machine", name: "m", labels: controlPlane, want: phase.Bootstrap, cluster: "prod"},
		"a worker Machine":                          {kind: "Machine", name: "m", labels: inCluster, want: phase.Workers, cluster: "prod"},
		"bootstrap data of a control-plane machine": {kind: "Secret", name: "m", labels: controlPlane, owners: by("KubeadmConfig", "m"), want: phase.Bootstrap, cluster: "prod"},
		"bootstrap data of a worker":                {kind: "Secret", name: "m", labels: inCluster, owners: by("KubeadmConfig", "m"), want: phase.Workers, cluster: "prod"},
		"a control-plane VM":                        {kind: "VirtualMachine", name: "m", labels: vm("controlplane"), want: phase.Machine, cluster: "prod"},
		"a worker VM":                               {kind: "VirtualMachine", name: "m", labels: vm("node"), want: phase.Workers, cluster: "prod"},
		"a control-plane VSphereMachine":            {kind: "VSphereMachine", name: "m", labels: controlPlane, want: phase.Machine, cluster: "prod"},
		"a VM class":                                {kind: "VirtualMachineClass", name: "small"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := &unstructured.Unstructured{}
			u.SetKind(tt.kind)
			u.SetName(tt.name)
			u.SetLabels(tt.labels)
			u.SetOwnerReferences(tt.owners)
			cluster, id := phase.Itself(u)
			if id != tt.want {
				t.Errorf("phase is %q, want %q", id, tt.want)
			}
			if cluster != tt.cluster {
				t.Errorf("cluster is %q, want %q", cluster, tt.cluster)
			}
		})
	}
}
