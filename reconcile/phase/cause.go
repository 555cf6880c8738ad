package phase

import (
	"fmt"
	"strings"
)

// Cause is the end of a causal chain in words: what is missing, of which
// object, and what the object says of it. It is empty for an empty chain.
func Cause(chain []Link) string {
	if len(chain) == 0 {
		return ""
	}
	last := chain[len(chain)-1]
	said := flat(last.Message)
	if last.Condition == Warning {
		return Cause(chain[:len(chain)-1]) + "; " + strings.TrimSuffix(last.Reason+": "+said, ": ")
	}
	text := lacks(last)
	switch {
	case said == "" && last.Reason != "" && !spoken(last):
		text += " (" + last.Reason + ")"
	case said != "":
		text += ": " + said
	}
	return text
}

// spoken reports that lacks says all that the reason does.
func spoken(l Link) bool {
	switch l.Reason {
	case "NotReady", "NotAvailable", "NotSynced", "NotInitialized", "NotCreated", "NotDeleted", "InspectionFailed", "Finalizers", "WaitingForIP", "WaitingForNetworkAddress":
		return true
	}
	return false
}

// lacks says what a link's condition is about.
func lacks(l Link) string {
	name := l.Kind + " " + l.Name
	switch l.Kind {
	case "VSphereNamespace", "Namespace":
		return lacksNamespace(l)
	case "vSphere VM":
		return fmt.Sprintf("vCenter refused %s of VM %s", l.Condition, l.Name)
	case "SubnetSet", "VirtualNetwork":
		return name + " gives no subnet"
	case "SubnetPort", "NetworkInterface", "VirtualNetworkInterface":
		return name + " has no address"
	case "VirtualMachineService", "Service":
		return fmt.Sprintf("the control-plane endpoint has no address (%s)", name)
	case "KubeadmConfig":
		return "no bootstrap data for Machine " + l.Name
	}
	if l.Condition == "Deleting" {
		return name + " is not gone yet"
	}
	if text := lacking(l); text != "" {
		return fmt.Sprintf(text, l.Name)
	}
	switch {
	case l.Reason == "NotCreated":
		return name + " does not exist yet"
	case l.Reason == "NotDeleted":
		return name + " is not deleted yet"
	case l.Condition == "":
		return name + " is not ready"
	}
	return name + ": " + l.Condition + " is not as it should be"
}

func lacksNamespace(l Link) string {
	switch l.Reason {
	case "NotCreated":
		return "vSphere Namespace " + l.Name + " does not exist yet"
	case "", "Active": // the Kubernetes Namespace is there, and vCenter is not done with it
		return "vSphere Namespace " + l.Name + " does not run yet"
	}
	if l.Condition == "Deleting" {
		return "vSphere Namespace " + l.Name + " is not gone yet"
	}
	return "vSphere Namespace " + l.Name + " is " + l.Reason
}

// lacking is the sentence for a condition, with %s for the object's name. The
// types of conditions are unique across the kinds that are left.
func lacking(l Link) string {
	switch l.Condition {
	case "Paused":
		return "Cluster %s is paused"
	case "TopologyReconciled":
		return "the topology of Cluster %s is not reconciled"
	case "RemoteConnectionProbe":
		return "the API server of cluster %s does not answer"
	case "ControlPlaneInitialized", "Initialized":
		return "the control plane of %s is not initialized"
	case "VCenterAvailable":
		return "vCenter cannot be reached for %s"
	case "FailureDomainsReady":
		return "no zone is ready for %s"
	case "NetworkReady":
		return "the network of %s is not ready"
	case "LoadBalancerReady":
		return "the control-plane endpoint of %s has no address"
	case "ResourcePolicyReady":
		return "the resource policy of %s is not ready"
	case "VirtualMachineClassReady":
		return "the class of VM %s cannot be used"
	case "VirtualMachineImageReady":
		return "the image of VM %s cannot be used"
	case "VirtualMachineConditionVMSetResourcePolicyReady":
		return "the resource policy of VM %s cannot be used"
	case "VirtualMachineBootstrapReady":
		return "the bootstrap data of VM %s cannot be read"
	case "VirtualMachineStorageReady":
		return "the storage of VM %s cannot be used"
	case "VirtualMachineNetworkReady":
		return "the network of VM %s is not ready"
	case "VirtualMachineConditionPlacementReady":
		return "VM %s finds no place"
	case "VirtualMachineConditionImageCacheReady":
		return "the image of VM %s is not on its datastore yet"
	case "VirtualMachineCreated":
		return "VM %s is not created in vCenter"
	case "VirtualMachinePowerStateSynced":
		return "VM %s is not powered on"
	case "VirtualMachineGuestNetworkConfigSynced":
		return "the guest of VM %s reports no address"
	case "VirtualMachineProvisioned":
		return lackingVM(l.Reason)
	case "NodeHealthy", "NodeReady":
		return "the node of Machine %s is not ready"
	case "APIServerPodHealthy", "ControllerManagerPodHealthy", "SchedulerPodHealthy":
		return "a control-plane component on Machine %s is not healthy"
	case "EtcdPodHealthy", "EtcdMemberHealthy":
		return "etcd on Machine %s is not healthy"
	case "EtcdClusterHealthy":
		return "etcd of %s is not healthy"
	case "BootstrapConfigReady":
		return "no bootstrap data for Machine %s"
	case "InfrastructureReady":
		return "the infrastructure of " + l.Kind + " %s is not ready"
	case "WorkersAvailable", "WorkerMachinesReady":
		return "the workers of cluster %s are not available"
	case "ControlPlaneAvailable", "ControlPlaneMachinesReady":
		return "the control plane of cluster %s is not available"
	case "Ready":
		return l.Kind + " %s is not ready"
	case "MachinesReady":
		return "the machines of " + l.Kind + " %s are not ready"
	case "ScalingUp":
		return l.Kind + " %s is scaling up"
	case "ScalingDown":
		return l.Kind + " %s is scaling down"
	case "RollingOut":
		return l.Kind + " %s is rolling out"
	case "Available":
		return l.Kind + " %s is not available"
	}
	return ""
}

func lackingVM(reason string) string {
	switch reason {
	case "NotProvisioned":
		return "VM %s cannot be made"
	case "PoweringOn":
		return "VM %s is being powered on"
	case "WaitingForNetworkAddress", "WaitingForIPAllocation":
		return "the guest of VM %s reports no address"
	}
	return "VM %s is not ready"
}

// flat puts a message of several lines and bullets on one line.
func flat(message string) string {
	lines := strings.FieldsFunc(message, func(r rune) bool { return r == '\n' || r == '\r' })
	var parts []string
	for _, line := range lines {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "* "))
		if line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}
