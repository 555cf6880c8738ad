package controllers

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// API groups of domain.md part 0.
const (
	groupCluster      = "cluster.x-k8s.io"
	groupControlPlane = "controlplane.cluster.x-k8s.io"
	groupBootstrap    = "bootstrap.cluster.x-k8s.io"
	groupVMware       = "vmware.infrastructure.cluster.x-k8s.io"
	groupVMOperator   = "vmoperator.vmware.com"
	groupNSX          = "crd.nsx.vmware.com"
	groupNCP          = "vmware.com"
	groupNetOperator  = "netoperator.vmware.com"
	groupTopology     = "topology.tanzu.vmware.com"
	groupCNS          = "cns.vmware.com"
	groupKR           = "kubernetes.vmware.com"
	groupStorage      = "storage.k8s.io"
)

// A kind is one registered kind and the version the controllers write.
type kind struct {
	schema.GroupKind
	apiVersion string
}

func stored(group, version, name string) kind {
	apiVersion := version
	if group != "" {
		apiVersion = group + "/" + version
	}
	return kind{schema.GroupKind{Group: group, Kind: name}, apiVersion}
}

func (k kind) key(namespace, name string) kubeapi.Key {
	return kubeapi.Key{Group: k.Group, Kind: k.Kind, Namespace: namespace, Name: name}
}

// version is the version the controllers write, without the group.
func (k kind) version() string { return k.apiVersion[strings.LastIndex(k.apiVersion, "/")+1:] }

var (
	kindCluster                 = stored(groupCluster, "v1beta2", "Cluster")
	kindClusterClass            = stored(groupCluster, "v1beta2", "ClusterClass")
	kindMachine                 = stored(groupCluster, "v1beta2", "Machine")
	kindMachineSet              = stored(groupCluster, "v1beta2", "MachineSet")
	kindMachineDeployment       = stored(groupCluster, "v1beta2", "MachineDeployment")
	kindMachineHealthCheck      = stored(groupCluster, "v1beta2", "MachineHealthCheck")
	kindControlPlane            = stored(groupControlPlane, "v1beta2", "KubeadmControlPlane")
	kindKubeadmConfig           = stored(groupBootstrap, "v1beta2", "KubeadmConfig")
	kindKubeadmConfigTemplate   = stored(groupBootstrap, "v1beta2", "KubeadmConfigTemplate")
	kindVSphereCluster          = stored(groupVMware, "v1beta2", "VSphereCluster")
	kindVSphereMachine          = stored(groupVMware, "v1beta2", "VSphereMachine")
	kindVSphereTemplate         = stored(groupVMware, "v1beta2", "VSphereMachineTemplate")
	kindVM                      = stored(groupVMOperator, "v1alpha5", "VirtualMachine")
	kindVMClass                 = stored(groupVMOperator, "v1alpha5", "VirtualMachineClass")
	kindVMService               = stored(groupVMOperator, "v1alpha5", "VirtualMachineService")
	kindResourcePolicy          = stored(groupVMOperator, "v1alpha5", "VirtualMachineSetResourcePolicy")
	kindClusterImage            = stored(groupVMOperator, "v1alpha5", "ClusterVirtualMachineImage")
	kindSubnetSet               = stored(groupNSX, "v1alpha1", "SubnetSet")
	kindSubnetPort              = stored(groupNSX, "v1alpha1", "SubnetPort")
	kindNetwork                 = stored(groupNetOperator, "v1alpha1", "Network")
	kindDistributedNetwork      = stored(groupNetOperator, "v1alpha1", "VSphereDistributedNetwork")
	kindIPPool                  = stored(groupNetOperator, "v1alpha1", "IPPool")
	kindVirtualNetwork          = stored(groupNCP, "v1alpha1", "VirtualNetwork")
	kindVirtualNetworkInterface = stored(groupNCP, "v1alpha1", "VirtualNetworkInterface")
	kindNetworkInterface        = stored(groupNetOperator, "v1alpha1", "NetworkInterface")
	kindZone                    = stored(groupTopology, "v1alpha1", "Zone")
	kindPolicyQuota             = stored(groupCNS, "v1alpha2", "StoragePolicyQuota")
	kindRelease                 = stored(groupKR, "v1alpha1", "KubernetesRelease")
	kindOSImage                 = stored(groupKR, "v1alpha1", "OSImage")
	kindStorageClass            = stored(groupStorage, "v1", "StorageClass")
	kindNamespace               = stored("", "v1", "Namespace")
	kindSecret                  = stored("", "v1", "Secret")
	kindConfigMap               = stored("", "v1", "ConfigMap")
	kindService                 = stored("", "v1", "Service")
	kindEndpoints               = stored("", "v1", "Endpoints")
)

