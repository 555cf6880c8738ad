package trace

import "strings"

// Rules is the order in which one thing causes another (observed.md 6.1-6.6,
// domain.md 2.1). Every one of them was seen in a recording of the real
// controllers, but for those of load balancers, which observed.md 6.5 has.
var Rules = slicesOf(creation, bootstrapping, machineMade, machineGone, rollingOut, clusterGone, loadBalanced)

func slicesOf(tables ...[]Rule) (all []Rule) {
	for _, t := range tables {
		all = append(all, t...)
	}
	return all
}

// event is "Kind[(role)][/*name] attribute=value", where an attribute that is not
// exists, phase, owners or finalizers is the type of a condition.
func event(text string) Event {
	object, change, _ := strings.Cut(text, " ")
	var e Event
	object, e.Name, _ = strings.Cut(object, "/*")
	e.Kind, e.Role, _ = strings.Cut(strings.TrimSuffix(object, ")"), "(")
	e.Attribute, e.Value, _ = strings.Cut(change, "=")
	switch e.Attribute {
	case exists, phase, owners, finalizers:
	default:
		e.Attribute = condition + e.Attribute
	}
	return e
}

// chain says that each of events comes after the one before it.
func chain(of Relation, events ...string) (out []Rule) {
	for i := 1; i < len(events); i++ {
		out = append(out, Rule{Before: event(events[i-1]), After: event(events[i]), Of: of})
	}
	return out
}

// every says that before comes to all related objects that it comes to, and then after.
func every(of Relation, before, after string) []Rule {
	return []Rule{{Before: event(before), After: event(after), Of: of, Every: true}}
}

// creation is how a Cluster comes to its objects (6.1 steps 1-8).
var creation = slicesOf(
	chain(InCluster, "Cluster exists=created", "Secret/*-shim exists=created", "VSphereCluster exists=created",
		"VSphereMachineTemplate exists=created", "KubeadmControlPlane exists=created", "MachineDeployment exists=created",
		"MachineSet exists=created"),
	chain(InCluster, "KubeadmConfigTemplate exists=created", "MachineDeployment exists=created"),
	chain(InCluster, "Cluster Paused=False", "VSphereCluster owners=Cluster/"),
	chain(InCluster, "VSphereCluster owners=Cluster/", "VirtualMachineSetResourcePolicy exists=created", "VSphereCluster ResourcePolicyReady=True"),
	chain(InCluster, "VSphereCluster Ready=True", "Cluster InfrastructureReady=True", "Cluster phase=Provisioned"),
	chain(InCluster, "Cluster InfrastructureReady=True", "Secret/*-ca exists=created", "Secret/*-kubeconfig exists=created", "Machine(controlplane) exists=created"),
	every(InCluster, "Secret/*-etcd exists=created", "Secret/*-kubeconfig exists=created"),
	every(InCluster, "Secret/*-sa exists=created", "Secret/*-kubeconfig exists=created"),
	every(InCluster, "Secret/*-proxy exists=created", "Secret/*-kubeconfig exists=created"),
	chain(InCluster, "Machine(controlplane) exists=created", "Machine(worker) exists=created"),
	chain(Machinery, "VSphereMachine(controlplane) exists=created", "KubeadmConfig(controlplane) exists=created", "Machine(controlplane) exists=created"),
	chain(Machinery, "KubeadmConfig(worker) exists=created", "VSphereMachine(worker) exists=created", "Machine(worker) exists=created"),
)

// bootstrapping is how a machine comes to its data, and the barrier in it (steps 10, 11, 14, 15).
var bootstrapping = slicesOf(
	chain(Machinery, "Machine exists=created", "Machine phase=Pending"),
	chain(Machinery, "KubeadmConfig owners=Machine/", "KubeadmConfig Paused=False"),
	chain(Machinery, "VSphereMachine owners=Machine/", "VSphereMachine finalizers=vspheremachine"),
	chain(Machinery, "KubeadmConfig owners=Machine/", "KubeadmConfig DataSecretAvailable=True", "Machine BootstrapConfigReady=True",
		"Machine phase=Provisioning", "VirtualMachine exists=created"),
	chain(Machinery, "Secret exists=created", "KubeadmConfig DataSecretAvailable=True"),
	chain(InCluster, "KubeadmControlPlane Initialized=True", "Cluster ControlPlaneInitialized=True", "Secret(worker) exists=created"),
	chain(InCluster, "Machine(controlplane) phase=Running", "KubeadmControlPlane Initialized=True"),
	chain(InCluster, "KubeadmControlPlane Initialized=True", "ConfigMap/*-lock exists=gone"),
	chain(InCluster, "ConfigMap/*-lock exists=created", "KubeadmConfig(controlplane) DataSecretAvailable=True"),
	every(Elders, "Machine(controlplane) EtcdMemberHealthy=True", "Machine(controlplane) exists=created"),
	every(Elders, "Machine(controlplane) phase=Running", "Machine(controlplane) exists=created"),
)

