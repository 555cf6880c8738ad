package paint

import (
	"strings"

	"github.com/vksync/vksync/reconcile/phase"
)

// BrieflyLacks is the end of a causal chain in so few words that they fit a
// column beside the phases. phase.Cause has the sentence.
func BrieflyLacks(chain []phase.Link) string {
	if len(chain) == 0 {
		return ""
	}
	l := chain[len(chain)-1]
	text := thing(l)
	if said := strings.TrimPrefix(Clean(l.Message), "* "); said != "" && !strings.HasPrefix(said, "Waiting for ") {
		text += ": " + said
	}
	return text
}

// thing is what a link lacks.
func thing(l phase.Link) string {
	switch l.Kind {
	case "VSphereNamespace", "Namespace":
		return "vSphere Namespace"
	case "SubnetSet", "VirtualNetwork":
		return "subnet"
	case "SubnetPort", "NetworkInterface", "VirtualNetworkInterface":
		return "network address"
	case "VirtualMachineService", "Service":
		return "endpoint address"
	case "KubeadmConfig":
		return "bootstrap data"
	case "vSphere VM":
		return "vCenter " + l.Condition
	}
	if l.Condition == "Deleting" {
		return l.Kind + " going"
	}
	if text := condition(l); text != "" {
		return text
	}
	if l.Condition == "" {
		return l.Kind
	}
	return l.Kind + " " + l.Condition
}

// condition is what a condition that is not as it should be stands for.
func condition(l phase.Link) string {
	switch l.Condition {
	case "BootstrapConfigReady":
		return "bootstrap data"
	case "InfrastructureReady":
		if l.Kind == "Cluster" {
			return "infrastructure"
		}
		return "VM"
	case "LoadBalancerReady":
		return "endpoint address"
	case "NetworkReady":
		return "cluster network"
	case "RemoteConnectionProbe":
		return "API server"
	case "ControlPlaneInitialized", "Initialized":
		return "first control-plane node"
	case "ControlPlaneAvailable", "ControlPlaneMachinesReady":
		return "control plane"
	case "WorkersAvailable", "WorkerMachinesReady":
		return "workers"
	case "VirtualMachineProvisioned":
		return step(l.Reason)
	case "VCenterAvailable":
		return "vCenter"
	case "VirtualMachineClassReady":
		return "VM class"
	case "VirtualMachineImageReady":
		return "image"
	case "VirtualMachineConditionImageCacheReady":
		return "image on the datastore"
	case "VirtualMachineConditionVMSetResourcePolicyReady", "ResourcePolicyReady":
		return "resource policy"
	case "VirtualMachineBootstrapReady":
		return "bootstrap data"
	case "VirtualMachineStorageReady":
		return "storage"
	case "VirtualMachineNetworkReady":
		return "VM network"
	case "VirtualMachineConditionPlacementReady":
		return "place for the VM"
	case "VirtualMachineCreated":
		return "VM creation"
	case "VirtualMachinePowerStateSynced":
		return "VM power on"
	case "VirtualMachineGuestNetworkConfigSynced":
		return "guest address"
	case "NodeHealthy", "NodeReady":
		return "node"
	case "APIServerPodHealthy", "ControllerManagerPodHealthy", "SchedulerPodHealthy", "ControlPlaneComponentsHealthy":
		return "control-plane components"
	case "EtcdPodHealthy", "EtcdMemberHealthy", "EtcdClusterHealthy":
		return "etcd"
	case "Ready", "Available":
		if l.Kind == "Machine" {
			return "node"
		}
		return l.Kind
	case "ScalingUp":
		return "more machines"
	case "ScalingDown":
		return "fewer machines"
	}
	return ""
}

// step is where a VM is on its way, by the reason of its VSphereMachine.
func step(reason string) string {
	switch reason {
	case "WaitingForBootstrapData", "WaitingForControlPlaneInitialized":
		return "bootstrap data"
	case "PoweringOn":
		return "VM power on"
	case "WaitingForNetworkAddress", "WaitingForIPAllocation":
		return "guest address"
	}
	return "VM"
}