// Kinds are the kinds a Supervisor serves beside the Kubernetes core ones.
func Kinds() []kubeapi.Kind {
	capi := func(group, name, resource string, short ...string) kubeapi.Kind {
		return kubeapi.Kind{Group: group, Versions: []string{"v1beta2", "v1beta1"}, Kind: name, Resource: resource, ShortNames: short, Status: true}
	}
	vmop := func(name, resource string, short ...string) kubeapi.Kind {
		return kubeapi.Kind{Group: groupVMOperator, Versions: []string{"v1alpha5", "v1alpha4", "v1alpha3", "v1alpha2"}, Kind: name, Resource: resource, ShortNames: short, Status: true}
	}
	one := func(group, version, name, resource string, cluster, status bool, short ...string) kubeapi.Kind {
		return kubeapi.Kind{Group: group, Versions: []string{version}, Kind: name, Resource: resource, ShortNames: short, Cluster: cluster, Status: status}
	}
	images := vmop("ClusterVirtualMachineImage", "clustervirtualmachineimages", "cvmi")
	images.Cluster = true
	kinds := []kubeapi.Kind{
		capi(groupCluster, "Cluster", "clusters", "cl"),
		capi(groupCluster, "ClusterClass", "clusterclasses", "cc"),
		capi(groupCluster, "Machine", "machines", "ma"),
		capi(groupCluster, "MachineSet", "machinesets", "ms"),
		capi(groupCluster, "MachineDeployment", "machinedeployments", "md"),
		capi(groupCluster, "MachineHealthCheck", "machinehealthchecks", "mhc", "mhcs"),
		capi(groupControlPlane, "KubeadmControlPlane", "kubeadmcontrolplanes", "kcp"),
		capi(groupBootstrap, "KubeadmConfig", "kubeadmconfigs"),
		capi(groupBootstrap, "KubeadmConfigTemplate", "kubeadmconfigtemplates"),
		capi(groupVMware, "VSphereCluster", "vsphereclusters"),
		capi(groupVMware, "VSphereMachine", "vspheremachines"),
		capi(groupVMware, "VSphereMachineTemplate", "vspheremachinetemplates"),
		vmop("VirtualMachine", "virtualmachines", "vm"),
		vmop("VirtualMachineClass", "virtualmachineclasses", "vmclass"),
		vmop("VirtualMachineService", "virtualmachineservices", "vmservice"),
		vmop("VirtualMachineSetResourcePolicy", "virtualmachinesetresourcepolicies"),
		images,
		one(groupNSX, "v1alpha1", "SubnetSet", "subnetsets", false, true),
		one(groupNSX, "v1alpha1", "SubnetPort", "subnetports", false, true),
		one(groupNetOperator, "v1alpha1", "Network", "networks", false, true),
		one(groupNetOperator, "v1alpha1", "NetworkInterface", "networkinterfaces", false, true, "netif"),
		one(groupNetOperator, "v1alpha1", "VSphereDistributedNetwork", "vspheredistributednetworks", false, true),
		one(groupNetOperator, "v1alpha1", "IPPool", "ippools", false, true),
		one(groupNCP, "v1alpha1", "VirtualNetwork", "virtualnetworks", false, true),
		one(groupNCP, "v1alpha1", "VirtualNetworkInterface", "virtualnetworkinterfaces", false, true),
		one(groupTopology, "v1alpha1", "Zone", "zones", false, true),
		one(groupCNS, "v1alpha2", "StoragePolicyQuota", "storagepolicyquotas", false, true),
		one(groupKR, "v1alpha1", "KubernetesRelease", "kubernetesreleases", true, true, "kr"),
		one(groupKR, "v1alpha1", "OSImage", "osimages", true, true, "osimg"),
		one(groupStorage, "v1", "StorageClass", "storageclasses", true, false, "sc"),
	}
	for i := range kinds {
		kinds[i].Columns = columns[kinds[i].Kind]
		if kinds[i].Group == groupCluster || strings.HasSuffix(kinds[i].Group, "."+groupCluster) {
			kinds[i].Categories = []string{"cluster-api"}
		}
	}
	return kinds
}