// machineMade is how a machine comes to run (steps 12, 13 and domain.md E26-E36).
var machineMade = slicesOf(
	chain(Machinery, "VirtualMachine exists=created", "VSphereMachine VirtualMachineProvisioned=False/Provisioning"),
	chain(Machinery, "VirtualMachine exists=created", "NetworkInterface exists=created", "VirtualMachine VirtualMachineNetworkReady=True"),
	chain(Machinery, "NetworkInterface Ready=True", "VirtualMachine VirtualMachineNetworkReady=True"),
	chain(Machinery, "SubnetPort Ready=True", "VirtualMachine VirtualMachineNetworkReady=True"),
	chain(Machinery, "VirtualMachine VirtualMachineNetworkReady=True", "VirtualMachine VirtualMachineCreated=True",
		"VirtualMachine VirtualMachinePowerStateSynced=True", "VirtualMachine VirtualMachineGuestNetworkConfigSynced=True",
		"VSphereMachine VirtualMachineProvisioned=True", "VSphereMachine Ready=True", "Machine InfrastructureReady=True",
		"Machine phase=Provisioned", "Machine phase=Running"),
	chain(Machinery, "VirtualMachine VirtualMachineCreated=True", "VSphereMachine phase=Created", "VSphereMachine phase=PoweredOn", "VSphereMachine phase=Ready"),
	chain(Machinery, "Machine NodeHealthy=True", "Machine(worker) Ready=True", "Machine(worker) Available=True"),
	chain(InCluster, "Machine(worker) Ready=True", "MachineSet MachinesReady=True/Ready"),
)

// machineGone is how a machine goes (6.6).
var machineGone = slicesOf(
	chain(Machinery, "Machine exists=marked", "VSphereMachine exists=marked", "VirtualMachine exists=marked", "VirtualMachine exists=gone",
		"VSphereMachine exists=gone", "KubeadmConfig exists=gone", "Machine exists=gone"),
	chain(Machinery, "VirtualMachine exists=gone", "NetworkInterface exists=gone"),
	chain(Machinery, "VirtualMachine exists=gone", "SubnetPort exists=gone"),
	chain(Machinery, "KubeadmConfig exists=gone", "Secret exists=gone"),
	chain(Machinery, "Machine exists=marked", "Machine phase=Deleting"),
	chain(Machinery, "Machine exists=marked", "Machine Deleting=True/WaitingForInfrastructureDeletion", "Machine Deleting=True/WaitingForBootstrapDeletion"),
)

// rollingOut is one at a time, the control plane first (6.3).
var rollingOut = slicesOf(
	chain(InCluster, "Cluster TopologyReconciled=False/ClusterUpgrading", "MachineSet exists=created"),
	every(InCluster, "Machine(controlplane) exists=gone", "MachineSet exists=created"),
	every(InCluster, "Machine(controlplane) exists=gone", "KubeadmControlPlane RollingOut=False"),
)

// clusterGone is the order of deletion (6.6).
var clusterGone = slicesOf(
	chain(InCluster, "Cluster exists=marked", "MachineDeployment exists=marked", "MachineSet exists=marked"),
	chain(InCluster, "KubeadmControlPlane exists=marked", "KubeadmControlPlane exists=gone", "VSphereCluster exists=marked",
		"VSphereCluster exists=gone", "Cluster exists=gone"),
	every(InCluster, "Machine(worker) exists=gone", "KubeadmControlPlane exists=marked"),
	every(InCluster, "MachineDeployment exists=gone", "KubeadmControlPlane exists=marked"),
	every(InCluster, "MachineSet exists=gone", "MachineDeployment exists=gone"),
	every(InCluster, "Machine(controlplane) exists=gone", "KubeadmControlPlane exists=gone"),
	every(InCluster, "KubeadmControlPlane exists=gone", "Secret/*-ca exists=gone"),
	every(InCluster, "KubeadmControlPlane exists=gone", "Secret/*-kubeconfig exists=gone"),
	every(InCluster, "VSphereCluster exists=gone", "VirtualMachineSetResourcePolicy exists=gone"),
)

// loadBalanced is the way to an endpoint that was not given (6.5).
var loadBalanced = slicesOf(
	chain(InCluster, "VSphereCluster ResourcePolicyReady=True", "VirtualMachineService exists=created", "Service exists=created"),
	chain(InCluster, "Service exists=created", "VSphereCluster LoadBalancerReady=True", "VSphereCluster Ready=True", "Secret/*-ca exists=created"),
	every(InCluster, "VSphereCluster exists=gone", "VirtualMachineService exists=gone"),
)