// Labels, annotations and finalizers (domain.md 1.0, observed.md section 5).
const (
	labelCluster            = "cluster.x-k8s.io/cluster-name"
	labelControlPlane       = "cluster.x-k8s.io/control-plane"
	labelControlPlaneName   = "cluster.x-k8s.io/control-plane-name"
	labelDeployment         = "cluster.x-k8s.io/deployment-name"
	labelSet                = "cluster.x-k8s.io/set-name"
	labelTemplateHash       = "machine-template-hash"
	labelTopologyOwned      = "topology.cluster.x-k8s.io/owned"
	labelTopologyDeployment = "topology.cluster.x-k8s.io/deployment-name"
	labelZone               = "topology.kubernetes.io/zone"
	labelHost               = "node.cluster.x-k8s.io/esxi-host"
	labelRelease            = "run.tanzu.vmware.com/tkr"

	annotationClonedFrom     = "cluster.x-k8s.io/cloned-from-name"
	annotationClonedFromKind = "cluster.x-k8s.io/cloned-from-groupkind"
	annotationPaused         = "cluster.x-k8s.io/paused"
	annotationDeleteMachine  = "cluster.x-k8s.io/delete-machine"
	annotationPreTerminate   = "pre-terminate.delete.hook.machine.cluster.x-k8s.io/kcp-cleanup"

	finalizerCluster            = "cluster.cluster.x-k8s.io"
	finalizerMachine            = "machine.cluster.x-k8s.io"
	finalizerDeployment         = "cluster.x-k8s.io/machinedeployment"
	finalizerDeploymentTopology = "machinedeployment.topology.cluster.x-k8s.io"
	finalizerSet                = "cluster.x-k8s.io/machineset"
	finalizerSetTopology        = "machineset.topology.cluster.x-k8s.io"
	finalizerControlPlane       = "kubeadm.controlplane.cluster.x-k8s.io"
	finalizerVSphereCluster     = "vspherecluster.vmware.infrastructure.cluster.x-k8s.io"
	finalizerVSphereMachine     = "vspheremachine.infrastructure.cluster.x-k8s.io"
	finalizerVM                 = "vmoperator.vmware.com/virtualmachine"
	finalizerVMService          = "vmoperator.vmware.com/virtualmachineservice"
	finalizerResourcePolicy     = "vmoperator.vmware.com/virtualmachinesetresourcepolicy"
)

// The names under which the controllers write (the actors of a journal).
const (
	actorCore        = "capi-core"
	actorTopology    = "capi-topology"
	actorKCP         = "capi-kcp"
	actorBootstrap   = "capi-cabpk"
	actorProvider    = "capv"
	actorVMService   = "vm-operator"
	actorNetwork     = "nsx-operator"
	actorNetOperator = "net-operator"
	actorNCP         = "ncp"
	actorBalancer    = "load-balancer"
	actorWorkload    = "wcp"
	actorReleases    = "vks"
)
